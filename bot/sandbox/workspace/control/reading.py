"""Control requests that only read."""

from aiohttp import web

from bot.sandbox.workspace.control.body import BadRequestError, Fields, query_of
from bot.sandbox.workspace.workspace import Workspace


class Reading:
    """Answers what is in the workspace."""

    def __init__(self, workspace: Workspace) -> None:
        """Read from `workspace`."""
        self._workspace = workspace

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/control/state", self.state),
            web.get("/control/messages", self.messages),
            web.get("/control/views", self.views),
            web.get("/control/files", self.files),
            web.get("/control/traffic", self.traffic),
        ]

    async def state(self, _request: web.Request) -> web.Response:
        """Return people, channels, commands and faults."""
        return web.json_response(self._workspace.state())

    async def messages(self, request: web.Request) -> web.Response:
        """Return a channel's messages or a thread, as `viewer` sees them."""
        query = self._query(request)
        channel = query.channel()
        viewer = query.user("viewer").id if "viewer" in query.raw else None
        thread_ts = query.optional_text("thread_ts")
        if viewer is not None and not channel.visible_to(viewer):
            raise BadRequestError(f"`channel` {channel.name} is private to somebody else")
        messages = self._workspace.messages
        if thread_ts:
            posts = messages.thread(channel.id, thread_ts, viewer=viewer)
        else:
            posts = messages.timeline(channel.id, viewer=viewer)
        return web.json_response([post.wire() for post in posts])

    async def views(self, request: web.Request) -> web.Response:
        """Return a person's Home tab and open modals."""
        user = self._query(request).user()
        views = self._workspace.views
        return web.json_response({"home": views.home(user.id), "modals": views.modals(user.id)})

    async def files(self, request: web.Request) -> web.Response:
        """Return the files shared in a channel, or in all."""
        query = self._query(request)
        channel_id = query.channel().id if "channel" in query.raw else None
        return web.json_response(
            [
                {
                    "id": file.id,
                    "name": file.name,
                    "title": file.title,
                    "size": file.length,
                    "content_url": f"{self._workspace.base_url}/files/{file.id}",
                    "channel_id": file.channel_id,
                    "thread_ts": file.thread_ts,
                }
                for file in self._workspace.files.in_channel(channel_id)
            ]
        )

    async def traffic(self, request: web.Request) -> web.Response:
        """Return the Web API calls after number `since`, of one method if asked."""
        query = self._query(request)
        since = query.optional_text("since") or "0"
        if not since.isascii() or not since.isdigit():
            raise BadRequestError(f"`since` must be the number of a call, not {since!r}")
        entries = self._workspace.traffic.since(int(since), query.optional_text("method"))
        return web.json_response(entries)

    def _query(self, request: web.Request) -> Fields:
        return query_of(request, self._workspace.directory)
