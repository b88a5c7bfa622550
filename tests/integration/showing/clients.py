"""Slack's client as a front has it, in a front that dies, and for a Slack without plan blocks."""

from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse


class Killed(BaseException):
    """A front ends right after a call of Slack's, before it can remember it."""


class Client(AsyncWebClient):
    """Slack's client; it dies after so many calls, or finds plan blocks refused."""

    calls_to_live: int | None = None
    knows_plan_blocks = True
    refused = 0

    async def api_call(self, api_method: str, **details: Any) -> AsyncSlackResponse:  # noqa: ANN401
        """Make a call."""
        blocks = (details.get("json") or {}).get("blocks") or ()
        if not self.knows_plan_blocks and "'type': 'plan'" in str(blocks):
            self.refused += 1
            answer = self._refusal(api_method, details)
            raise SlackApiError("refused", answer)  # type: ignore[no-untyped-call]
        answer = await super().api_call(api_method, **details)
        if self.calls_to_live is not None:
            self.calls_to_live -= 1
            if self.calls_to_live <= 0:
                raise Killed
        return answer

    def _refusal(self, api_method: str, details: dict[str, Any]) -> AsyncSlackResponse:
        return AsyncSlackResponse(
            client=self,
            http_verb="POST",
            api_url=api_method,
            req_args=details,
            data={"ok": False, "error": "invalid_blocks"},
            headers={},
            status_code=200,
        )
