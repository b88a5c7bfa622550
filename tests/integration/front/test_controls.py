"""Commands that no worker answers: who asks is known, and what is said is safe and fits."""

import pytest

from bot.ports import Said
from procedures.model.errors import InDoubt, Refused, Retryable
from tests.integration.front.harness import Door, NotingControls, NotingGate


async def test_who_asks_and_where(door: Door, controls: NotingControls, gate: NotingGate) -> None:
    """The answer is made for the account and the channel; nothing is queued."""
    reply = await door.ask("run r-7k2m9qxd", command="/ops", trigger_id="7.8.9")
    assert reply.words == "no run"
    ((wanted, caller),) = controls.asked
    assert (wanted.command.name, wanted.args) == ("ops run", {"run": "r-7K2M9QXD"})
    assert (caller.requester.user, caller.channel) == ("U0ALICE", "C0OPS")
    assert caller.source == "slash:7.8.9"
    assert gate.asked == []


async def test_what_is_said_is_escaped(door: Door, controls: NotingControls) -> None:
    """People and channels are shown by name, since one person reads it; the rest is text."""
    controls.said = Said(("<@U0BOB> in <#C0OPS>: <!here> & <https://x|y>", "next"), None)
    reply = await door.ask("runs", command="/ops")
    assert reply.words == ("<@U0BOB> in <#C0OPS>: &lt;!here&gt; &amp; &lt;https://x|y&gt;\nnext")


async def test_what_is_said_fits(door: Door, controls: NotingControls) -> None:
    """Whole lines, as many as Slack takes, and how many are left out."""
    controls.said = Said(
        tuple(f"r-0000{n:04} a line of fifty characters" for n in range(400)), None
    )
    words = (await door.ask("runs", command="/ops")).words
    assert words is not None
    assert len(words) <= 3_900
    *lines, last = words.splitlines()
    assert last == f"… and {400 - len(lines)} more"
    assert lines[-1] == f"r-0000{len(lines) - 1:04} a line of fifty characters"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Refused("There is no run r-7K2M9QXD here."), "There is no run r-7K2M9QXD here."),
        (
            Retryable("The store is away."),
            "Not accepted: The store is away. Nothing was started; ask again in a moment.",
        ),
        (
            InDoubt("No answer."),
            (
                "Not accepted: No answer. Nothing was started, unless a message about it appears "
                "here; ask again in a moment."
            ),
        ),
    ],
)
async def test_faults(door: Door, controls: NotingControls, fault: Exception, words: str) -> None:
    """Each is said in words."""
    controls.fault = fault
    assert (await door.ask("cancel r-7K2M9QXD", command="/ops")).words == words


async def test_an_id_that_is_none(door: Door, controls: NotingControls) -> None:
    """It is said before anybody looks."""
    reply = await door.ask("cancel r-1", command="/ops")
    assert reply.words is not None
    assert reply.words.startswith("r-1 is no run id. ")
    assert controls.asked == []
