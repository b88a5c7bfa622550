"""Whom a step is about, and whom it calls."""

from dataclasses import replace

import pytest

from bot.targets.etcd.model import Condition
from procedures.actions.etcd.target import contact, identity, same
from procedures.etcd.observe import find, observed
from procedures.etcd.view import View
from procedures.model.errors import Permanent
from procedures.model.ids import ClusterName, MemberName
from tests.support.sight import FakeSight, a_sight

DEMO = ClusterName("demo")
ONE, TWO, THREE, FOUR = (MemberName(f"demo-{number}") for number in range(1, 5))
URL = "https://10.0.0.4:2380"


async def seen(sight: FakeSight) -> View:
    return await observed(DEMO, sight)


def endpoint(sight: FakeSight, name: MemberName) -> str:
    return sight.demo.members[name].client_url


async def test_the_leader_is_called() -> None:
    """Where there is a choice: whoever else is asked only passes it on."""
    sight = a_sight()
    sight.demo.hand_over(sight.demo.members[TWO])
    assert contact(await seen(sight)) == endpoint(sight, TWO)


async def test_who_is_not_called() -> None:
    """The one that the step is about, one with an alarm, one that is down, and a learner."""
    sight = a_sight(5)
    sight.demo.hand_over(sight.demo.members[ONE])
    sight.demo.add(MemberName("a-learner"), "https://127.0.0.1:2390", learner=True)
    sight.demo.raise_alarm(TWO)
    sight.demo.members[THREE].condition = Condition.STOPPED
    left = endpoint(sight, FOUR), endpoint(sight, MemberName("demo-5"))
    assert contact(await seen(sight), apart_from=sight.demo.members[ONE].id) in left


async def test_nobody_is_left_to_call() -> None:
    """A learner passes nothing on."""
    sight = a_sight(1)
    sight.demo.add(MemberName("a-learner"), "https://127.0.0.1:2390", learner=True)
    with pytest.raises(Permanent, match="No healthy voter is left"):
        contact(await seen(sight), apart_from=sight.demo.members[ONE].id)


async def test_one_that_has_not_started_is_known_by_its_url() -> None:
    """It tells its name when it starts; with another URL it is another one (R7)."""
    sight = a_sight()
    sight.demo.add(FOUR, "https://127.0.0.1:2390", started=False).peer_urls = (URL,)
    view = await seen(sight)
    unnamed = identity(find(view, sight.demo.members[FOUR].id)[1])
    assert same(view, replace(unnamed, name=FOUR)) is not None
    with pytest.raises(Permanent, match=r"when it was approved \(R7\)"):
        same(view, replace(unnamed, name=FOUR, peer_urls=("https://10.9.9.9:2380",)))
