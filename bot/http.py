"""The small HTTP server of each process: /metrics, /livez, /readyz."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterable

from aiohttp import web

from bot.config import ConfigError
from bot.metrics import Metrics


@contextlib.asynccontextmanager
async def listening(address: str, routes: Iterable[web.RouteDef]) -> AsyncIterator[None]:
    """Listen on HOST:PORT, or PORT for this machine only."""
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    host, _, port = address.rpartition(":")
    try:
        try:
            await web.TCPSite(runner, host or "127.0.0.1", int(port)).start()
        except OSError as error:
            raise ConfigError((f"cannot listen on {address}: {error.strerror}",)) from error
        yield
    finally:
        await runner.cleanup()


def serve_status(
    address: str, metrics: Metrics, faults: Callable[[], Iterable[str]]
) -> contextlib.AbstractAsyncContextManager[None]:
    """Serve the status pages. `faults` says why the process is not ready; none: it is."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(body=metrics.page(), content_type="text/plain", charset="utf-8")

    async def alive(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def ready(_: web.Request) -> web.Response:
        found = list(faults())
        if found:
            return web.Response(status=503, text="".join(f"{fault}\n" for fault in found))
        return web.Response(text="ok\n")

    routes = [web.get("/metrics", page), web.get("/livez", alive), web.get("/readyz", ready)]
    return listening(address, routes)
