"""Slack's errors in words."""

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse


def error_code(error: Exception) -> str:
    """Slack's own word for an error, else what the library or HTTP says."""
    if isinstance(error, SlackApiError) and isinstance(error.response, AsyncSlackResponse):
        if isinstance(error.response.data, dict):
            return str(error.response.data.get("error", "unknown_error"))
        return f"HTTP {error.response.status_code}"
    return str(error) or type(error).__name__


def retry_after_s(error: Exception) -> float:
    """For how long Slack wants to be left alone; 0 when it does not say."""
    if isinstance(error, SlackApiError) and isinstance(error.response, AsyncSlackResponse):
        headers = {name.lower(): value for name, value in error.response.headers.items()}
        asked = str(headers.get("retry-after", ""))
        return float(asked) if asked.isdigit() else 0.0
    return 0.0
