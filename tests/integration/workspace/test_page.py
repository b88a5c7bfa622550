"""What the web page and scripts rely on: who may ask, the live feed, files, the cluster."""

from pathlib import Path

import pytest
from aiohttp import ClientSession, WSServerHandshakeError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.workspace import page
from bot.sandbox.workspace.server import Credentials, Server
from tests.integration.workspace.harness import COMMANDS, Cluster, Control


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}],
)
@pytest.mark.parametrize("path", ["/control/state", "/control/live?viewer=alice", "/"])
async def test_strangers_are_refused(
    server: Server, session: ClientSession, headers: dict[str, str], path: str
) -> None:
    """A foreign name for this machine or a foreign page gets nothing."""
    async with session.get(server.url + path, headers=headers) as response:
        assert response.status == 403


async def test_the_own_page_is_served(server: Server, session: ClientSession) -> None:
    """The page's own origin may ask, and `localhost` is this machine too."""
    async with session.get(
        f"{server.url}/control/state", headers={"Origin": server.url}
    ) as response:
        assert response.status == 200
    by_name = server.url.replace("127.0.0.1", "localhost")
    async with session.get(f"{server.url}/control/state", headers={"Host": by_name[7:]}) as answer:
        assert answer.status == 200


async def test_the_state_names_everything(server: Server, control: Control) -> None:
    """People, channels, commands, endpoints and readiness are all in the state."""
    server.set_endpoints({"metrics": "http://127.0.0.1:9/metrics"})
    server.set_ready(True)
    state = await control.get("state")
    assert state["ready"] is True
    assert state["team"]["id"] == "T0SANDBOX"
    assert state["endpoints"] == {"metrics": "http://127.0.0.1:9/metrics"}
    assert [u["handle"] for u in state["users"] if not u["is_bot"]] == [
        "alice",
        "bob",
        "carol",
        "dave",
        "guest",
        "mallory",
    ]
    assert [c["name"] for c in state["channels"]] == ["ops", "etcd-alerts", "random", "shared-ext"]
    assert state["commands"][0]["command"] == "/etcd"
    assert state["now"] > 1_700_000_000


async def test_the_live_feed_shows_what_the_viewer_may_see(
    server: Server, session: ClientSession, client: AsyncWebClient, control: Control
) -> None:
    """Messages, changes, deletions, calls and state arrive in order; others' whispers do not."""
    async with session.ws_connect(f"{server.url}/control/live?viewer=alice") as live:
        hello = await live.receive_json()
        assert (hello["type"], hello["state"]["ready"]) == ("hello", False)
        server.set_ready(True)
        assert (await live.receive_json())["state"]["ready"] is True
        ts = (await client.chat_postMessage(channel="C0OPS", text="a"))["ts"]
        frame = await live.receive_json()
        assert (frame["type"], frame["channel"], frame["message"]["ts"]) == ("message", "ops", ts)
        assert (await live.receive_json())["entry"]["method"] == "chat.postMessage"
        await client.chat_postEphemeral(channel="C0OPS", user="U0BOB", text="not for alice")
        assert (await live.receive_json())["entry"]["method"] == "chat.postEphemeral"
        await client.chat_postEphemeral(channel="C0OPS", user="U0ALICE", text="for alice")
        assert (await live.receive_json())["message"]["text"] == "for alice"
        await live.receive_json()
        await client.chat_delete(channel="C0OPS", ts=ts)
        deleted = await live.receive_json()
        assert (deleted["type"], deleted["channel"], deleted["ts"]) == ("deleted", "ops", ts)
        await live.receive_json()
        await control.post("faults", kind="drop_ack", count=1)
        assert (await live.receive_json())["state"]["faults"][0]["kind"] == "drop_ack"


async def test_direct_messages_are_private(
    server: Server, session: ClientSession, client: AsyncWebClient, control: Control
) -> None:
    """A direct conversation is listed when it opens, and only its person sees what it holds."""
    async with (
        session.ws_connect(f"{server.url}/control/live?viewer=alice") as alice,
        session.ws_connect(f"{server.url}/control/live?viewer=bob") as bob,
    ):
        await alice.receive_json()
        await bob.receive_json()
        await client.chat_postMessage(channel="U0BOB", text="to bob")
        channels = (await bob.receive_json())["state"]["channels"]
        assert (channels[-1]["name"], channels[-1]["is_im"]) == ("dm-bob", True)
        assert (await bob.receive_json())["message"]["text"] == "to bob"
        assert (await alice.receive_json())["type"] == "state"
        assert (await alice.receive_json())["type"] == "traffic"
    assert len(await control.messages("dm-bob", viewer="bob")) == 1
    async with session.get(
        f"{server.url}/control/messages", params={"channel": "dm-bob", "viewer": "alice"}
    ) as response:
        assert response.status == 400


async def test_the_live_feed_needs_a_known_viewer(server: Server, session: ClientSession) -> None:
    """Without a viewer there is no feed."""
    with pytest.raises(WSServerHandshakeError):
        await session.ws_connect(f"{server.url}/control/live?viewer=eve")


async def test_a_file_is_uploaded_in_three_steps(
    client: AsyncWebClient, control: Control, session: ClientSession
) -> None:
    """The unmodified client uploads into a thread; the bytes can be read again."""
    root = (await client.chat_postMessage(channel="C0OPS", text="run"))["ts"]
    await client.files_upload_v2(
        filename="run.log",
        content="línea\n",
        title="Run log",
        channel="C0OPS",
        thread_ts=root,
        initial_comment="done",
    )
    (file,) = await control.get_list("files", channel="ops")
    assert (file["name"], file["size"], file["thread_ts"]) == ("run.log", 7, root)
    async with session.get(file["content_url"]) as response:
        assert await response.text() == "línea\n"
        assert "sandbox" in response.headers["Content-Security-Policy"]
    _, message = await control.messages(thread_ts=root)
    assert message["text"] == "done"
    assert message["files"][0]["title"] == "Run log"


async def test_uploads_that_slack_refuses(client: AsyncWebClient, session: ClientSession) -> None:
    """Empty files, wrong lengths, unknown files and foreign channels are refused."""
    with pytest.raises(SlackApiError, match="missing_argument"):
        await client.files_getUploadURLExternal(filename="empty.log", length=0)
    with pytest.raises(SlackApiError, match="snippet_too_large"):
        await client.files_getUploadURLExternal(
            filename="big.log", length=1_000_001, snippet_type="text"
        )
    upload = await client.files_getUploadURLExternal(filename="a.log", length=3)
    async with session.post(upload["upload_url"], data=b"four") as response:
        assert response.status == 400
    files = [{"id": upload["file_id"], "title": "a"}]
    with pytest.raises(SlackApiError, match="file_not_found"):
        await client.files_completeUploadExternal(files=files, channel_id="C0OPS")
    async with session.post(upload["upload_url"], data=b"abc") as response:
        assert await response.text() == "OK - 3"
    with pytest.raises(SlackApiError, match="not_in_channel"):
        await client.files_completeUploadExternal(files=files, channel_id="C0RANDOM")


async def test_the_cluster_is_acted_on(control: Control, cluster: Cluster) -> None:
    """Orders reach the cluster's control; what it refuses comes back in its words."""
    await control.post("cluster", member="demo-1", do="stop")
    assert cluster.asked == [("demo-1", "stop")]
    assert await control.refused("cluster", member="demo-9", do="stop") == (
        "no member demo-9; there is demo-1"
    )
    assert await control.refused("cluster", member="demo-1", do="dance") == (
        "cannot dance; can stop"
    )


async def test_page_files_are_served_strictly(
    server: Server, session: ClientSession, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Only files of the page's folder, under a policy that allows nothing foreign."""
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_text("<p>hello")
    (folder / "app.js").write_text("1")
    (tmp_path / "secret").write_text("no")
    monkeypatch.setattr(page, "_FOLDER", folder)
    async with session.get(server.url) as response:
        assert await response.text() == "<p>hello"
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert response.headers["Cache-Control"] == "no-store"
    async with session.get(f"{server.url}/page/app.js") as response:
        assert "javascript" in response.headers["Content-Type"]
    for path in ("%2e%2e/secret", "nothing.js"):
        async with session.get(f"{server.url}/page/{path}") as response:
            assert response.status == 404


async def test_a_taken_port_is_an_os_error(server: Server, credentials: Credentials) -> None:
    """Starting on a taken port fails cleanly, and only loopback is possible."""
    port = int(server.url.rpartition(":")[2])
    with pytest.raises(OSError, match="address already in use"):
        await Server.start(port=port, credentials=credentials, commands=COMMANDS)
    with pytest.raises(ValueError, match="loopback"):
        await Server.start(host="0.0.0.0", credentials=credentials, commands=COMMANDS)


def test_credentials_do_not_show(credentials: Credentials) -> None:
    """Neither the representation nor a masked text contains a secret."""
    shown = repr(credentials) + credentials.mask(f"{credentials.bot_token} {credentials.app_token}")
    assert credentials.bot_token not in shown
    assert credentials.app_token not in shown
    assert credentials.signing_secret not in shown
