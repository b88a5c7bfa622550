"""Switch etcd off on a host that has no member any more. (catalogue P48; R21)

A removed member that starts again ends at once with status 0, so that a unit that always restarts
tries for ever.
"""

from dataclasses import dataclass

from procedures.actions.host.files import MoveAside
from procedures.actions.host.run_etcd import RetireEtcd
from procedures.engine.ports import Look
from procedures.etcd.data_place import leaves_data
from procedures.etcd.hosts import Hosts, member_on, with_hosts
from procedures.etcd.residents import forbid_residents
from procedures.etcd.spare import aside, data_of
from procedures.model.errors import Refused, UsageError
from procedures.model.host import FileSeen
from procedures.model.ids import ClusterName
from procedures.model.inventory import Inventory
from procedures.model.plan import Risk, Undo
from procedures.model.platform import layout
from procedures.model.procedure import Procedure, Runbook


@dataclass(frozen=True, slots=True)
class Args:
    """Which host, by its name in the configuration."""

    cluster: ClusterName
    host: str


@dataclass(frozen=True, slots=True)
class Scene:
    """The cluster, what lies in the data folder of the host, and how etcd is configured there."""

    inventory: Inventory
    hosts: Hosts
    data: tuple[str, ...]
    config: FileSeen | None


async def look(args: Args, look: Look) -> Scene:
    """See who is a member, and what the host has."""
    cluster = look.inventory.clusters[args.cluster]
    how = layout(cluster.platform)
    hosts = await with_hosts(args.cluster, look)
    host = next((each for each in cluster.hosts if each.name == args.host), None)
    if host is None:
        names = ", ".join(each.name for each in cluster.hosts)
        message = f"There is no host {args.host!r}. The hosts of {args.cluster} are {names}."
        raise UsageError(message)
    config = await look.hosts.read(cluster, host, how.config)
    data = await data_of(cluster, host, look) or ()
    return Scene(look.inventory, hosts, data, config if isinstance(config, FileSeen) else None)


def plan(args: Args, scene: Scene, run: Runbook) -> None:
    """Switch it off, and move its data aside."""
    host, cluster = scene.hosts.host(args.host), scene.hosts.cluster
    run.title = f"Switch etcd off on {host.name}, which has no member of {args.cluster}"
    if row := member_on(host, scene.hosts.view):
        message = f"{host.name} has the member {row.name or row.id}: its etcd stays on."
        raise Refused(message)
    if not scene.hosts.view.quorum_proven:
        message = f"{args.cluster} has no quorum, so nobody can tell who is a member (R14)."
        raise Refused(message)
    at = scene.hosts.at(host.name)
    how = layout(cluster.platform)
    forbid_residents(scene.inventory, cluster, host, scene.config, scene.hosts.view)
    stays = leaves_data(host.name, scene.config, how, run)
    run.fact(f"{host.name} is {host.address}, machine {at.machine_id}.")
    run.step(
        f"Switch etcd on {host.name} off",
        RetireEtcd(args.cluster, cluster.platform, at),
        undo=Undo(f"On {host.name}: {' '.join(how.revive)}"),
    )
    if (moves := aside(scene.data, how)) and not stays:
        run.step(
            "Move its data aside",
            MoveAside(args.cluster, cluster.platform, at, *moves),
            undo=Undo(f"On {host.name}, while no etcd runs there: mv {moves[1]} {moves[0]}"),
        )


PROCEDURE = Procedure("etcd retire", Args, look, plan, risk=Risk.DISRUPTIVE, lock="etcd/{cluster}")
