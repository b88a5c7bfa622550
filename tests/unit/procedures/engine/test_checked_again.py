"""What a step looks at once more, right before it acts: approval alone moves nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import pytest

from bot.targets.etcd.model import Condition
from procedures.actions.catalogue import action
from procedures.engine.ports import Happened, NotHappened, Unclear
from procedures.model.events import Done, Started
from procedures.model.ids import MemberName
from procedures.model.plan import resolved
from procedures.model.run import State
from tests.support.script import Script
from tests.support.theatre import Pen, Theatre, a_theatre
from tests.unit.procedures.plans.facts.members import without_hosts

ONE, TWO, THREE = MemberName("demo-1"), MemberName("demo-2"), MemberName("demo-3")
REMOVE, FIX = "etcd member remove", "etcd member fix-peer-url"
URL = "https://10.9.9.9:2380"
ARGS: Mapping[str, Mapping[str, str]] = {
    REMOVE: {"member": THREE},
    FIX: {"member": ONE, "url": URL},
}

Change = Callable[[Theatre], None]


def condition(theatre: Theatre, member: MemberName, what: Condition) -> None:
    theatre.sight.demo.members[member].condition = what


def stopped(*members: MemberName) -> Change:
    def change(theatre: Theatre) -> None:
        for member in members:
            condition(theatre, member, Condition.STOPPED)

    return change


def alarmed(*members: MemberName, kind: str = "NOSPACE") -> Change:
    def change(theatre: Theatre) -> None:
        for member in members:
            theatre.sight.demo.raise_alarm(member, kind)

    return change


def in_state(member: MemberName, what: Condition) -> Change:
    return partial(condition, member=member, what=what)


def leading(member: MemberName) -> Change:
    def change(theatre: Theatre) -> None:
        demo = theatre.sight.demo
        assert demo.leader is not None
        demo.hand_over(demo.members[member])

    return change


def moved(member: MemberName, url: str) -> Change:
    def change(theatre: Theatre) -> None:
        theatre.sight.demo.members[member].peer_urls = (url,)

    return change


def renamed(member: MemberName) -> Change:
    def change(theatre: Theatre) -> None:
        theatre.sight.demo.members[member].name = MemberName("other")

    return change


def demoted(member: MemberName) -> Change:
    def change(theatre: Theatre) -> None:
        theatre.sight.demo.members[member].learner = True

    return change


def with_a_learner(theatre: Theatre) -> None:
    theatre.sight.demo.add(MemberName("demo-4"), "https://127.0.0.1:2390", learner=True)


def gone_and_alarmed(theatre: Theatre) -> None:
    """The one is removed, and another has an alarm."""
    del theatre.sight.demo.members[THREE]
    theatre.sight.demo.raise_alarm(TWO)


@dataclass(frozen=True)
class Case:
    """One step of an approved plan, the earlier ones done; what changed since, and the words."""

    procedure: str
    step: int
    change: Change
    words: str
    ready: Change = field(default=lambda _: None)


SNAPSHOT, REMOVAL, HEALTHY, CANARY = 1, 3, 4, 5
READDRESSING = 2
CASES = {
    "another member died": Case(REMOVE, REMOVAL, stopped(TWO), "(R2)"),
    "another died beside the dead one": Case(
        REMOVE, REMOVAL, stopped(TWO), "(R14)", ready=stopped(THREE)
    ),
    "an addition was begun": Case(
        REMOVE, REMOVAL, with_a_learner, "demo-4 is still a learner", ready=stopped(THREE)
    ),
    "the dead one came back": Case(
        REMOVE,
        REMOVAL,
        in_state(THREE, Condition.RUNNING),
        "is healthy now, and was failed",
        ready=stopped(THREE),
    ),
    "the healthy one died": Case(
        REMOVE, REMOVAL, stopped(THREE), "is failed now, and was healthy when"
    ),
    "nobody can tell": Case(
        REMOVE, REMOVAL, in_state(THREE, Condition.BLACKHOLED), "Nobody can tell whether demo-3"
    ),
    "only we are refused": Case(
        REMOVE, REMOVAL, in_state(THREE, Condition.BARRED), "Nobody can tell whether demo-3"
    ),
    "it leads again": Case(REMOVE, REMOVAL, leading(THREE), "leads again (R9)"),
    "its id is another's": Case(REMOVE, REMOVAL, moved(THREE, URL), "when it was approved (R7)"),
    "its id has another name": Case(
        REMOVE, REMOVAL, renamed(THREE), "when it was approved (R7)", ready=stopped(THREE)
    ),
    "an alarm": Case(REMOVE, REMOVAL, alarmed(ONE, TWO), "(R"),
    "no quorum for a snapshot": Case(REMOVE, SNAPSHOT, stopped(TWO, THREE), "has no quorum"),
    "nobody fit for a snapshot": Case(
        REMOVE, SNAPSHOT, alarmed(ONE, TWO, kind="CORRUPT"), "fit to give a snapshot (R12)"
    ),
    "nobody to take over": Case(
        REMOVE,
        2,
        lambda theatre: (leading(THREE)(theatre), alarmed(ONE, TWO)(theatre))[0],
        "No healthy voter is there to take leadership over",
    ),
    "it is still a member": Case(REMOVE, HEALTHY, lambda _: None, "is not healthy after"),
    "another is not well": Case(REMOVE, HEALTHY, gone_and_alarmed, "after 60 s: demo-2:"),
    "no quorum for a write": Case(REMOVE, CANARY, stopped(TWO, THREE), "No healthy voter"),
    "another peer URL since": Case(
        FIX, READDRESSING, moved(ONE, "https://10.7.7.7:2380"), "another than"
    ),
    "another name since": Case(FIX, READDRESSING, renamed(ONE), "is not the voter any more"),
    "a learner since": Case(FIX, READDRESSING, demoted(ONE), "is not the voter any more"),
}


async def approved(procedure: str, ready: Change, *, before: int = 0) -> Theatre:
    """An approved run, the first steps of which are done."""
    theatre = a_theatre(procedure, ARGS[procedure])
    if procedure == FIX:  # its own step comes right after the snapshot then
        without_hosts(theatre)
    ready(theatre)
    await theatre.approved()
    for number in range(1, before):
        theatre.append(Started(number, 1), Done(number, None))
    return theatre


@pytest.mark.parametrize("name", CASES)
async def test_the_step_is_refused(name: str) -> None:
    """Nothing is changed, and the words say what is another than it was."""
    case = CASES[name]
    theatre = await approved(case.procedure, case.ready, before=case.step)
    case.change(theatre)
    members = theatre.members()
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert case.words in str(theatre.run.error)
    assert (theatre.members(), theatre.effects) == (members, [])
    assert not theatre.backups.stored


async def test_whoever_takes_over_is_well() -> None:
    """Leadership is handed to a healthy voter, also when another stands before it."""
    theatre = await approved(REMOVE, leading(THREE), before=2)
    alarmed(ONE)(theatre)
    pen = await theatre.work()
    assert f"asking {THREE}" in " ".join(pen.said)
    leader = theatre.sight.demo.leader
    assert leader is not None
    assert leader.name == TWO


async def test_the_snapshot_is_not_from_who_goes() -> None:
    """Nor from the leader, where another will do."""
    theatre = await approved(REMOVE, leading(ONE))
    pen = await theatre.work()
    assert pen.said[0].startswith(f"streaming from {TWO}")


async def test_somebody_else_removes_another_meanwhile() -> None:
    """The id is gone, and so is one that should be there (R7): the run ends with who is left."""
    theatre = await approved(REMOVE, lambda _: None, before=REMOVAL)
    members = theatre.sight.demo.members

    async def remove_two() -> None:
        del members[TWO]

    script = Script(stall_at=0, meanwhile=remove_two)
    await theatre.work(script)
    assert list(members) == [ONE]
    assert theatre.run.state is State.FAILED
    left = members[ONE].id
    assert f"its list has {left} now. Look at the member list" in str(theatre.run.error)


async def test_a_started_step_is_looked_for_first() -> None:
    """Where nobody can tell, it is in doubt, and nothing is sent a second time."""
    theatre = await approved(REMOVE, stopped(THREE), before=REMOVAL)
    theatre.append(Started(REMOVAL, 1))
    stopped(TWO)(theatre)
    script = Script()
    await theatre.work(script)
    assert (theatre.run.state, script.calls) == (State.IN_DOUBT, 0)


async def test_what_was_sent_and_did_not_happen_ends_the_run() -> None:
    """It is not sent again by itself, and no later step is begun."""
    theatre = await approved(REMOVE, stopped(THREE), before=REMOVAL)
    demo, clock = theatre.sight.demo, theatre.sight.clock

    async def lose_quorum() -> None:
        stopped(TWO)(theatre)

    def forget() -> None:
        demo.waiting.clear()
        demo.members[TWO].condition = Condition.RUNNING

    clock.on_sleep = forget
    await theatre.work(Script(stall_at=0, meanwhile=lose_quorum))
    assert theatre.run.state is State.FAILED
    assert (theatre.run.error or "").endswith("It did not happen.")
    assert max(theatre.run.steps) == REMOVAL
    assert (theatre.effects, THREE in theatre.members()) == ([], True)


@dataclass
class Interrupted:
    """A step that was sent, and the worker that has to find out what became of it."""

    theatre: Theatre
    number: int

    async def finding(self, between: Change = lambda _: None) -> object:
        """Look for it; `between` happens after the first look."""
        plan, clock = self.theatre.run.plan, self.theatre.sight.clock
        assert plan is not None
        step = plan.steps[self.number - 1]
        looks: list[int] = []

        def once() -> None:
            looks.append(clock.ms)
            if len(looks) == 1:
                between(self.theatre)

        clock.on_sleep = once
        script = Script()
        pen = Pen(self.theatre, script, self.theatre.holder)
        stage = self.theatre._stage(script)
        return await action(step.action, resolved(step.args, {})).probe(stage, pen)


@pytest.fixture(params=[REMOVE, FIX])
async def interrupted(request: pytest.FixtureRequest) -> Interrupted:
    """A removal, or a change of a peer URL."""
    theatre = await approved(request.param, lambda _: None)
    return Interrupted(theatre, {REMOVE: REMOVAL, FIX: READDRESSING}[request.param])


def happens(theatre: Theatre) -> None:
    """What was sent long ago is carried out."""
    if theatre.run.request.command == REMOVE:
        del theatre.sight.demo.members[THREE]
    else:
        moved(ONE, URL)(theatre)


async def test_it_did_not_happen(interrupted: Interrupted) -> None:
    """Quorum was there at both looks, and all is as it was."""
    assert isinstance(await interrupted.finding(), NotHappened)


async def test_it_happens_between_the_looks(interrupted: Interrupted) -> None:
    """One look that finds nothing proves nothing: the list may be from before."""
    assert isinstance(await interrupted.finding(happens), Happened)


async def test_it_happened(interrupted: Interrupted) -> None:
    """One look is enough."""
    happens(interrupted.theatre)
    assert isinstance(await interrupted.finding(), Happened)


async def test_quorum_is_lost_between_the_looks(interrupted: Interrupted) -> None:
    """It may still be carried out when quorum returns."""
    found = await interrupted.finding(stopped(TWO, THREE))
    assert isinstance(found, Unclear)
    assert "may still be carried out" in found.why


async def test_there_is_no_quorum(interrupted: Interrupted) -> None:
    """A member that answers without it tells what it knew once."""
    stopped(TWO, THREE)(interrupted.theatre)
    assert isinstance(await interrupted.finding(), Unclear)
