"""`/etcd replace` where few members are there."""

import pytest

from bot.targets.etcd.model import Condition
from procedures.model.errors import Refused
from procedures.model.ids import MemberName
from tests.support.theatre import a_theatre


async def test_the_only_member() -> None:
    """It goes in two runs: nobody would be expected in between who answers."""
    theatre = a_theatre("etcd replace", {"member": "demo-1"}, 1)
    with pytest.raises(Refused, match=r"only member\. .* /etcd scale-up demo-2; then /etcd member"):
        await theatre.approved()


async def test_one_of_two_is_dead() -> None:
    """Quorum is lost: there is nothing that a new one could join."""
    theatre = a_theatre("etcd replace", {"member": "demo-1"}, 2)
    theatre.sight.demo.members[MemberName("demo-1")].condition = Condition.STOPPED
    with pytest.raises(Refused, match=r"no change can be committed \(R14\)\. Where quorum is lost"):
        await theatre.approved()
