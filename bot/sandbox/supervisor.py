"""`quorumbot sandbox`: starts everything for a try-out on loopback, and ends all of it."""

import asyncio
import contextlib
import errno
import os
import secrets
import signal
import sys
import webbrowser
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import aiohttp

from bot.sandbox import redis
from bot.sandbox.binaries import find
from bot.sandbox.configuration import BotPorts, write_configuration
from bot.sandbox.demo.control import DemoControl
from bot.sandbox.demos import Apart, on_hosts, on_loopback
from bot.sandbox.errors import SandboxError
from bot.sandbox.files import StateFiles, state_directory
from bot.sandbox.keeper import Kept, keeping
from bot.sandbox.passage import passage
from bot.sandbox.ports import LOOPBACK, free_ports
from bot.sandbox.processes import environment
from bot.sandbox.readiness import Readiness
from bot.sandbox.workspace.server import Credentials, Server, SlashCommand

DEFAULT_PORT = 8700
_READY_SECONDS = 60.0
_REDIS_SECONDS = 30.0

Transport = Literal["socket", "http"]


@dataclass(frozen=True, slots=True)
class Launch:
    """How the bot's processes are started; `--config FILE` and the like is appended."""

    front: tuple[str, ...] = (sys.executable, "-m", "bot.main", "serve")
    worker: tuple[str, ...] = (sys.executable, "-m", "bot.main", "worker")


@dataclass(frozen=True, slots=True)
class _Options:
    port: int | None
    open_browser: bool
    transport: Transport
    commands: Sequence[SlashCommand]
    launch: Launch
    hosts: str | None
    around: bool


async def run(
    *,
    port: int | None,
    directory: Path | None,
    open_browser: bool,
    transport: Transport = "socket",
    commands: Sequence[SlashCommand],
    launch: Launch | None = None,
    hosts: str | None = None,
    around: bool = False,
) -> int:
    """Run a sandbox until SIGINT, SIGTERM or SIGHUP; returns the exit status.

    Prints the page's address and, once everything answers, `ready`. Without a `port` the page is
    at 8700, or elsewhere when that is taken. State is kept in `directory`; without one it is in a
    temporary directory and goes. `hosts` is the flavour of hosts on which etcd is to be, with what
    people have `around` it there. Whatever happens, no process that it started is left.
    """
    options = _Options(port, open_browser, transport, commands, launch or Launch(), hosts, around)
    sandbox = asyncio.create_task(_run(directory, options))
    loop = asyncio.get_running_loop()
    stops = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    asked_to_stop = False

    def stop() -> None:
        nonlocal asked_to_stop
        if not asked_to_stop:  # a second one must not cut the tidying up short
            asked_to_stop = True
            _say("stopping …")
            sandbox.cancel()

    for number in stops:
        loop.add_signal_handler(number, stop)
    try:
        await sandbox
    except asyncio.CancelledError:
        if not asked_to_stop:
            raise
        return 0
    except Exception as error:
        if (fault := _fault(error)) is None:
            raise
        print(f"quorumbot: {fault}", file=sys.stderr)
        return 1
    finally:
        if asked_to_stop:  # nor what is left to do for the process itself
            signal.pthread_sigmask(signal.SIG_BLOCK, stops)
        for number in stops:
            loop.remove_signal_handler(number)
    return 0


async def _run(directory: Path | None, options: _Options) -> None:
    binaries = find("redis-server") if options.hosts else find("etcd", "redis-server")
    async with contextlib.AsyncExitStack() as stack:
        files = stack.enter_context(state_directory(directory))
        control = DemoControl(files)
        credentials = Credentials.generate()
        workspace = await stack.enter_async_context(
            _workspace(options, files, credentials, control)
        )
        files.write_pid("workspace", os.getpid())

        logs = f"logs are in {files.root / 'log'}"
        if options.hosts:
            _say(f"starting etcd on three hosts, and a spare one; {logs}")
            demo = await stack.enter_async_context(
                on_hosts(files, options.hosts, furnished=options.around)
            )
        else:
            _say(f"starting Redis and a 3-member etcd cluster; {logs}")
            demo = await stack.enter_async_context(on_loopback(files, binaries["etcd"]))
        control.control(demo.control)
        if demo.apart:
            workspace.set_hosts(demo.apart.machines.addresses)
        socket = demo.apart.folder / "redis.sock" if demo.apart else None
        redis_url = await _start_redis(stack, files, binaries["redis-server"], socket)

        ports = BotPorts(*free_ports(3))
        namespace = demo.apart.namespace if demo.apart else None
        write_configuration(
            files,
            slack_url=workspace.url,
            credentials=credentials,
            redis_url=redis_url,
            ports=ports,
            endpoints=demo.endpoints,
            tools=demo.tools,
            machines=demo.apart.machines if demo.apart else None,
            namespace=namespace,
        )
        _say("starting the bot")
        if namespace:
            await stack.enter_async_context(passage(namespace, ports.worker))
        bot = _bot(files, options, ports, namespace)
        await stack.enter_async_context(keeping(files, _say, *bot))
        addresses = {
            "front": f"http://{LOOPBACK}:{ports.front}",
            "worker": f"http://{LOOPBACK}:{ports.worker}",
        }
        workspace.set_endpoints(addresses)
        if options.transport == "http":
            await _set_request_url(workspace, f"http://{LOOPBACK}:{ports.events}/slack/events")

        readiness = Readiness(workspace, addresses, needs_socket=options.transport == "socket")
        await readiness.wait(_READY_SECONDS)
        if demo.apart:
            for line in _words(demo.apart):
                _say(line)
        _say(workspace.url)
        _say("ready")
        if options.open_browser and {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
            await asyncio.to_thread(webbrowser.open, workspace.url)
        await readiness.watch()


@contextlib.asynccontextmanager
async def _workspace(
    options: _Options, files: StateFiles, credentials: Credentials, demo: DemoControl
) -> AsyncIterator[Server]:
    async def listen(port: int) -> Server:
        return await Server.start(
            host=LOOPBACK,
            port=port,
            credentials=credentials,
            commands=options.commands,
            cluster=demo,
            clock=files.clock,
        )

    port = DEFAULT_PORT if options.port is None else options.port
    try:
        server = await listen(port)
    except OSError as error:
        if options.port is not None:
            reason = "is taken" if error.errno == errno.EADDRINUSE else f"fails: {error.strerror}"
            raise SandboxError(f"port {port} {reason}; choose another with --port") from error
        server = await listen(*free_ports(1))
        _say(f"port {port} is taken: the page is at {server.url}")
    try:
        yield server
    finally:
        await server.close()


async def _start_redis(
    stack: contextlib.AsyncExitStack, files: StateFiles, binary: str, socket: Path | None
) -> str:
    """Keep a Redis running until the end of `stack`; returns its address once it answers.

    That is the `socket`, where one is given: loopback is another one in another namespace.
    """
    (port,) = free_ports(1)
    password = files.kept_secret("redis-password", secrets.token_urlsafe(24))
    config = files.root / "secrets" / "redis.conf"
    redis.write_config(config, port=port, password=password, data=files.redis, socket=socket)
    process = Kept("redis", [binary, str(config)])
    await stack.enter_async_context(keeping(files, _say, process))
    try:
        async with asyncio.timeout(_REDIS_SECONDS):
            while True:
                if await redis.answers(port, password):
                    return f"unix://{socket}" if socket else f"redis://{LOOPBACK}:{port}/0"
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise SandboxError(
            f"Redis does not answer after {_REDIS_SECONDS:g} s; its log is {files.log('redis')}"
        ) from None


def _bot(
    files: StateFiles, options: _Options, ports: BotPorts, namespace: Path | None
) -> list[Kept]:
    config = ("--config", str(files.config))
    events = ("--http", f"{LOOPBACK}:{ports.events}") if options.transport == "http" else ()
    # In the checkout, not where the user is: a file there may be called like a module.
    cwd = Path(__file__).parents[2]
    env = environment() | {"PYTHONUNBUFFERED": "1"}
    # Hosts can be reached from there only; the others are to be reached from a browser.
    there = ("nsenter", f"--net={namespace}", "--") if namespace else ()
    return [
        Kept("front", [*options.launch.front, *config, *events], cwd, env),
        Kept("worker", [*there, *options.launch.worker, *config], cwd, env),
    ]


def _words(apart: Apart) -> Iterator[str]:
    """How a person gets to the hosts, with nothing that a shell would take apart."""
    machines = apart.machines
    for name, address in machines.addresses.items():
        yield f"{name} is {address}"
    host = next(iter(machines.addresses.values()))
    yield (
        f"log in with: nsenter --net={apart.namespace} ssh -i {machines.key} "
        f"-o UserKnownHostsFile={machines.known_hosts} {machines.user}@{host}"
    )


async def _set_request_url(workspace: Server, url: str) -> None:
    async with (
        aiohttp.ClientSession(raise_for_status=True) as session,
        session.post(f"{workspace.url}/control/app", json={"request_url": url}),
    ):
        pass


def _fault(error: BaseException) -> SandboxError | None:
    """The fault that a person can do something about, out of the groups around it."""
    if isinstance(error, BaseExceptionGroup):
        return next((fault for inner in error.exceptions if (fault := _fault(inner))), None)
    return error if isinstance(error, SandboxError) else None


def _say(line: str) -> None:
    print(line, flush=True)
