"""What every request passes first: only this machine, only the own page, and no outage."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.sandbox.workspace.faults import FaultKind, Faults

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_SLACK_PATHS = ("/api/", "/link/", "/hooks/", "/upload/")


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine."""
    return host in _LOOPBACK


@web.middleware
async def refuse_strangers(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Answer 403 when `Host` is not loopback, or `Origin` is not the own page."""
    # Names that an attacker's DNS points here, and pages of other sites, end here.
    try:
        name = urlsplit(f"//{request.host}").hostname or ""
    except ValueError:
        name = ""
    origin = request.headers.get("Origin")
    if not is_loopback(name) or origin not in (None, f"http://{request.host}"):
        words = "the sandbox answers only its own page and programs on this machine"
        return web.json_response({"error": words}, status=403)
    return await handler(request)


def outage(faults: Faults) -> Middleware:
    """Make the middleware that answers 503 to the app while the fault `outage` is in force."""

    @web.middleware
    async def middleware(request: web.Request, handler: _Handler) -> web.StreamResponse:
        if request.path.startswith(_SLACK_PATHS) and faults.take(FaultKind.OUTAGE):
            return web.Response(status=503, text="the workspace is out of service")
        return await handler(request)

    return middleware
