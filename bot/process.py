"""What every long-running process does alike: logging, signals, a name of its own."""

import asyncio
import logging
import os
import pwd
import secrets
import signal
import socket
import sys
from collections.abc import Coroutine

_PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


def log_to_stderr(*, verbose: bool = False) -> None:
    """Write log lines to stderr, one line each but for tracebacks."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    for noisy in ("slack_sdk", "slack_bolt", "slack_bolt.AsyncApp", "aiohttp", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def own_name() -> str:
    """A name that no other process has: host, process id, and something random."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


def own_user() -> str:
    """Who runs this process, by user id: variables of the environment prove nothing."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


async def until_stopped(work: Coroutine[object, object, None], grace_s: float) -> None:
    """Run until it ends by itself, or cancel it when SIGTERM or SIGINT comes.

    It has `grace_s` to end; then it is cancelled again, because a cancellation can get lost in a
    library.
    """
    task = asyncio.create_task(work)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([task, stopping], return_when=asyncio.FIRST_COMPLETED)
    while stop.is_set() and not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=grace_s)
    stopping.cancel()
    if not task.cancelled():
        task.result()


def forget_proxies() -> None:
    """Unset the proxy variables: slack-sdk would send even loopback traffic to a proxy."""
    for name in _PROXIES:
        os.environ.pop(name, None)
