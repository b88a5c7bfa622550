"""One member of the demo cluster: an etcd process, its flags and its data."""

import signal
from dataclasses import dataclass
from pathlib import Path

from bot.sandbox.ports import LOOPBACK
from bot.sandbox.processes import Child

_GRACE = 10.0
"""Seconds for a graceful end: a leader hands over first, which waits when there is no quorum."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a member listens."""

    client_port: int
    peer_port: int

    @property
    def client_url(self) -> str:
        """For clients of the cluster."""
        return f"https://{LOOPBACK}:{self.client_port}"

    @property
    def peer_url(self) -> str:
        """For the other members; the cluster stores it."""
        return f"https://{LOOPBACK}:{self.peer_port}"


class Member:
    """Starts and stops its process on request only. Wrong requests raise ValueError, in words."""

    def __init__(self, name: str, address: Address, directory: Path, log: Path) -> None:
        self.name = name
        self.address = address
        self.data = directory / name
        self.log = log
        self._child: Child | None = None
        self.frozen = False

    @property
    def running(self) -> bool:
        """Whether it has a process, also when that is frozen."""
        return self._child is not None and self._child.returncode is None

    def start(self, argv: list[str]) -> Child:
        """Start etcd with the cluster's common flags and this member's own."""
        if self.running:
            raise ValueError(f"{self.name} is running already")
        self.frozen = False
        address, pki = self.address, self.data.parent
        self._child = Child.start(
            f"etcd-{self.name}",
            [
                *argv,
                f"--name={self.name}",
                f"--data-dir={self.data}",
                f"--listen-client-urls={address.client_url}",
                f"--advertise-client-urls={address.client_url}",
                f"--listen-peer-urls={address.peer_url}",
                f"--initial-advertise-peer-urls={address.peer_url}",
                f"--cert-file={pki / f'{self.name}-server.crt'}",
                f"--key-file={pki / f'{self.name}-server.key'}",
                f"--peer-cert-file={pki / f'{self.name}-peer.crt'}",
                f"--peer-key-file={pki / f'{self.name}-peer.key'}",
            ],
            log=self.log,
        )
        return self._child

    async def stop(self) -> None:
        """SIGTERM and wait; a frozen member is thawed for it, a stubborn one killed."""
        await self._process().stop(_GRACE)
        self.frozen = False

    async def end(self, grace: float) -> None:
        """Stop it, if it has not ended by itself."""
        if self._child is not None:
            await self._child.stop(grace)

    async def kill(self) -> None:
        """SIGKILL, also when it is frozen."""
        await self._process().kill()
        self.frozen = False

    def freeze(self) -> None:
        """SIGSTOP: its connections stay open and nothing answers."""
        if self.frozen and self.running:
            raise ValueError(f"{self.name} is frozen already")
        self._process().signal(signal.SIGSTOP)
        self.frozen = True

    def thaw(self) -> None:
        """SIGCONT, the end of a freeze."""
        process = self._process()
        if not self.frozen:
            raise ValueError(f"{self.name} is not frozen")
        process.signal(signal.SIGCONT)
        self.frozen = False

    async def wipe(self) -> None:
        """Stop it when it runs, and move its data aside, to `NAME.wiped-N`."""
        if self.running:
            await self.stop()
        if not self.data.exists():
            raise ValueError(f"{self.name} has no data")
        number = 1
        while (aside := self.data.with_name(f"{self.name}.wiped-{number}")).exists():
            number += 1
        self.data.rename(aside)

    def pid(self) -> int:
        """The process id of the etcd that runs."""
        return self._process().pid

    def _process(self) -> Child:
        if self._child is None or not self.running:
            raise ValueError(f"{self.name} is not running")
        return self._child
