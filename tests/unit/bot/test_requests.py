"""What is stored of a request."""

from bot.requests import request
from commands.catalogue import REGISTRY
from commands.grammar import Ask, parse
from procedures.model.events import Requester
from procedures.model.ids import TeamId, UserId
from tests.support.sight import a_sight

ALICE = Requester(UserId("U0ALICE"), TeamId("T0"), "alice")


def test_a_reason_that_bears_a_token() -> None:
    """It is stored for good and shown to everybody, so what looks like a secret is left out."""
    text = 'member remove demo-3 --reason "its disk died, see --password=hunter2-hunter2"'
    wanted = parse(REGISTRY, a_sight().inventory, "/etcd", text, None)
    assert isinstance(wanted, Ask)
    asked = request(wanted, ALICE, None)
    assert asked.reason == "its disk died, see --password=[secret value]"
