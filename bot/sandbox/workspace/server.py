"""The workspace as a server on loopback."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

from aiohttp import web

from bot.sandbox.workspace import gate, page
from bot.sandbox.workspace.app import SlashCommand
from bot.sandbox.workspace.control.acting import Acting
from bot.sandbox.workspace.control.body import explain_bad_requests
from bot.sandbox.workspace.control.live import Live
from bot.sandbox.workspace.control.reading import Reading
from bot.sandbox.workspace.control.switches import ClusterControl, Switches
from bot.sandbox.workspace.credentials import Credentials
from bot.sandbox.workspace.delivery.acks import Acks
from bot.sandbox.workspace.delivery.dispatcher import Dispatcher
from bot.sandbox.workspace.delivery.signed_http import SignedHttp
from bot.sandbox.workspace.delivery.socket_mode import SocketMode
from bot.sandbox.workspace.responses import ResponseUrls
from bot.sandbox.workspace.uploads import FileBytes
from bot.sandbox.workspace.web_api.endpoint import WebApi
from bot.sandbox.workspace.workspace import Workspace

__all__ = ["ClusterControl", "Credentials", "Server", "SlashCommand"]

_MOST_BODY = 64 * 1024 * 1024
_SHUTDOWN_SECONDS = 1.0


class Server:
    """A running workspace; make one with `start`, end it with `close`."""

    def __init__(
        self,
        *,
        credentials: Credentials,
        commands: Sequence[SlashCommand],
        cluster: ClusterControl | None,
        clock: Path | None,
    ) -> None:
        """Wire the parts together without listening yet."""
        self.url = ""
        self._workspace = Workspace(credentials, commands, clock)
        faults, installation = self._workspace.faults, self._workspace.installation
        acks = Acks(faults)
        self._socket = SocketMode(acks, faults)
        self._http = SignedHttp(acks, credentials, installation)
        self._dispatcher = Dispatcher(
            acks=acks,
            faults=faults,
            installation=installation,
            socket=self._socket,
            http=self._http,
        )
        self._runner = web.AppRunner(
            self._application(cluster), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS
        )

    @classmethod
    async def start(
        cls,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        credentials: Credentials,
        commands: Sequence[SlashCommand],
        cluster: ClusterControl | None = None,
        clock: Path | None = None,
    ) -> Self:
        """Listen on a loopback address; port 0 means any free one. OSError when it is taken."""
        if not gate.is_loopback(host):
            raise ValueError(f"the sandbox listens on loopback only, not on {host}")
        server = cls(credentials=credentials, commands=commands, cluster=cluster, clock=clock)
        await server._listen(host, port)
        return server

    @property
    def socket_connections(self) -> int:
        """How many Socket Mode connections the app has open."""
        return self._socket.connections

    def set_ready(self, ready: bool) -> None:  # noqa: FBT001 - a setter of one flag
        """Say whether the bot can be used."""
        self._workspace.set_ready(ready=ready)

    def set_endpoints(self, endpoints: Mapping[str, str]) -> None:
        """Say which addresses a person may want to see."""
        self._workspace.set_endpoints(endpoints)

    def set_hosts(self, names: Iterable[str]) -> None:
        """Say which hosts the demo cluster has, where it is not processes of this machine."""
        self._workspace.set_hosts(names)

    async def close(self) -> None:
        """Close every connection and stop listening."""
        self._workspace.feed.close()
        await self._dispatcher.close()
        await self._http.close()
        await self._socket.close()
        await self._runner.cleanup()

    async def _listen(self, host: str, port: int) -> None:
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError:
            await self._runner.cleanup()
            raise
        bound_port = self._runner.addresses[0][1]
        name = f"[{host}]" if ":" in host else host
        self.url = f"http://{name}:{bound_port}"
        self._workspace.base_url = self.url

    def _application(self, cluster: ClusterControl | None) -> web.Application:
        workspace = self._workspace
        api = WebApi(workspace, self._socket.new_ticket)
        files = FileBytes(workspace)
        hooks = ResponseUrls(workspace)
        application = web.Application(
            client_max_size=_MOST_BODY,
            middlewares=[
                gate.refuse_strangers,
                gate.outage(workspace.faults),
                explain_bad_requests,
            ],
        )
        application.add_routes(
            [
                web.route("*", "/api/{method}", api.handle),
                web.get("/link/", self._socket.handle),
                web.post("/hooks/{token}", hooks.handle),
                web.post("/upload/{token}", files.receive),
                web.get("/files/{file_id}", files.send),
                *Reading(workspace).routes(),
                *Acting(workspace, self._dispatcher).routes(),
                *Switches(workspace, self._socket, cluster).routes(),
                *Live(workspace).routes(),
                *page.routes(),
            ]
        )
        return application
