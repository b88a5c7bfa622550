"""Back up the v2 store of a cluster, and its v3 data with it. (catalogue P23; R10, R12, X13, X14)

etcd copies a v2 store only while it does not run. So one member is stopped for that, and no more:
the others keep quorum.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from procedures.actions.etcd.check_healthy import CheckMember
from procedures.actions.etcd.leadership import EnsureNotLeader
from procedures.actions.etcd.rotate_backups import RotateBackups
from procedures.actions.etcd.target import identity
from procedures.actions.host.copy_v2 import CopyV2
from procedures.actions.host.keep_v2 import KeepV2, PackV2, RemoveV2
from procedures.engine.ports import Look
from procedures.etcd.asking import Asking
from procedures.etcd.data_place import free_bytes, require_placed
from procedures.etcd.hosts import Hosts, with_hosts
from procedures.etcd.observe import find, listed
from procedures.etcd.same_data import forbid_while_corrupt
from procedures.etcd.v2_store import NO_COPIER, Store, find_copier, require_unit, store_of
from procedures.etcd.view import Seen as SeenMember
from procedures.model import quorum
from procedures.model.errors import Refused
from procedures.model.host import FileSeen, Machine
from procedures.model.ids import ClusterName
from procedures.model.plan import Risk
from procedures.model.platform import layout
from procedures.model.probe import ListedMember
from procedures.model.procedure import Procedure, Runbook
from procedures.model.quorum import Health
from procedures.model.restoring import Tool, minor_of
from procedures.model.snapshot import Retention


@dataclass(frozen=True, slots=True)
class Args:
    """Whose data is copied, by name or hexadecimal id; None: the first member that is fit."""

    cluster: ClusterName
    member: str | None = None


@dataclass(frozen=True, slots=True)
class Home:
    """What a member's host can do for it. Sizes in bytes."""

    store: Store
    tool: Tool | None
    free: int
    used: int
    config: FileSeen | None


@dataclass(frozen=True, slots=True)
class Seen:
    """The hosts, what each can do (by member name), and how long backups are kept."""

    hosts: Hosts
    homes: Mapping[str, Home]
    retention: Retention


async def look(args: Args, look: Look) -> Seen:
    """See who serves a v2 store, and what could copy it."""
    cluster = look.inventory.clusters[args.cluster]
    retention = look.inventory.retention_of(cluster)
    layout(cluster.platform)
    require_unit(cluster.platform, "/etcd backup")
    hosts = await with_hosts(args.cluster, look)
    able = [
        (row, minor_of(seen.status.version))
        for seen, row in listed(hosts.view)
        if seen.status and row.client_urls
        if isinstance(hosts.machines.get(row.name), Machine)
    ]
    homes = await asyncio.gather(*(_home(hosts, row, minor, look) for row, minor in able))
    names = [row.name for row, _ in able]
    return Seen(hosts, dict(zip(names, homes, strict=True)), retention)


async def _home(hosts: Hosts, row: ListedMember, minor: str, look: Look) -> Home:
    how, machine = layout(hosts.cluster.platform), hosts.machines[row.name]
    assert isinstance(machine, Machine)  # noqa: S101 (it was chosen for being one)
    asking, url = Asking(look, hosts.cluster, hosts.host(row.name)), row.client_urls[0]
    du = ("du", "--summarize", "--block-size=1", f"{how.data}/member")
    store, tool, free, used, config = await asyncio.gather(
        store_of(asking, how, machine, url),
        find_copier(asking, how, minor),
        free_bytes(asking, "/var/lib"),
        asking.said(du, (0, 1)),
        asking.file(how.config),
    )
    words = used.out.split()
    return Home(store, tool, free or 0, int(words[0]) if words else 0, config)


def plan(args: Args, seen: Seen, run: Runbook) -> None:
    """Copy one member's data while it is stopped; bring the copy off its host."""
    hosts, platform = seen.hosts, seen.hosts.cluster.platform
    forbid_while_corrupt(hosts.view)
    names = _stored(args, seen)
    row, tool = _chosen(args, seen)
    config, so = seen.homes[row.name].config, "it would not be copied"
    require_placed(row.name, config, layout(platform), so)
    member, at = identity(row), hosts.at(row.name)
    run.title = f"Back up the v2 store of {args.cluster}, from {row.name}"
    ruling = quorum.may_restart(hosts.view.members, member.id)
    run.require(ruling, "Its data can only be copied while it is stopped: bring the others back.")
    run.fact(f"The v2 store has, at its root: {', '.join(names)}.")
    run.fact(f"Only {row.name} is stopped, while its data is copied: {_staying(seen, row)}.")
    run.fact(
        "The copy has the v3 data too. The ids of member and cluster in it are new ones, so that "
        "nothing of it fits into a cluster that lives. /etcd restore v2 restores it."
    )
    run.step(f"Hand leadership over if {row.name} has it", EnsureNotLeader(args.cluster, member))
    run.step(
        f"Stop etcd on {row.name}, copy its data, and start it again",
        CopyV2(args.cluster, platform, at, member, tool),
    )
    run.step(f"Wait until {row.name} has caught up", CheckMember(args.cluster, member))
    run.step("Make one file of the copy", PackV2(args.cluster, platform, at))
    run.step(
        f"Bring it off {row.name}",
        KeepV2(args.cluster, platform, at, member, tool),
        gives="backup",
    )
    run.step(f"Remove what is left of it on {row.name}", RemoveV2(args.cluster, platform, at))
    run.step(
        "Drop backups that are older than is kept",
        RotateBackups(args.cluster, seen.retention.days, seen.retention.distinct_days),
    )


def _staying(seen: Seen, row: ListedMember) -> str:
    """R10, X14: who serves meanwhile, whoever leads when the plan is carried out."""
    voters = quorum.voters(seen.hosts.view.members)
    left = quorum.healthy(each for each in voters if each.id != row.id)
    needed = quorum.quorum(len(voters))
    return f"{left} healthy of {len(voters)} stay, quorum {needed} (R10, X14)"


def _stored(args: Args, seen: Seen) -> tuple[str, ...]:
    """What lies in the v2 store. Raises Refused where there is none, or nothing in it."""
    stores = {name: home.store for name, home in seen.homes.items()}
    served = [store for store in stores.values() if store.why_not is None]
    names = sorted({name for store in served for name in store.names})
    if names:
        return tuple(names)
    if served:
        message = (
            f"The v2 store of {args.cluster} is empty: there is nothing in it to back up. "
            "/etcd backup saves all that there is (X13)."
        )
        raise Refused(message)
    why = "; ".join(f"{name}: {store.why_not}" for name, store in stores.items())
    message = (
        f"No member of {args.cluster} serves a v2 store: from etcd 3.4 on that takes --enable-v2, "
        f"and 3.6 has none (X13). {why or 'None could be asked on its host'}. "
        "/etcd backup saves all v3 data."
    )
    raise Refused(message)


def _chosen(args: Args, seen: Seen) -> tuple[ListedMember, Tool]:
    """The member that is asked for, else the first that is fit. Raises Refused."""
    rows = listed(seen.hosts.view) if args.member is None else [find(seen.hosts.view, args.member)]
    why = []
    for member, row in sorted(rows, key=lambda each: each[1].name):
        home = seen.homes.get(row.name)
        wrong = _unfit(member, home)
        if not wrong and home and home.tool:
            return row, home.tool
        why.append(f"{member.name}: {wrong}")
    message = f"No member of {args.cluster} can be copied from. {'; '.join(why)}."
    raise Refused(message)


def _unfit(member: SeenMember, home: Home | None) -> str | None:
    """Say why a member's data cannot be copied."""
    if member.listed and member.listed.learner:
        return "it is a learner"
    if member.health is not Health.HEALTHY or home is None:
        return member.why or "its host cannot be reached"
    if home.store.why_not:
        return f"it serves no v2 store ({home.store.why_not})"
    if home.tool is None:
        return NO_COPIER
    if home.free < 2 * home.used:
        return f"its host has less than {2 * home.used // 1024**2} MiB free in /var/lib (R13)"
    return None


PROCEDURE = Procedure(
    "etcd backup v2", Args, look, plan, risk=Risk.DISRUPTIVE, lock="etcd/{cluster}"
)
