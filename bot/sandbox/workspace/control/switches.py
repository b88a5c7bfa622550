"""Control requests that change how the workspace behaves."""

from dataclasses import replace
from typing import Protocol

from aiohttp import web

from bot.sandbox.workspace.control.body import BadRequestError, Fields, body_of
from bot.sandbox.workspace.delivery.socket_mode import SocketMode
from bot.sandbox.workspace.faults import Fault, FaultKind
from bot.sandbox.workspace.workspace import Workspace


class ClusterControl(Protocol):
    """Acts on the demo cluster's processes."""

    async def act(self, member: str, do: str) -> None:
        """Do `do` to `member`; LookupError when unknown, ValueError when not possible."""
        ...


class Switches:
    """Faults, time, the app's installation, and the demo cluster."""

    def __init__(
        self, workspace: Workspace, socket: SocketMode, cluster: ClusterControl | None
    ) -> None:
        """Switch `workspace`; faults of connections act on `socket` at once."""
        self._workspace = workspace
        self._socket = socket
        self._cluster = cluster

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.post("/control/faults", self.add_fault),
            web.delete("/control/faults/{fault_id}", self.remove_fault),
            web.post("/control/clock", self.clock),
            web.post("/control/app", self.app),
            web.post("/control/cluster", self.cluster),
        ]

    async def add_fault(self, request: web.Request) -> web.Response:
        """Switch a fault on."""
        fault = _fault(await self._body(request))
        if fault.kind is FaultKind.DISCONNECT:
            remaining = self._disconnect(fault)
            if remaining is None:
                return web.json_response({"id": "done"})
            fault = remaining
        fault_id = self._workspace.faults.add(fault)
        if fault.kind is FaultKind.OUTAGE:
            await self._socket.close(code=1011)
        return web.json_response({"id": fault_id})

    async def remove_fault(self, request: web.Request) -> web.Response:
        """Switch a fault off; one that is over already is no error."""
        removed = self._workspace.faults.remove(request.match_info["fault_id"])
        return web.json_response({"removed": removed})

    async def clock(self, request: web.Request) -> web.Response:
        """Move the workspace's time forward."""
        body = await self._body(request)
        self._workspace.clock.advance(body.number("advance_s"))
        self._workspace.tell_state()
        return web.json_response({"now": self._workspace.clock.now()})

    async def app(self, request: web.Request) -> web.Response:
        """Set the Request URL (null: Socket Mode) or the granted scopes."""
        body = await self._body(request)
        installation = self._workspace.installation
        if not {"request_url", "scopes"} & set(body.raw):
            raise BadRequestError("give `request_url` (a URL or null) or `scopes` (a list)")
        if "scopes" in body.raw:
            scopes = body.raw["scopes"]
            if not isinstance(scopes, list) or not all(isinstance(s, str) for s in scopes):
                raise BadRequestError("`scopes` must be a list of scope names")
            installation.scopes = tuple(scopes)
        if "request_url" in body.raw:
            url = body.optional_text("request_url")
            if url is not None and not url.startswith(("http://", "https://")):
                raise BadRequestError(f"`request_url` must be an http(s) URL or null, not {url!r}")
            installation.request_url = url
        self._workspace.tell_state()
        return web.json_response(
            {"request_url": installation.request_url, "scopes": list(installation.scopes)}
        )

    async def cluster(self, request: web.Request) -> web.Response:
        """Act on a member of the demo cluster."""
        body = await self._body(request)
        member, do = body.text("member"), body.text("do")
        if self._cluster is None:
            raise BadRequestError("this workspace runs without a demo cluster")
        try:
            await self._cluster.act(member, do)
        except (LookupError, ValueError) as error:
            # KeyError would put quotes around its own text.
            raise BadRequestError(str(error.args[0] if error.args else error)) from error
        return web.json_response({"member": member, "do": do})

    def _disconnect(self, fault: Fault) -> Fault | None:
        """Refresh the open connections; return what is left for those that open later."""
        open_now = self._socket.connections
        affected = open_now if fault.count is None else min(fault.count, open_now)
        self._socket.refresh(affected)
        if fault.count is None:
            return fault if fault.seconds is not None else None
        left = fault.count - affected
        return replace(fault, count=left) if left else None

    async def _body(self, request: web.Request) -> Fields:
        return await body_of(request, self._workspace.directory)


def _fault(body: Fields) -> Fault:
    kind = FaultKind(body.one_of("kind", [kind.value for kind in FaultKind]))
    return Fault(
        kind=kind,
        method=body.optional_text("method"),
        retry_after=body.whole("retry_after", default=1),
        delay_s=body.number("delay_s", default=0 if kind is not FaultKind.SLOW else None),
        status=body.whole("status", default=503, least=500),
        after=body.raw.get("after") is True,
        count=body.whole("count") if "count" in body.raw else None,
        seconds=body.number("seconds") if "seconds" in body.raw else None,
    )
