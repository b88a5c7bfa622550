"""Before one that works is let go all is well for a while; what happens meanwhile counts."""

import pytest

from procedures.actions.etcd.steady import STEADY_S
from procedures.model.run import State
from tests.support.script import Script
from tests.support.theatre import Theatre
from tests.unit.procedures.engine.test_checked_again import (
    REMOVAL,
    REMOVE,
    THREE,
    Change,
    approved,
    leading,
    stopped,
)


def _taken_out(theatre: Theatre) -> None:
    theatre.sight.demo.members.pop(THREE, None)


async def test_a_healthy_one_is_not_let_go_at_once() -> None:
    """etcd itself refuses it while one has been connected for less than 5 s."""
    theatre = await approved(REMOVE, lambda _: None, before=REMOVAL)
    clock, guarded = theatre.sight.clock, list[int]()
    begun_ms = clock.ms
    await theatre.work(Script(at_guard=lambda: guarded.append(clock.ms)))
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert guarded[0] - begun_ms >= STEADY_S * 1_000 > 5_000


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (leading(THREE), "leads again (R9)"),
        (stopped(THREE), "is failed now, and was healthy when"),
        (_taken_out, "was taken out meanwhile, by somebody else (R7)"),
    ],
    ids=["it leads", "it dies", "it is gone"],
)
async def test_what_happens_while_it_is_waited(change: Change, words: str) -> None:
    """It is another one by then than was approved: nothing is sent."""
    theatre = await approved(REMOVE, lambda _: None, before=REMOVAL)
    theatre.sight.clock.on_sleep = lambda: change(theatre)
    script = Script()
    await theatre.work(script)
    assert (theatre.run.state, script.calls) == (State.FAILED, 0)
    assert words in str(theatre.run.error)
