"""The live feed for the web page."""

import asyncio

from aiohttp import web

from bot.sandbox.workspace.control.body import query_of
from bot.sandbox.workspace.feed import Frame
from bot.sandbox.workspace.wire import Wire
from bot.sandbox.workspace.workspace import Workspace

_HEARTBEAT = 20.0
_CLOSE_SECONDS = 1.0


class Live:
    """Answers `/control/live`: a WebSocket of what one viewer may see."""

    def __init__(self, workspace: Workspace) -> None:
        """Watch `workspace`."""
        self._workspace = workspace

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [web.get("/control/live", self.handle)]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Send the state, then every frame as it happens, until either side closes."""
        viewer = query_of(request, self._workspace.directory).user("viewer").id
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT, timeout=_CLOSE_SECONDS)
        await socket.prepare(request)
        sender = asyncio.create_task(self._send(socket, viewer))
        try:
            async for _ in socket:
                """Nothing is expected from the page; reading notices that it left."""
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)
        return socket

    async def _send(self, socket: web.WebSocketResponse, viewer: str) -> None:
        with self._workspace.feed.watch() as watcher:
            await socket.send_json({"type": "hello", "state": self._workspace.state()})
            while (frame := await watcher.next()) is not None:
                if (body := self._shown(frame, viewer)) is not None:
                    await socket.send_json(body)
        await socket.close()

    def _shown(self, frame: Frame, viewer: str) -> Wire | None:
        if frame.viewer not in {None, viewer}:
            return None
        channel = self._workspace.directory.channels.get(str(frame.body.get("channel_id")))
        if channel is None:
            return frame.body
        return {**frame.body, "channel": channel.name} if channel.visible_to(viewer) else None
