"""Restart etcd, one member after another; the others keep quorum. (rules R9, R10; X6, X7)

On static pods the manifest is moved out and in again, because `master-restart etcd` ends with 0
where it did nothing.
"""

import shlex
from dataclasses import dataclass, replace

from procedures.actions.etcd.check_healthy import CheckHealthy, CheckMember
from procedures.actions.etcd.target import identity
from procedures.actions.host.restart_etcd import RestartEtcd
from procedures.engine.ports import Look
from procedures.etcd.forcing import forbid_ordered_on
from procedures.etcd.hosts import Hosts, with_hosts
from procedures.etcd.observe import find, listed
from procedures.etcd.rolling import Rolling
from procedures.etcd.same_data import forbid_while_corrupt
from procedures.etcd.view import Seen
from procedures.model.errors import Refused
from procedures.model.ids import ClusterName
from procedures.model.member import Identity
from procedures.model.plan import Risk
from procedures.model.platform import layout
from procedures.model.probe import ListedMember
from procedures.model.procedure import Procedure, Runbook
from procedures.model.quorum import Health


@dataclass(frozen=True, slots=True)
class Args:
    """Which member, by name or hexadecimal id; None for all of them.

    `outage` accepts that nobody serves meanwhile, where there are one or two voters.
    """

    cluster: ClusterName
    member: str | None = None
    outage: bool = False


async def look(args: Args, look: Look) -> Hosts:
    """See how the members are, and who their hosts are."""
    how = layout(look.inventory.clusters[args.cluster].platform)
    hosts = await with_hosts(args.cluster, look, unlisted=True)
    if not hosts.view.listed:
        names = " and ".join(each.name for each in hosts.view.seen)
        why = "; ".join(each.why for each in hosts.view.seen if each.why)
        message = (
            f"No member of {args.cluster} gave a member list. {why} Where etcd does not run, start "
            f"it by hand: `{shlex.join(how.start)}` on {names}. That loses nothing; a restore does."
        )
        raise Refused(message)
    due = [find(hosts.view, args.member)] if args.member else listed(hosts.view)
    await forbid_ordered_on(hosts, [row.name for _, row in due], look)
    return hosts


def plan(args: Args, view: Hosts, run: Runbook) -> None:
    """Restart what is down first, then the others, each when the one before has caught up."""
    chosen = _chosen(args, view)
    what = chosen[0][1].name if args.member else "all members"
    run.title = f"Restart etcd on {what} of {args.cluster}"
    forbid_while_corrupt(view.view)
    order = [identity(row) for _, row in chosen]
    rolling = Rolling(args.cluster, view.view, order, run, args.outage)
    members = view.view.members
    for seen, row in chosen:
        member = identity(row)
        rolling.allow(members, member)
        # Each comes after the one before is healthy, which its own step makes sure of.
        members = tuple(
            replace(each, health=Health.HEALTHY) if each.id == member.id else each
            for each in members
        )
        run.fact(f"Member {member.shown} on {view.host(row.name).address} is {_condition(seen)}.")
    for member in order:
        _one(args, view, member, rolling)
    run.step("Check that all members are healthy", CheckHealthy(args.cluster))


def _one(args: Args, view: Hosts, member: Identity, rolling: Rolling) -> None:
    name, run = member.name, rolling.run
    rolling.hand_over(member)
    run.step(
        f"Restart etcd on {name}",
        RestartEtcd(args.cluster, view.cluster.platform, view.at(name), member, outage=args.outage),
    )
    run.step(f"Wait until {name} has caught up", CheckMember(args.cluster, member))


def _chosen(args: Args, view: Hosts) -> list[tuple[Seen, ListedMember]]:
    """R10: what is down comes first. Whoever leads hands over to the last, when its turn comes."""
    if args.member is not None:
        return [find(view.view, args.member)]
    return sorted(
        listed(view.view), key=lambda each: (each[0].health is not Health.DOWN, each[1].name)
    )


def _condition(seen: Seen) -> str:
    return "down" if seen.health is Health.DOWN else "up"


PROCEDURE = Procedure("etcd restart", Args, look, plan, risk=Risk.DISRUPTIVE, lock="etcd/{cluster}")
