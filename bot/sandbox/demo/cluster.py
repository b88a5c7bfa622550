"""A real etcd cluster on loopback, with TLS, whose members can be broken on purpose."""

import asyncio
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Self

from bot.sandbox.demo.certificates import Pki
from bot.sandbox.demo.health import Health
from bot.sandbox.demo.member import Address, Member
from bot.sandbox.demo.pki import Files
from bot.sandbox.errors import SandboxError
from bot.sandbox.ports import free_ports, is_free
from bot.sandbox.processes import Child

VERBS = ("stop", "kill", "start", "freeze", "thaw", "wipe")
_CLOSE_GRACE = 3.0
_POLL = 0.1
_ATTEMPTS = 5
_PORT_LOST = "address already in use"


class StartError(SandboxError):
    """The cluster did not come up; the message has the reason and the end of a log."""


class DemoCluster:
    """etcd members `NAME-1` … `NAME-N`, started and stopped on request, never on their own.

    Calls name a member: an unknown one raises LookupError, and a request that does not fit its
    state (to thaw what is not frozen) raises ValueError. Nothing is bound to the event loop in
    which the cluster was started.
    """

    def __init__(
        self, name: str, members: Mapping[str, Member], flags: list[str], pki: Pki, files: Files
    ) -> None:
        self.name = name
        self.pki = pki
        self.files = files
        self._members = members
        self._flags = flags
        self._bootstrapped = False

    @classmethod
    async def start(
        cls,
        directory: Path,
        *,
        name: str = "demo",
        size: int = 3,
        etcd: str = "etcd",
        quota_bytes: int | None = None,
        pki: Pki | None = None,
        logs: Path | None = None,
        timeout: float = 30.0,  # noqa: ASYNC109 - per attempt; the caller cannot see attempts
    ) -> Self:
        """Start a cluster with its data, certificates and logs below `directory`; wait for health.

        A directory that holds a cluster gets that one back: its data, its ports and those of its
        members that still are; certificates are new. `logs` is another place for the logs.
        Raises StartError; no process is left behind then.
        """
        await asyncio.to_thread(directory.mkdir, parents=True, exist_ok=True)
        names = [f"{name}-{number}" for number in range(1, size + 1)]
        pki = pki or Pki()
        files = pki.write(directory, names)
        state = directory / "addresses.json"
        kept = state.exists()
        addresses: dict[str, Address] = {}
        for attempt in range(1, _ATTEMPTS + 1):
            addresses = _kept_addresses(state, names) if kept else _new_addresses(names)
            members = {
                member: Member(
                    member, address, directory, (logs or directory) / f"etcd-{member}.log"
                )
                for member, address in addresses.items()
            }
            flags = _common_flags(etcd, name, members, files.ca, quota_bytes)
            cluster = cls(name, members, flags, pki, files)
            if not kept:  # what a start that was interrupted left
                for member in members.values():
                    await asyncio.to_thread(shutil.rmtree, member.data, ignore_errors=True)
            try:
                await cluster._bring_up(timeout, kept=kept)
            except BaseException as error:
                await cluster.close()
                if kept or attempt == _ATTEMPTS or _PORT_LOST not in str(error):
                    raise
            else:
                state.write_text(json.dumps({m: asdict(a) for m, a in addresses.items()}))
                return cluster
        raise AssertionError("the last attempt returns or raises")

    @property
    def endpoints(self) -> dict[str, str]:
        """Client URLs by member."""
        return {name: member.address.client_url for name, member in self._members.items()}

    @property
    def peer_urls(self) -> dict[str, str]:
        """Peer URLs by member."""
        return {name: member.address.peer_url for name, member in self._members.items()}

    @property
    def running(self) -> list[str]:
        """Members that have a process, frozen or not."""
        return [name for name, member in self._members.items() if member.running]

    @property
    def frozen(self) -> list[str]:
        """Members whose process is frozen."""
        return [name for name, member in self._members.items() if member.running and member.frozen]

    async def stop(self, member: str) -> None:
        """SIGTERM, and wait for the end; a frozen member is thawed first."""
        await self._member(member).stop()

    async def kill(self, member: str) -> None:
        """SIGKILL, and wait for the end."""
        await self._member(member).kill()

    async def start_member(self, member: str) -> None:
        """Start etcd on the member's data; with no data it joins as the member list says.

        Does not wait for health: one that was wiped has to be removed and added first, and ends
        when it was not.
        """
        self._member(member).start([*self._flags, self._cluster_state()])

    def freeze(self, member: str) -> None:
        """SIGSTOP."""
        self._member(member).freeze()

    def thaw(self, member: str) -> None:
        """SIGCONT."""
        self._member(member).thaw()

    async def wipe(self, member: str) -> None:
        """Stop it when it runs, and move its data aside; it is not started."""
        await self._member(member).wipe()

    def pid(self, member: str) -> int:
        """The process id of a member that runs."""
        return self._member(member).pid()

    def pids(self) -> dict[str, int | None]:
        """The process ids by member; None for one that does not run."""
        return {
            name: member.pid() if member.running else None for name, member in self._members.items()
        }

    async def act(self, member: str, do: str) -> None:
        """Do one of VERBS to a member."""
        match do:
            case "stop":
                await self.stop(member)
            case "kill":
                await self.kill(member)
            case "start":
                await self.start_member(member)
            case "freeze":
                self.freeze(member)
            case "thaw":
                self.thaw(member)
            case "wipe":
                await self.wipe(member)
            case _:
                raise ValueError(f"unknown action {do!r}; there are {', '.join(VERBS)}")

    async def wait_healthy(self, timeout: float = 30.0) -> None:  # noqa: ASYNC109 - named in words
        """Wait until each member that runs and is not frozen says that it is healthy.

        Raises TimeoutError, which names those that do not, and StartError when none runs.
        """
        health = Health(self.files)
        waiting: list[str] = []
        try:
            async with asyncio.timeout(timeout):
                while asked := [name for name in self.running if name not in self.frozen]:
                    endpoints = {name: self.endpoints[name] for name in asked}
                    if not (waiting := await health.unhealthy(endpoints)):
                        return
                    await asyncio.sleep(_POLL)
        except TimeoutError:
            raise TimeoutError(
                f"after {timeout:g} s these members are not healthy: {', '.join(waiting)}"
            ) from None
        raise StartError(f"no member of {self.name} is running")

    async def close(self, grace: float = _CLOSE_GRACE) -> None:
        """End all members, frozen ones too, and kill those that take longer than `grace` seconds.

        The last one of a cluster takes longer: it has nobody to hand over to.
        """
        async with asyncio.TaskGroup() as group:
            for member in self._members.values():
                group.create_task(member.end(grace))

    async def _bring_up(self, timeout: float, *, kept: bool) -> None:  # noqa: ASYNC109 - as start
        """Start all and wait for health; of a new cluster, no member may end.

        In a kept one, a member may have been removed from the cluster, or wiped, before.
        """
        self._bootstrapped = kept
        ends: dict[asyncio.Task[int], Child] = {}
        for member in self._members.values():
            if not kept or member.data.exists():
                child = member.start([*self._flags, self._cluster_state()])
                ends[asyncio.create_task(child.wait())] = child
        up = asyncio.create_task(self.wait_healthy(timeout))
        try:
            await asyncio.wait({up} if kept else {up, *ends}, return_when="FIRST_COMPLETED")
            ended = [child for task, child in ends.items() if task.done()]
            if ended and (not kept or len(ended) == len(ends)):
                raise StartError(
                    f"{ended[0].name} ended while it was started: {ended[0].last_lines()} "
                    f"(in {ended[0].log})"
                )
            await up
        except TimeoutError as error:
            raise StartError(f"{self.name}: {error}; see its logs") from None
        finally:
            for task in (up, *ends):
                task.cancel()
            await asyncio.gather(up, *ends, return_exceptions=True)
        self._bootstrapped = True

    def _cluster_state(self) -> str:
        return f"--initial-cluster-state={'existing' if self._bootstrapped else 'new'}"

    def _member(self, name: str) -> Member:
        if name not in self._members:
            raise LookupError(f"no member {name!r}; there are {', '.join(self._members)}")
        return self._members[name]


def _new_addresses(names: list[str]) -> dict[str, Address]:
    ports = free_ports(2 * len(names))
    return {
        name: Address(client, peer)
        for name, client, peer in zip(names, ports[::2], ports[1::2], strict=True)
    }


def _kept_addresses(state: Path, names: list[str]) -> dict[str, Address]:
    """The peer ports are stored in the cluster itself and stay; a client port may be another."""
    stored = {name: Address(**value) for name, value in json.loads(state.read_text()).items()}
    if list(stored) != names:
        raise StartError(f"{state.parent} holds a cluster of {', '.join(stored)}")
    for name, address in stored.items():
        if not is_free(address.peer_port):
            raise StartError(
                f"port {address.peer_port}, which {name} had and must have again, is taken; "
                f"end what listens on it, or use another directory"
            )
        if not is_free(address.client_port):
            (client,) = free_ports(1)
            stored[name] = Address(client, address.peer_port)
    return stored


def _common_flags(
    etcd: str, name: str, members: Mapping[str, Member], ca: Path, quota_bytes: int | None
) -> list[str]:
    initial = ",".join(f"{member.name}={member.address.peer_url}" for member in members.values())
    quota = [] if quota_bytes is None else [f"--quota-backend-bytes={quota_bytes}"]
    return [
        etcd,
        "--logger=zap",
        "--auto-compaction-mode=periodic",
        "--auto-compaction-retention=1h",
        f"--initial-cluster={initial}",
        f"--initial-cluster-token={name}",
        f"--trusted-ca-file={ca}",
        "--client-cert-auth",
        f"--peer-trusted-ca-file={ca}",
        "--peer-client-cert-auth",
        *quota,
    ]
