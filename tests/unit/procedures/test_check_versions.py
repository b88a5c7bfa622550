"""After an update all members are of one version, and each has said so. (R19)"""

import pytest

from bot.targets.etcd.model import Condition
from procedures.actions.etcd.check_versions import CheckVersions
from procedures.model.errors import Permanent
from procedures.model.ids import ClusterName, MemberName
from tests.support.script import Script
from tests.support.theatre import Pen, Theatre, a_theatre

TWO = MemberName("demo-2")


async def check(theatre: Theatre, version: str) -> list[str]:
    pen = Pen(theatre, Script(), theatre.holder)
    await CheckVersions(ClusterName("demo"), version).perform(theatre._stage(pen.script), pen)
    return pen.said


async def test_all_are_of_it() -> None:
    """That is said."""
    theatre = a_theatre("etcd restart", {})
    version = theatre.sight.demo.members[TWO].version
    assert await check(theatre, version) == [f"all 3 members are etcd {version}"]


async def test_one_is_of_another() -> None:
    """It was left out, or runs what was there before."""
    theatre = a_theatre("etcd restart", {})
    version = theatre.sight.demo.members[TWO].version
    theatre.sight.demo.members[TWO].version = "3.4.1"
    with pytest.raises(Permanent, match=r"\(R19\): demo-2: 3\.4\.1\."):
        await check(theatre, version)


async def test_one_does_not_say() -> None:
    """Nobody knows which version it is, so it is not taken for the right one."""
    theatre = a_theatre("etcd restart", {})
    version = theatre.sight.demo.members[TWO].version
    theatre.sight.demo.members[TWO].condition = Condition.STOPPED
    with pytest.raises(Permanent, match=r"\(R19\): demo-2: no answer\."):
        await check(theatre, version)
