"""In HTTP mode anybody can reach the front: only what Slack signed, just now, is heard."""

import time

import pytest

from tests.integration.front.harness import Door, NotingGate, signed, slash


async def test_a_signed_request_is_accepted(door: Door, gate: NotingGate) -> None:
    """It is acknowledged without a word, and stored with who asked what and where."""
    reply = await door.ask()
    assert (reply.status, reply.words) == (200, None)
    ((source, request),) = gate.asked
    assert source == "slash:1.2.3"
    assert (request.command, request.cluster, request.channel) == ("etcd health", "demo", "C0OPS")
    assert (request.requester.user, request.requester.team) == ("U0ALICE", "T0SANDBOX")


BODY = slash()


def strange(case: str) -> dict[str, str | None]:
    """The headers that make a request one that Slack did not sign, or not now."""
    now = int(time.time())
    cases: dict[str, dict[str, str | None]] = {
        "unsigned": {"X-Slack-Signature": None},
        "without a timestamp": {"X-Slack-Request-Timestamp": None},
        "signed with another secret": {**signed(BODY, secret="f" * 32)},
        "signed for another body": {**signed(slash("members"))},
        "signed at another time": {"X-Slack-Request-Timestamp": str(now - 7)},
        "an old request": {**signed(BODY, at=str(now - 3_600))},
        "a request of the future": {**signed(BODY, at=str(now + 3_600))},
        "a timestamp in words": {**signed(BODY, at="now")},
        "an empty timestamp": {**signed(BODY, at="")},
        "a negative timestamp": {**signed(BODY, at="-1")},
        "a timestamp in other digits": {**signed(BODY, at="١٢٣")},
        "a timestamp with a power": {**signed(BODY, at="1²")},
        "an endless timestamp": {**signed(BODY, at="9" * 5_000)},
        "another version": {"X-Slack-Signature": "v1=abc"},
        "a signature that is no ASCII": {"X-Slack-Signature": "v0=ü"},
    }
    return cases[case]


@pytest.mark.parametrize(
    "case",
    [
        "unsigned",
        "without a timestamp",
        "signed with another secret",
        "signed for another body",
        "signed at another time",
        "an old request",
        "a request of the future",
        "a timestamp in words",
        "an empty timestamp",
        "a negative timestamp",
        "a timestamp in other digits",
        "a timestamp with a power",
        "an endless timestamp",
        "another version",
        "a signature that is no ASCII",
    ],
)
async def test_any_other_is_refused(door: Door, gate: NotingGate, case: str) -> None:
    """Status 401, and nothing reaches the gate."""
    headers = {**signed(BODY), **strange(case)}
    reply = await door.post(BODY, {k: v for k, v in headers.items() if v is not None})
    assert reply.status == 401
    assert gate.asked == []


async def test_a_replayed_request_has_the_same_source(door: Door, gate: NotingGate) -> None:
    """Within its five minutes a replay verifies; the store accepts a source only once."""
    headers = signed(BODY)
    replies = [await door.post(BODY, headers) for _ in range(3)]
    assert {reply.status for reply in replies} == {200}
    assert gate.sources == {"slash:1.2.3"}


async def test_a_forged_team_is_refused(door: Door, gate: NotingGate) -> None:
    """The team in the payload must be the bot's own, whatever the user's is."""
    reply = await door.ask(team_id="T0ELSEWHERE")
    assert reply.words == "You belong to another workspace. Ask somebody of this one."
    assert gate.asked == []


@pytest.mark.parametrize("body", [b"", b"payload=%7B", b"command=%2Fetcd", b"\xff\xfe"])
async def test_a_body_that_makes_no_sense(door: Door, gate: NotingGate, body: bytes) -> None:
    """Whoever sends it without Slack's signature is refused like any other stranger."""
    assert (await door.post(body, signed(body, secret="f" * 32))).status in {400, 401}
    assert gate.asked == []
    assert (await door.ask()).status == 200
