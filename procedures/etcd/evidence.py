"""What the others say of a member that nobody here reaches. (catalogue P48, "proven dead")

A host that lost its power, and one to which only our way is broken, look the same from here. The
other members can tell them apart, by two things that each of them counts:

- What it receives from each peer. The leader speaks to every member several times a second and is
  answered, and a voter that hears no leader calls on all others to elect one. So somebody hears
  every member that works, but for pauses on a bad network, where each lost packet doubles them.
- Whether it could connect anew. etcd tries every peer each 4 s. It tells the outcome only by how
  often it notes the round-trip time: each 30 s where that went well, each 5 s where it did not.

Whether a connection counts as live decides alone where that is no longer so. etcd 3.4 gives one up
after 5 s without a word; 3.5 has no such limit, and takes minutes where a host lost its power.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum, auto
from itertools import takewhile

from procedures.engine.ports import Look
from procedures.etcd.view import Seen, View
from procedures.model.ids import MemberId
from procedures.model.inventory import Cluster
from procedures.model.probe import Fault, FaultKind, Metrics
from procedures.model.quorum import Health

WITNESSES = 2
"""So many others at least, and all that can be asked, must have heard nothing."""

SILENCE_MS = 15_000
"""For so long at least. Where 70 % of all packets were lost, each way, a member of 3.4 that worked
was silent for up to 13 s, with all connections to it given up.
"""

TRIES, TRIES_WITHIN_MS = 4, 25_000
"""So many notes of the round-trip time tell that a peer cannot be reached. There are two series of
them for each, so that a peer that is well gets two at most.
"""

_KNOWN_WITHIN_MS = 55_000
"""Longer waiting tells no more: the first try in vain may be noted 35 s after the last good one."""

_PAUSE_MS = 1_000
_PATIENCE_MS = 30_000
_LATELY_MS = 3_000
"""What was heard between scrapes further apart may have been the last that was ever sent."""


class Word(Enum):
    """What is known of a member through others."""

    LOST = auto()
    NOT_LOST = auto()
    """It was heard, or nobody can tell."""
    OPEN = auto()
    """It was silent so far, for too short a time to tell."""


async def listen(cluster: Cluster, view: View, look: Look) -> bool:
    """Scrape those who can tell of members in question, until they do; gives whether that waited.

    That takes about a second where a member is heard, and half a minute at most; less where the
    same was asked a moment ago.
    """
    asked = [seen for seen in view.seen if _in_question(seen)]
    endpoints = [seen.probe.endpoint for seen in _witnesses(view) if seen.probe]
    if not asked or len(endpoints) < WITNESSES:
        return False
    began_ms = look.clock.now_ms()
    while True:
        await look.etcd.metrics(cluster, endpoints)
        waited_ms = look.clock.now_ms() - began_ms
        is_open = any(_word(cluster, seen, view, look) is Word.OPEN for seen in asked)
        if not is_open or waited_ms >= _PATIENCE_MS:
            return waited_ms >= _PAUSE_MS
        await look.clock.sleep_ms(_PAUSE_MS)


async def contested(cluster: Cluster, view: View, look: Look) -> View:
    """Take it back that a member is down that refuses connections, where another has one to it.

    Its port may be barred for us alone. When etcd ends, its peers see that at once; so that nobody
    is asked too early, two scrapes in a row have to say that they are connected.
    """
    refusing = [seen for seen in view.seen if _refuses(seen)]
    witnesses = {seen.probe.endpoint: seen.name for seen in _witnesses(view) if seen.probe}
    if not refusing or not witnesses:
        return view
    connected: dict[MemberId, list[str]] = {}
    for again in (False, True):
        if again:
            await look.clock.sleep_ms(_PAUSE_MS)
        scrapes = await look.etcd.metrics(cluster, list(witnesses))
        connected = {
            seen.listed.id: [
                name
                for endpoint, name in witnesses.items()
                if isinstance(scrape := scrapes[endpoint], Metrics)
                and scrape.active_peers.get(seen.listed.id)
            ]
            for seen in refusing
            if seen.listed
        }
        if not any(connected.values()):
            return view

    def judged(seen: Seen) -> Seen:
        names = connected.get(seen.listed.id) if seen.listed and _refuses(seen) else None
        if not names:
            return seen
        are = "are" if len(names) > 1 else "is"
        why = (
            f"{seen.why} But {' and '.join(names)} {are} connected to it: it may refuse nobody "
            "but us."
        )
        return replace(seen, health=Health.UNKNOWN, why=why)

    return replace(view, seen=tuple(judged(seen) for seen in view.seen))


def testified(cluster: Cluster, view: View, look: Look) -> View:
    """Call a member down that is lost, by what was scraped so far."""
    names = " and ".join(witness.name for witness in _witnesses(view))

    def judged(seen: Seen) -> Seen:
        if not _in_question(seen):
            return seen
        word = _word(cluster, seen, view, look)
        if word is Word.LOST:
            why = f"{seen.why} {names} neither hear from it nor reach it."
            return replace(seen, health=Health.DOWN, why=why)
        if word is Word.OPEN:
            why = f"{seen.why} {names} do not hear from it either; ask again in a minute."
            return replace(seen, why=why)
        return seen

    return replace(view, seen=tuple(judged(seen) for seen in view.seen))


def heard_of(
    member: MemberId, leader: MemberId | None, told: Mapping[MemberId, Sequence[Metrics]]
) -> Word:
    """Tell whether a member is lost, from scrapes of each witness, oldest first."""
    if len(told) < WITNESSES or leader not in told:
        return Word.NOT_LOST
    words = [_heard_by(scrapes, member, leads=who == leader) for who, scrapes in told.items()]
    return next((word for word in (Word.NOT_LOST, Word.OPEN) if word in words), Word.LOST)


def _heard_by(scrapes: Sequence[Metrics], member: MemberId, *, leads: bool) -> Word:
    if not scrapes:
        return Word.NOT_LOST
    last = scrapes[-1]

    def as_now(then: Metrics) -> bool:
        return (
            then.started_ms == last.started_ms
            and then.leader_changes == last.leader_changes
            and then.received.get(member, 0) == last.received.get(member, 0)
        )

    silent = list(takewhile(as_now, reversed(scrapes)))
    first = silent[-1]
    if first is last and len(scrapes) > 1 and last.at_ms - scrapes[-2].at_ms <= _LATELY_MS:
        return Word.NOT_LOST
    silence_ms = last.at_ms - first.at_ms
    if silence_ms < SILENCE_MS or not _given_up(silent, member):
        return Word.OPEN if silence_ms < _KNOWN_WITHIN_MS else Word.NOT_LOST
    # Whoever hears nobody is no witness, nor is a leader who said nothing.
    others = sum(last.received.values()) > sum(first.received.values())
    spoke = last.addressed.get(member, 0) > first.addressed.get(member, 0)
    return Word.LOST if others and (spoke or not leads) else Word.NOT_LOST


def _given_up(silent: Sequence[Metrics], member: MemberId) -> bool:
    """Tell whether a witness cannot reach a member, from its scrapes, newest first."""
    last = silent[0]
    if last.active_peers.get(member) is False:
        return True
    first = [each for each in silent if last.at_ms - each.at_ms <= TRIES_WITHIN_MS][-1]
    return _tries(last, member) - _tries(first, member) >= TRIES


def _tries(scrape: Metrics, member: MemberId) -> int:
    times = scrape.peer_rtt.get(member)
    return times.count if times else 0


def _word(cluster: Cluster, seen: Seen, view: View, look: Look) -> Word:
    if seen.listed is None or not view.quorum_proven:
        return Word.NOT_LOST
    told = {
        witness.listed.id: look.etcd.scraped(cluster, witness.probe.endpoint)
        for witness in _witnesses(view)
        if witness.listed and witness.probe
    }
    return heard_of(seen.listed.id, view.leader, told)


def _refuses(seen: Seen) -> bool:
    fault = seen.probe.status if seen.probe else None
    return (
        seen.listed is not None
        and seen.health is Health.DOWN
        and isinstance(fault, Fault)
        and fault.kind is FaultKind.REFUSED
    )


def _in_question(seen: Seen) -> bool:
    fault = seen.probe.status if seen.probe else None
    return (
        seen.health is Health.UNKNOWN
        and isinstance(fault, Fault)
        and fault.kind is FaultKind.UNREACHABLE
    )


def _witnesses(view: View) -> list[Seen]:
    return [seen for seen in view.voters if seen.health is Health.HEALTHY]
