"""Copy what configures etcd off its hosts: settings, certificates, keys, units. (P21, P24)

One copy for each host, under the host's own name: members differ, and one place holds them all. On
the host that keeps the CA, the CA's record goes with it; an authority's key stays where it is. On
kubespray it has the extras of P24 too: what certificates were made from, and Calico's. Data is
never copied like this, because a live member writes to it: that is a snapshot's work.
"""

from dataclasses import dataclass

from procedures.actions.etcd.target import identity
from procedures.actions.host.copy_config import CopyConfig
from procedures.actions.host.deep_files import DEPTH, MOST, MOST_BYTES
from procedures.engine.ports import Look
from procedures.etcd.hosts import Hosts, with_hosts
from procedures.etcd.observe import find, listed
from procedures.model.errors import Refused
from procedures.model.host import Machine
from procedures.model.ids import ClusterName
from procedures.model.plan import Risk
from procedures.model.platform import layout
from procedures.model.procedure import Procedure, Runbook


@dataclass(frozen=True, slots=True)
class Args:
    """Whose configuration, by name or hexadecimal id; None for all members."""

    cluster: ClusterName
    member: str | None = None


async def look(args: Args, look: Look) -> Hosts:
    """See who the hosts are, and whether there is a place."""
    cluster = look.inventory.clusters[args.cluster]
    look.inventory.retention_of(cluster)
    layout(cluster.platform)
    return await with_hosts(args.cluster, look)


def plan(args: Args, view: Hosts, run: Runbook) -> None:
    """One after another; a host that cannot be reached is left out, and that is said."""
    rows = [row for _, row in listed(view.view) if row.name]
    if args.member is not None:
        rows = [find(view.view, args.member)[1]]
    what = rows[0].name if args.member else "etcd"
    run.title = f"Back up the configuration of {what} in {args.cluster}"
    run.fact(
        "Private keys of members are among it, so it is kept where snapshots are, for their owner "
        "alone to read (0600). The key of an authority is not copied, nor are archives, which may "
        "hold it: keep that elsewhere."
    )
    if deep := layout(view.cluster.platform).deep:
        run.fact(
            f"Where a host keeps the CA, what is below {' and '.join(deep)} is copied too, "
            f"{DEPTH} levels deep, at most {MOST} files and {MOST_BYTES // 1024**2} MiB; files "
            "that do not fit are named."
        )
    unreached = []
    for row in rows:
        machine = view.machines.get(view.host(row.name).name)
        if not isinstance(machine, Machine):
            why = machine.message if machine else "It was not asked."
            unreached.append(f"Nothing of {row.name} is copied: {why}")
            run.fact(unreached[-1])
            continue
        run.step(
            f"Copy the configuration of {row.name}",
            CopyConfig(args.cluster, view.cluster.platform, view.at(row.name), identity(row)),
            gives="copy",
        )
    if not run.steps:
        message = f"No host can be reached. {' '.join(unreached)}"
        raise Refused(message)


PROCEDURE = Procedure(
    "etcd backup config", Args, look, plan, risk=Risk.READ_ONLY, lock="backup/{cluster}"
)
