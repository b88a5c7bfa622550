"""Where the bot can speak, in what Slack answers that the sandbox never does."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.membership import membership
from procedures.model.ids import ChannelId


class Slack(AsyncWebClient):
    """Knows one channel, or fails."""

    def __init__(self, channel: dict[str, Any], error: str = "") -> None:
        super().__init__()
        self._channel = channel
        self._error = error

    async def conversations_info(self, **_: object) -> Any:  # noqa: ANN401
        if self._error == "timeout":
            raise TimeoutError
        if self._error:
            answer = AsyncSlackResponse(
                client=self,
                http_verb="GET",
                api_url="conversations.info",
                req_args={},
                data={"ok": False, "error": self._error},
                headers={},
                status_code=200,
            )
            raise SlackApiError("no", answer)  # type: ignore[no-untyped-call]
        return {"channel": self._channel}


OPS = {"name": "ops", "is_member": True}


@pytest.mark.parametrize(
    ("slack", "ok", "words"),
    [
        (Slack(OPS), True, "bot is a member of #ops"),
        (Slack(OPS | {"is_member": False}), False, "Type /invite @bot there"),
        (Slack({"name": "ops"}), False, "Type /invite @bot there"),
        (Slack(OPS | {"is_archived": True}), False, "#ops is archived. Unarchive it"),
        (Slack({}, "channel_not_found"), False, "type /invite @bot there; else correct the id"),
        (Slack({}, "ratelimited"), False, "ratelimited. Check again"),
        (Slack({}, "timeout"), False, "conversations.info failed for C0OPS"),
    ],
)
async def test_where_the_bot_can_speak(slack: Slack, ok: bool, words: str) -> None:
    """What is not known is a fault, and each fault says what to do."""
    found, text = await membership(slack, ChannelId("C0OPS"), "bot")
    assert found is ok
    assert words in text
