"""The HTTP side of the Web API: tokens, scopes, limits, faults, and the record of calls."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from bot.sandbox.workspace.faults import FaultKind
from bot.sandbox.workspace.web_api.arguments import Arguments, read_arguments, token_of
from bot.sandbox.workspace.web_api.call import Call, Method, TokenKind
from bot.sandbox.workspace.web_api.methods import METHODS
from bot.sandbox.workspace.wire import ApiError, Wire
from bot.sandbox.workspace.workspace import Workspace

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Answer:
    body: Wire
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class WebApi:
    """Answers `/api/METHOD`."""

    def __init__(self, workspace: Workspace, new_ticket: Callable[[], str]) -> None:
        """Serve `workspace`; `new_ticket` makes the secret that opens one socket."""
        self._workspace = workspace
        self._new_ticket = new_ticket

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one call and record it."""
        name = request.match_info["method"]
        started, begun = self._workspace.clock.now(), time.perf_counter()
        arguments = Arguments({})
        try:
            arguments = await read_arguments(request)
            answer = await self._answer(name, token_of(request, arguments), arguments)
        except ApiError as refusal:
            answer = _Answer(refusal.body)
        self._workspace.traffic.record(
            method=name,
            args=arguments.raw,
            status=answer.status,
            response=answer.body,
            started=started,
            ms=(time.perf_counter() - begun) * 1_000,
        )
        return web.json_response(answer.body, status=answer.status, headers=answer.headers)

    async def _answer(self, name: str, token: str, arguments: Arguments) -> _Answer:
        faults = self._workspace.faults
        if slow := faults.take(FaultKind.SLOW, name):
            await asyncio.sleep(slow.delay_s)
        broken = faults.take(FaultKind.HTTP_5XX, name)
        if broken is not None and not broken.after:
            return _failed(broken.status)
        if limited := faults.take(FaultKind.RATE_LIMIT, name):
            return _limited(limited.retry_after)
        answer = self._served(name, token, arguments)
        return answer if broken is None else _failed(broken.status)

    def _served(self, name: str, token: str, arguments: Arguments) -> _Answer:
        method = METHODS.get(name)
        if method is None:
            _log.error("the app called a Web API method that the sandbox lacks: %s", name)
            return _Answer({"ok": False, "error": "unknown_method"})
        self._admit(method, token)
        wait = self._workspace.limiter.retry_after(name, method.limits, arguments.text("channel"))
        if wait is not None:
            return _limited(wait)
        body = method.handler(Call(self._workspace, arguments, self._new_ticket))
        granted = ",".join(self._workspace.installation.scopes)
        return _Answer(body, headers={"x-oauth-scopes": granted})

    def _admit(self, method: Method, token: str) -> None:
        credentials = self._workspace.credentials
        kinds = {credentials.bot_token: TokenKind.BOT, credentials.app_token: TokenKind.APP}
        if not token:
            raise ApiError("not_authed")
        if token not in kinds:
            raise ApiError("invalid_auth")
        if kinds[token] is not method.token:
            raise ApiError("not_allowed_token_type")
        granted = self._workspace.installation.scopes
        if method.scopes and not set(method.scopes) & set(granted):
            raise ApiError(
                "missing_scope", needed=",".join(method.scopes), provided=",".join(granted)
            )


def _limited(seconds: int) -> _Answer:
    return _Answer({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": str(seconds)})


def _failed(status: int) -> _Answer:
    return _Answer({"ok": False, "error": "internal_error"}, status)
