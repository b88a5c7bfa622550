"""Bytes of files, coming in (second step of an upload) and going out."""

from aiohttp import web

from bot.sandbox.workspace.workspace import Workspace


class FileBytes:
    """Answers `/upload/TOKEN` and `/files/ID`."""

    def __init__(self, workspace: Workspace) -> None:
        """Serve the files of `workspace`."""
        self._workspace = workspace

    async def receive(self, request: web.Request) -> web.Response:
        """Take the raw bytes of an announced file."""
        content = await request.read()
        file = self._workspace.files.receive(request.match_info["token"], content)
        if file is None:
            return web.Response(status=400, text="unknown upload, or not the announced length")
        return web.Response(text=f"OK - {len(content)}")

    async def send(self, request: web.Request) -> web.Response:
        """Return a file's bytes, as a download and never as a page."""
        file = self._workspace.files.find(request.match_info["file_id"])
        if file is None or file.content is None:
            return web.Response(status=404, text="no such file")
        kind = "text/plain; charset=utf-8" if file.is_text else "application/octet-stream"
        return web.Response(
            body=file.content,
            headers={
                "Content-Type": kind,
                "X-Content-Type-Options": "nosniff",
                "Content-Security-Policy": "sandbox; default-src 'none'",
                "Cache-Control": "no-store",
            },
        )
