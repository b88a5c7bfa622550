"""From a name to a TCP connection, or to the step at which the way there ends."""

import asyncio
import errno
import socket
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from ipaddress import ip_address

from bot.targets.etcd import faults
from bot.targets.etcd.deadline import Deadline
from bot.targets.etcd.faults import FaultError
from bot.targets.etcd.target import Target
from procedures.model.probe import FaultKind


@dataclass(frozen=True, slots=True)
class Address:
    """One IP address and port behind a name."""

    ip: str
    port: int

    @property
    def family(self) -> socket.AddressFamily:
        """The socket family of the address."""
        return socket.AF_INET6 if ":" in self.ip else socket.AF_INET

    @property
    def authority(self) -> str:
        """The address as it stands in a URL."""
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"


async def connect(
    target: Target, deadline: Deadline, resolver: Executor
) -> tuple[socket.socket, Address]:
    """Connect to whichever address of the name accepts first; raise `FaultError` if none does.

    Names are resolved on the threads of `resolver`: a hanging resolver must not use up the
    threads that others wait for.
    """
    addresses = await _resolve(target, deadline, resolver)
    pending = {asyncio.create_task(_connect(address)) for address in addresses}
    failures: list[OSError] = []
    try:
        async with asyncio.timeout_at(deadline.at):
            while pending:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for attempt in done:
                    if isinstance(outcome := attempt.result(), OSError):
                        failures.append(outcome)
                    else:
                        return outcome
    except TimeoutError:
        raise faults.no_connection(target.who, deadline.duration_ms) from None
    finally:
        await _abandon(pending)
    raise _failed(target, failures)


async def _resolve(target: Target, deadline: Deadline, resolver: Executor) -> Sequence[Address]:
    try:
        return [Address(str(ip_address(target.host)), target.port)]
    except ValueError:
        pass
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout_at(deadline.at):
            found = await loop.run_in_executor(resolver, _look_up, target.host, target.port)
    except TimeoutError:
        waited = faults.seconds(deadline.duration_ms)
        why = f"the name service gave no answer within {waited}"
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "it is not a host name"
    else:
        return found
    message = f"{target.who} cannot be asked: the name {target.host} does not resolve ({why})."
    raise FaultError(FaultKind.DNS, message)


def _look_up(host: str, port: int) -> Sequence[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(Address(str(entry[4][0]), port) for entry in found))


async def _connect(address: Address) -> tuple[socket.socket, Address] | OSError:
    try:
        sock = socket.socket(address.family, socket.SOCK_STREAM)
    except OSError as error:
        return error
    sock.settimeout(0)
    try:
        await asyncio.get_running_loop().sock_connect(sock, (address.ip, address.port))
    except OSError as error:
        sock.close()
        return error
    except asyncio.CancelledError:
        sock.close()
        raise
    return sock, address


async def _abandon(attempts: set["asyncio.Task[tuple[socket.socket, Address] | OSError]"]) -> None:
    for attempt in attempts:
        attempt.cancel()
    for outcome in await asyncio.gather(*attempts, return_exceptions=True):
        if isinstance(outcome, tuple):
            outcome[0].close()


def _failed(target: Target, failures: Sequence[OSError]) -> FaultError:
    other = [failure for failure in failures if failure.errno != errno.ECONNREFUSED]
    if not other:
        return faults.refused(target.who)
    return faults.unreachable(target.who, (other[0].strerror or "no connection").lower())
