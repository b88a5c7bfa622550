"""The web page's files."""

from pathlib import Path

from aiohttp import web

_FOLDER = Path(__file__).resolve().parent.parent / "page"


def routes() -> list[web.RouteDef]:
    """Return the routes of the page."""
    return [web.get("/", index), web.get("/page/{path:.+}", static)]


async def index(request: web.Request) -> web.StreamResponse:
    """Serve the page itself."""
    return _served(request, "index.html")


async def static(request: web.Request) -> web.StreamResponse:
    """Serve a file beside the page."""
    return _served(request, request.match_info["path"])


def _served(request: web.Request, path: str) -> web.StreamResponse:
    file = (_FOLDER / path).resolve()
    if not file.is_relative_to(_FOLDER) or not file.is_file():
        return web.Response(status=404, text="no such file")
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"font-src 'self'; connect-src 'self' ws://{request.host}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return web.FileResponse(file, headers=headers)
