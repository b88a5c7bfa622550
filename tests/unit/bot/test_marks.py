"""Marks of work on machines: from the journal, so that whoever takes over finds the same."""

import asyncio
from dataclasses import dataclass
from typing import cast

import pytest

from bot.carrying import Hand, StepWork
from procedures.model.events import Started
from procedures.model.host import Mark
from procedures.model.ids import RunId
from procedures.model.run import Run
from tests.support.plans import RUN, a_plan, a_run, approved


@dataclass
class Holder:
    """Of a hand, what a mark needs."""

    run: Run


def mark(run: Run, step: int, name: str) -> Mark:
    return StepWork(cast("Hand", Holder(run)), step, asyncio.Event()).mark(name)


def test_a_mark_tells_run_step_and_attempt() -> None:
    """Another attempt of a step has other marks."""
    begun = (*approved(a_plan()), Started(1, 1))
    assert mark(a_run(*begun), 1, "restore") == Mark(RUN, 1, 1, "restore")
    assert mark(a_run(*begun, Started(1, 2)), 1, "restore").key == "1-2-restore"


@pytest.mark.parametrize("name", ["", "A", "a/b", "../x", "-x", "a b", "x" * 42, "ä"])
def test_what_could_not_stand_in_a_path_is_no_mark(name: str) -> None:
    """It is found out before anything is sent."""
    with pytest.raises(ValueError, match="marks no piece of work"):
        Mark(RunId("r-00000001"), 1, 1, name)
