"""Waiting until the rules have allowed a change for a while. (rules R3, R5)"""

from collections.abc import Callable

from procedures.engine.ports import Work, World
from procedures.etcd.observe import observed
from procedures.etcd.view import View
from procedures.model.errors import Refused
from procedures.model.ids import ClusterName, MemberId
from procedures.model.quorum import Ruling

STEADY_S = 6
"""etcd adds and promotes only while all have been connected for 5 s, as each of them knows."""

WAIT_S = 60
_POLL_MS = 250
_KNOWN_WITHIN_MS = 5_000

WAITS = f"until the rules have allowed it for {STEADY_S} s, at most {WAIT_S} s"


async def steady(
    cluster: ClusterName, rule: Callable[[View], Ruling], world: World, work: Work
) -> View:
    """Look until a rule has allowed the change all along for a while; gives the last look.

    Raises Refused with what stood against it last.
    """
    since: int | None = None
    said = ""
    until = world.clock.now_ms() + WAIT_S * 1_000
    while True:
        view = await observed(cluster, world)
        ruling = rule(view)
        now_ms = world.clock.now_ms()
        if not ruling.allowed:
            since = None
            if ruling.because != said:
                await work.say(f"waiting: {ruling.because} ({ruling.rule})")
                said = ruling.because
        elif since is None:
            since = now_ms
        elif now_ms - since >= STEADY_S * 1_000:
            return view
        if now_ms >= until:
            message = f"{said or 'the cluster was not steady'} ({ruling.rule}), for {WAIT_S} s."
            raise Refused(message)
        await work.pause(_POLL_MS)


async def ids_after(
    cluster: ClusterName,
    ids: Callable[[View], set[MemberId]],
    wanted: set[MemberId],
    world: World,
    work: Work,
) -> tuple[View, set[MemberId]]:
    """Look until the members are as a confirmed change leaves them, for some seconds at most.

    Gives the last look. A member of etcd 3.4 tells its own copy of the list, which may be a moment
    behind that of the one which was asked for the change. Nothing cuts the looking short.
    """
    for _ in range(_KNOWN_WITHIN_MS // _POLL_MS):
        view = await observed(cluster, world)
        if ids(view) == wanted:
            break
        await work.rest(_POLL_MS)
    return view, ids(view)


def all_ids(view: View) -> set[MemberId]:
    """The ids in the member list."""
    return {seen.listed.id for seen in view.seen if seen.listed}


def voter_ids(view: View) -> set[MemberId]:
    """The ids of those that vote."""
    return {seen.listed.id for seen in view.voters if seen.listed}
