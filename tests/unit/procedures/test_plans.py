"""Each procedure's plan, as an SRE reads it, from facts; the files in `golden` are what is right.

After a wanted change: `QUORUMBOT_GOLDEN=write ./test unit -k test_a_plan_reads_as_before`, and
read the difference.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.run_words import plan_lines
from bot.targets.etcd.model import Condition
from procedures.catalogue import PROCEDURES
from procedures.model.events import Planned
from procedures.model.ids import MemberName
from tests.unit.procedures.plans.case import made, planned
from tests.unit.procedures.plans.every import CASES

GOLDEN = Path(__file__).parent / "golden"


def test_every_procedure_has_a_plan_here() -> None:
    """None is left out."""
    assert {case.procedure for case in CASES.values()} == set(PROCEDURES)


@pytest.mark.parametrize("name", CASES)
async def test_a_plan_reads_as_before(name: str) -> None:
    """Title, facts, each command, what it waits for, what undoes it, and the digest."""
    theatre = made(CASES[name])
    theatre.append(Planned(await planned(theatre), 2))
    text = "\n".join(plan_lines(theatre.run)) + "\n"
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("QUORUMBOT_GOLDEN") == "write":
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize("name", CASES)
async def test_planning_again_gives_the_same(name: str) -> None:
    """Time, revisions, sizes and who leads may change meanwhile."""
    theatre = made(CASES[name])
    before = await planned(theatre)
    demo = theatre.sight.demo
    theatre.sight.clock.ms += 3_600_000
    demo.revision += 1_000 if demo.quorum else 0  # without it, nothing is written
    demo.raft_index += 1_000
    for member in demo.members.values():
        member.db_size += 1_000_000
    voting = [each for each in demo.members.values() if each.works and not each.learner]
    if voting and CASES[name].procedure != "etcd move-leader":
        demo.hand_over(voting[-1])
    assert (await planned(theatre)).digest == before.digest


async def test_another_condition_is_another_plan() -> None:
    """A dead member that has come back is not the one whose removal was approved."""
    theatre = made(CASES["etcd-member-remove-failed"])
    before = await planned(theatre)
    theatre.sight.demo.members[MemberName("demo-3")].condition = Condition.RUNNING
    assert (await planned(theatre)).digest != before.digest


def test_the_digest_does_not_depend_on_the_process() -> None:
    """Another process, with other hash seeds, gives the same one."""
    code = (
        "from procedures.model.plan import *\n"
        "s = Step(1, 't', 'k/1', {'b': {'y': 1, 'x': [1, True, None]}, 'a': 'é'}, 'c')\n"
        "plan = Plan('p', {'z': 1, 'a': 'b'}, 'demo', 't', Risk.DISRUPTIVE, 'l', ('f',), (s,))\n"
        "print(plan.digest)"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("0", "1", "12345")
    }
    assert digests == {"73329c6aeef2cf614a0ed42a0f93a84076c326ff1365890d9797f82f02da8426"}
