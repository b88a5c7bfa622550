"""Free TCP ports on loopback."""

import secrets
import socket

LOOPBACK = "127.0.0.1"

# Below the range from which Linux takes source ports: a client that keeps dialling a stopped
# server in that range ends up connected to itself, and then holds the server's port.
_RANGE = range(10_000, 32_000)


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now. Another process may take it a moment later."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> tuple[int, ...]:
    """`count` different ports that nobody listens on now; raises OSError when there are none."""
    random = secrets.SystemRandom()
    found: list[int] = []
    for port in random.sample(_RANGE, len(_RANGE)):
        if len(found) == count:
            return tuple(found)
        if is_free(port):
            found.append(port)
    raise OSError(f"no {count} free ports on {LOOPBACK} in {_RANGE.start}-{_RANGE.stop - 1}")
