"""A control server with canned answers, so that the page can be tested without the bot."""

import asyncio
import copy
from pathlib import Path

from aiohttp import WSMsgType, web

from tests.e2e.page.samples import Wire

PATIENCE_SECONDS = 8
PAGE = Path(__file__).parents[3] / "bot" / "sandbox" / "page"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self' ws:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

STATE: Wire = {
    "ready": True,
    "team": {"id": "T0", "name": "Sandbox"},
    "users": [
        {"id": "U0ALICE", "handle": "alice", "name": "Alice Archer", "may_approve": False},
        {"id": "U0BOB", "handle": "bob", "name": "Bob Baker", "may_approve": True},
        {"id": "U0GUEST", "handle": "guest", "name": "Gus Guest", "is_guest": True},
        {"id": "U0MALLORY", "handle": "mallory", "name": "Mallory Mason", "is_external": True},
        {"id": "U0BOT", "handle": "quorumbot", "name": "Quorumbot", "is_bot": True},
    ],
    "channels": [
        {"id": "C0OPS", "name": "ops", "topic": {"value": "Changes and questions"}},
        {"id": "C0ALERTS", "name": "etcd-alerts"},
        {"id": "C0SHARED", "name": "shared-ext", "is_ext_shared": True},
    ],
    "faults": [],
    "commands": [
        {
            "command": "/etcd",
            "description": "Health, members, backups, replacement",
            "usage_hint": "health | members | help",
        },
        {
            "command": "/node",
            "description": "Hosts of a cluster",
            "usage_hint": "list | drain NODE",
        },
        {"command": "/ops", "description": "Runs and approvals", "usage_hint": "runs | run ID"},
    ],
    "now": 1790000800.0,
}


class FakeControl:
    """What the page would find at the sandbox; `asked` records every POST and DELETE."""

    def __init__(self) -> None:
        self.state: Wire = copy.deepcopy(STATE)
        self.messages: dict[str, list[Wire]] = {}
        self.private: dict[str, list[Wire]] = {}
        self.home: Wire | None = None
        self.modals: list[Wire] = []
        self.traffic: list[Wire] = []
        self.asked: list[tuple[str, Wire]] = []
        self.acked = True
        self.submit_response: Wire | None = None
        self.release = asyncio.Event()
        self.release.set()
        self.viewers: dict[web.WebSocketResponse, str] = {}
        self.url = ""
        self._news = asyncio.Event()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/", self._index)
        app.router.add_static("/page/", PAGE)
        app.router.add_get("/files/F1", self._file)
        app.router.add_get("/control/state", self._state)
        app.router.add_get("/control/messages", self._messages)
        app.router.add_get("/control/traffic", self._traffic)
        app.router.add_get("/control/views", self._views)
        app.router.add_get("/control/live", self._live)
        app.router.add_post("/control/{what}", self._post)
        app.router.add_delete("/control/faults/{id}", self._remove_fault)
        app.on_response_prepare.append(self._secure)
        return app

    def requests(self, what: str) -> list[Wire]:
        return [body for name, body in self.asked if name == what]

    async def heard(self, what: str, count: int) -> list[Wire]:
        """Wait until `count` requests of one kind have come, and return them."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.requests(what)) < count:
                self._news.clear()
                await self._news.wait()
        return self.requests(what)

    async def tell(self, frame: Wire, *, viewer: str | None = None) -> None:
        for socket, handle in list(self.viewers.items()):
            if viewer in (None, handle):
                await socket.send_json(frame)

    async def say(self, message: Wire, *, channel: str = "ops") -> None:
        """Store a message, or a new version of one, and tell it live."""
        kept = [known for known in self.messages.get(channel, []) if known["ts"] != message["ts"]]
        self.messages[channel] = [*kept, message]
        await self.tell({"type": "message", "channel": channel, "message": message})

    async def say_to(self, viewer: str, message: Wire) -> None:
        self.private.setdefault(viewer, []).append(message)
        frame = {"type": "message", "channel": "ops", "message": message}
        await self.tell(frame, viewer=viewer)

    async def change(self, **changes: object) -> None:
        """Change the state and tell it live."""
        self.state.update(changes)
        await self.tell({"type": "state", "state": self.state})

    async def hang_up(self) -> None:
        for socket in list(self.viewers):
            await socket.close()

    async def _secure(self, _request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Content-Security-Policy"] = CSP

    async def _index(self, _request: web.Request) -> web.FileResponse:
        return web.FileResponse(PAGE / "index.html")

    async def _file(self, _request: web.Request) -> web.Response:
        return web.Response(text="the whole log")

    async def _state(self, _request: web.Request) -> web.Response:
        return web.json_response(self.state)

    async def _messages(self, request: web.Request) -> web.Response:
        channel, viewer = request.query["channel"], request.query["viewer"]
        thread_ts = request.query.get("thread_ts")
        seen = list(self.messages.get(channel, []))
        if channel == "ops":
            seen += self.private.get(viewer, [])
        if thread_ts:
            found = [m for m in seen if thread_ts in (m["ts"], m.get("thread_ts"))]
        else:
            found = [m for m in seen if m.get("thread_ts") in (None, m["ts"])]
        return web.json_response(sorted(found, key=lambda m: float(m["ts"])))

    async def _traffic(self, request: web.Request) -> web.Response:
        since = int(request.query.get("since", "0"))
        return web.json_response([entry for entry in self.traffic if entry["n"] > since])

    async def _views(self, _request: web.Request) -> web.Response:
        return web.json_response({"home": self.home, "modals": self.modals})

    async def _live(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.viewers[socket] = request.query["viewer"]
        try:
            await socket.send_json({"type": "hello", "state": self.state})
            async for received in socket:
                if received.type is WSMsgType.ERROR:
                    break
        finally:
            del self.viewers[socket]
        return socket

    async def _post(self, request: web.Request) -> web.Response:
        what = request.match_info["what"]
        body = await request.json()
        self.asked.append((what, body))
        self._news.set()
        await self.release.wait()
        if what == "faults":
            fault = {"id": "f1", **body}
            await self.change(faults=[fault])
            return web.json_response({"id": "f1"})
        if what == "cluster" and body["member"] == "demo-2":
            return web.json_response({"error": "demo-2 is stopped already"}, status=409)
        answer = {"acked": self.acked, "ack_ms": 12, "response": self.submit_response}
        return web.json_response(answer)

    async def _remove_fault(self, request: web.Request) -> web.Response:
        self.asked.append(("unfault", {"id": request.match_info["id"]}))
        self.state["faults"] = []
        return web.json_response({})
