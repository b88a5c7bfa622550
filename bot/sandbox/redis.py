"""A Redis server that loses no acknowledged write, on loopback."""

import asyncio
import os
from pathlib import Path

from bot.sandbox.ports import LOOPBACK

_CONFIG = """\
bind {host}
port {port}
protected-mode yes
requirepass {password}
dir {data}
appendonly yes
appendfsync always
maxmemory-policy noeviction
save ""
daemonize no
"""


_SOCKET = """\
unixsocket {socket}
unixsocketperm 700
"""


def write_config(
    path: Path, *, port: int, password: str, data: Path, socket: Path | None = None
) -> None:
    """Write a configuration (0600: it holds the password) that keeps data in `data`.

    It listens on `socket`, too, which can be reached from other network namespaces.
    """
    data.mkdir(parents=True, exist_ok=True)
    text = _CONFIG.format(host=LOOPBACK, port=port, password=password, data=_quoted(data))
    if socket is not None:
        text += _SOCKET.format(socket=_quoted(socket))
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


async def answers(port: int, password: str) -> bool:
    """Whether a Redis with this password answers, its data loaded, within two seconds."""
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                writer.write(f"AUTH {password}\r\nPING\r\n".encode())
                replies = [await reader.readline(), await reader.readline()]
            finally:
                writer.close()
                await writer.wait_closed()
    except (OSError, TimeoutError):
        return False
    return replies == [b"+OK\r\n", b"+PONG\r\n"]


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
