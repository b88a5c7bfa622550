"""Socket Mode: the app connects, payloads go to one of its connections each."""

import asyncio
import json
import logging
import secrets
from typing import Any

from aiohttp import WSMsgType, web

from bot.sandbox.workspace.delivery.acks import Acks
from bot.sandbox.workspace.delivery.envelope import Envelope
from bot.sandbox.workspace.faults import FaultKind, Faults
from bot.sandbox.workspace.people import APP_ID
from bot.sandbox.workspace.wire import Wire

_log = logging.getLogger(__name__)

MOST_CONNECTIONS = 10
_CONNECTION_SECONDS = 18_060
SHORT_LIFE = 5.0
"""Seconds that a connection lives when it opens while the fault `disconnect` is in force."""
_GRACE = 1.0
_HEARTBEAT = 15.0
_MOST_TICKETS = 100


class SocketMode:
    """The open connections of the app."""

    def __init__(self, acks: Acks, faults: Faults) -> None:
        """Hand acks to `acks`; connections suffer from `faults`."""
        self._acks = acks
        self._faults = faults
        self._tickets: dict[str, None] = {}
        self._open: list[web.WebSocketResponse] = []
        self._draining: set[asyncio.Task[None]] = set()
        self._turn = 0

    @property
    def connections(self) -> int:
        """How many connections can receive payloads."""
        return len(self._open)

    def new_ticket(self) -> str:
        """Return a secret that opens one connection."""
        ticket = secrets.token_hex(16)
        self._tickets[ticket] = None
        if len(self._tickets) > _MOST_TICKETS:
            del self._tickets[next(iter(self._tickets))]
        return ticket

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it closes."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=403, text="this ticket was not issued or is spent")
        del self._tickets[ticket]
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT, timeout=_GRACE)
        await socket.prepare(request)
        await socket.send_json(self._hello())
        self._open.append(socket)
        try:
            if len(self._open) > MOST_CONNECTIONS:
                self._dismiss(socket, "too_many_websockets")
            elif self._faults.take(FaultKind.DISCONNECT):
                asyncio.get_running_loop().call_later(SHORT_LIFE, self._refresh_one, socket)
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._take_ack(message.data)
        finally:
            self._forget(socket)
        return socket

    async def send(self, envelope: Envelope, attempt: int) -> bool:
        """Send to the next connection in turn, or to another when that one is broken."""
        frame = envelope.frame(attempt)
        while self._open:
            self._turn += 1
            socket = self._open[self._turn % len(self._open)]
            try:
                await socket.send_json(frame)
            except ConnectionError:
                self._forget(socket)
            else:
                return True
        return False

    def refresh(self, most: int | None) -> None:
        """Ask up to `most` connections (None: all) to reconnect, then close them."""
        for socket in self._open[:most]:
            self._refresh_one(socket)

    async def close(self, *, code: int = 1001) -> None:
        """Close every connection at once and issue no more payloads to them."""
        sockets, self._open = self._open, []
        self._tickets.clear()
        for task in self._draining:
            task.cancel()
        await asyncio.gather(*(socket.close(code=code) for socket in sockets))

    def _refresh_one(self, socket: web.WebSocketResponse) -> None:
        if socket in self._open:
            self._dismiss(socket, "refresh_requested")

    def _dismiss(self, socket: web.WebSocketResponse, reason: str) -> None:
        self._forget(socket)
        task = asyncio.create_task(self._drain(socket, reason))
        self._draining.add(task)
        task.add_done_callback(self._draining.discard)

    async def _drain(self, socket: web.WebSocketResponse, reason: str) -> None:
        frame: Wire = {
            "type": "disconnect",
            "reason": reason,
            "debug_info": {"host": "sandbox"},
            "connection_info": {"app_id": APP_ID},
        }
        try:
            await socket.send_json(frame)
            # Acks of payloads already sent may still arrive here.
            await asyncio.sleep(_GRACE)
        except ConnectionError:
            _log.debug("a connection was gone before it could be asked to leave")
        await socket.close()

    def _forget(self, socket: web.WebSocketResponse) -> None:
        if socket in self._open:
            self._open.remove(socket)

    def _hello(self) -> Wire:
        return {
            "type": "hello",
            "num_connections": len(self._open) + 1,
            "debug_info": {
                "host": "sandbox",
                "build_number": 1,
                "approximate_connection_time": _CONNECTION_SECONDS,
            },
            "connection_info": {"app_id": APP_ID},
        }

    def _take_ack(self, text: str) -> None:
        try:
            frame: Any = json.loads(text)
        except ValueError:
            frame = None
        if not isinstance(frame, dict) or not isinstance(frame.get("envelope_id"), str):
            _log.warning("the app sent something other than an ack: %s", text[:200])
            return
        payload = frame.get("payload")
        self._acks.resolve(frame["envelope_id"], payload if isinstance(payload, dict) else None)
