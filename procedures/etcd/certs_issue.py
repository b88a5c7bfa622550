"""Make certificates for a host that is to get a member. (catalogue P53, P65; rule R17)

A scale-up and a replacement make them themselves; this is for whoever wants them before, or for
another number of days.
"""

from dataclasses import dataclass

from procedures.engine.ports import Look
from procedures.etcd.first_certificates import Makings, look_at_makings, make
from procedures.etcd.hosts import Hosts, member_on, with_hosts
from procedures.etcd.joining import Place
from procedures.etcd.observe import listed
from procedures.etcd.spare import Spare, look_at_spare
from procedures.model.errors import Refused, UsageError
from procedures.model.host import Machine
from procedures.model.ids import ClusterName
from procedures.model.inventory import Host
from procedures.model.plan import Risk
from procedures.model.platform import layout
from procedures.model.procedure import Procedure, Runbook


@dataclass(frozen=True, slots=True)
class Args:
    """For which host, for how many `days`."""

    cluster: ClusterName
    host: str
    days: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """The host, and what its certificates are made from."""

    spare: Spare
    makings: Makings


async def look(args: Args, look: Look) -> Scene:
    """See the host, what members have, and the CA. Raises Refused."""
    cluster = look.inventory.clusters[args.cluster]
    layout(cluster.platform)
    hosts = await with_hosts(args.cluster, look)
    chosen = _chosen(args, hosts)
    spare = await look_at_spare(cluster, chosen, look)
    members = {row.name for _, row in listed(hosts.view)}
    homes = [
        Place(each, machine)
        for each in sorted(cluster.hosts, key=lambda each: each.name)
        if each.name in members and isinstance(machine := hosts.machines[each.name], Machine)
    ]
    return Scene(spare, await look_at_makings(hosts, Place(chosen, spare.machine), homes, look))


def plan(args: Args, scene: Scene, run: Runbook) -> None:
    """Make keys, have them signed, and put all in place; nothing runs there yet."""
    spare, makings = scene.spare, scene.makings
    run.title = f"Make certificates for {spare.host.name} of {args.cluster}"
    if spare.runs:
        message = f"An etcd runs on {spare.host.name}, so its certificates stay as they are."
        raise Refused(message)
    if not spare.unfit and not makings.trusted:
        message = (
            f"{spare.host.name} has certificates that are fit for a member: nothing is to be done."
        )
        raise Refused(message)
    make(makings, run, args.days)


def _chosen(args: Args, hosts: Hosts) -> Host:
    """The host that is meant. Raises UsageError, and Refused where it has a member."""
    for each in hosts.cluster.hosts:
        if each.name == args.host:
            if row := member_on(each, hosts.view):
                message = (
                    f"{each.name} has the member {row.name or row.id}. Its certificates are made "
                    f"anew by /etcd certs renew {row.name or row.id}."
                )
                raise Refused(message)
            return each
    names = ", ".join(each.name for each in hosts.cluster.hosts)
    message = f"There is no host {args.host!r}. The hosts are {names}."
    raise UsageError(message)


PROCEDURE = Procedure(
    "etcd certs issue", Args, look, plan, risk=Risk.REVERSIBLE, lock="etcd/{cluster}"
)
