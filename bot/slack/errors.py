"""Slack's errors: in words, and what they mean for what was to be shown."""

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

_GONE = frozenset(
    {
        "message_not_found",
        "duplicate_message_not_found",
        "thread_not_found",
        "edit_window_closed",
        "cant_update_message",
    }
)
_REFUSED = frozenset(
    {
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "restricted_action",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_blocks_too_long",
        "msg_too_long",
    }
)
_PASSING = frozenset(
    {
        "ratelimited",
        "rate_limited",
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "not_authed",
        "invalid_auth",
        "token_revoked",
        "account_inactive",
    }
)


class NotNowError(Exception):
    """Slack did not take it. It may be tried again, after `seconds` at the earliest."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__(f"not before {seconds:.1f} s")
        self.seconds = seconds


class GoneError(Exception):
    """What was to be edited or replied to is deleted, or what was posted once is."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.once_posted = code == "duplicate_message_not_found"


class RefusedError(Exception):
    """Slack will never take it; `code` is its word for why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


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


def failure_of(error: Exception, *, patient: bool) -> NotNowError | GoneError | RefusedError:
    """What an error of a call means. Unless `patient`, it is final unless it is known to pass."""
    code = error_code(error)
    if code in _GONE:
        return GoneError(code)
    if code in _REFUSED or not (patient or _passes(error, code)):
        return RefusedError(code)
    return NotNowError(retry_after_s(error))


def _passes(error: Exception, code: str) -> bool:
    return not isinstance(error, SlackApiError) or code in _PASSING or code.startswith("HTTP ")
