"""HTTP mode: Slack sends signed requests to a Request URL instead of using a socket."""

from tests.e2e.conftest import MakeSandbox
from tests.support.outcome import HEALTHY


async def test_a_conversation_over_http(make_sandbox: MakeSandbox) -> None:
    """The same commands get the same answers, and no socket is open."""
    sandbox = await make_sandbox("--http")
    assert (await sandbox.state())["transport"] == "http"
    answer = await sandbox.wait_for_answer(await sandbox.accepted("health"))
    assert answer.headline == HEALTHY
    refused = await sandbox.command("guest", "ops", "health")
    assert "Only full members of this workspace may ask." in (refused.words or "")
    assert await sandbox.calls("apps.connections.open") == []
