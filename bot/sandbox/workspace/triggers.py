"""Trigger ids and response URLs: what an interaction lets the app do, and for how long."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass

from bot.sandbox.workspace.clock import Clock
from bot.sandbox.workspace.wire import ApiError

TRIGGER_LIFE = 3.0
HOOK_LIFE = 30 * 60.0
HOOK_USES = 5
_KEPT = 10_000


@dataclass(slots=True)
class _Trigger:
    user_id: str
    expires: float
    used: bool = False


@dataclass(slots=True)
class Hook:
    """Where a `response_url` leads; `source_ts` is the message that was clicked, if any."""

    channel_id: str
    user_id: str
    expires: float
    source_ts: str | None = None
    uses: int = 0


class Triggers:
    """Trigger ids: three seconds of workspace time, single use."""

    def __init__(self, clock: Clock) -> None:
        """Start with none issued."""
        self._clock = clock
        self._issued: OrderedDict[str, _Trigger] = OrderedDict()

    def issue(self, user_id: str) -> str:
        """Make a trigger id for an interaction of `user_id`."""
        trigger_id = f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**13)}.{_token()}"
        self._issued[trigger_id] = _Trigger(user_id, self._clock.now() + TRIGGER_LIFE)
        if len(self._issued) > _KEPT:
            self._issued.popitem(last=False)
        return trigger_id

    def exchange(self, trigger_id: str) -> str:
        """Spend a trigger id and return its user's id; ApiError when that cannot be."""
        trigger = self._issued.get(trigger_id)
        if trigger is None:
            raise ApiError("invalid_trigger_id")
        if self._clock.now() > trigger.expires:
            raise ApiError("expired_trigger_id")
        if trigger.used:
            raise ApiError("exchanged_trigger_id")
        trigger.used = True
        return trigger.user_id


class Hooks:
    """Response URLs: five uses within thirty minutes of workspace time."""

    def __init__(self, clock: Clock) -> None:
        """Start with none issued."""
        self._clock = clock
        self._issued: OrderedDict[str, Hook] = OrderedDict()

    def issue(self, channel_id: str, user_id: str, source_ts: str | None = None) -> str:
        """Make a response URL and return its secret part."""
        token = _token()
        expires = self._clock.now() + HOOK_LIFE
        self._issued[token] = Hook(channel_id, user_id, expires, source_ts)
        if len(self._issued) > _KEPT:
            self._issued.popitem(last=False)
        return token

    def use(self, token: str) -> Hook:
        """Spend one use; ApiError when the URL is unknown, too old or used up."""
        hook = self._issued.get(token)
        if hook is None:
            raise ApiError("no_service")
        if self._clock.now() > hook.expires:
            raise ApiError("expired_url")
        if hook.uses >= HOOK_USES:
            raise ApiError("used_url")
        hook.uses += 1
        return hook


def _token() -> str:
    return secrets.token_hex(16)
