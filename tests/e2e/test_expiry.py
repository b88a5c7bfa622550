"""A request on which nobody decides: the sandbox's clock is moved."""

import aiohttp

from tests.e2e.conftest import MakeSandbox
from tests.support.run_messages import click, in_state, peer_urls


async def test_nobody_decides_in_time(make_sandbox: MakeSandbox) -> None:
    """After 15 minutes it expires and loses its buttons; a late click changes nothing; what is
    asked afterwards has its own 15 minutes.
    """
    sandbox = await make_sandbox()
    port = (await peer_urls(sandbox))["demo-1"].rpartition(":")[2]
    since = await sandbox.moment()
    await sandbox.accepted(f"member fix-peer-url demo-1 https://localhost:{port}")
    asked = await in_state(sandbox, "Waiting for approval", since)
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{sandbox.url}/control/clock", json={"advance_s": 16 * 60}) as answer,
    ):
        assert answer.status == 200
    expired = await in_state(sandbox, "Expired", since)
    assert "nobody decided in time" in expired.text.lower()
    assert not any(
        element["action_id"] == "run.approve"
        for block in expired.blocks
        if block["type"] == "actions"
        for element in block["elements"]
    )
    await click(sandbox, "bob", asked, "run.approve")
    since = await sandbox.moment()
    await sandbox.accepted(f"member fix-peer-url demo-1 https://localhost:{port}")
    asked = await in_state(sandbox, "Waiting for approval", since)
    await click(sandbox, "bob", asked, "run.approve")
    await in_state(sandbox, "Succeeded", since)
