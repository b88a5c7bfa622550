"""Machines over SSH."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from bot.targets.ssh import words
from procedures.engine.hosts import ASK_MS
from procedures.model.host import Ended, FileSeen, Machine, Mark, Said, Trace
from procedures.model.ids import RunId
from procedures.model.inventory import Cluster, Host
from procedures.model.probe import Fault

# ruff: noqa: ARG002


class SshHosts:
    """Implements `HostLook` and `HostAct` of `procedures.engine.hosts`: no way is configured."""

    async def machine(self, cluster: Cluster, host: Host) -> Machine | Fault:
        """Tell who it is."""
        return words.no_access(cluster).fault

    async def ask(
        self, cluster: Cluster, host: Host, argv: Sequence[str], limit_ms: int = ASK_MS
    ) -> Said | Fault:
        """Run a command that changes nothing."""
        return words.no_access(cluster).fault

    async def read(self, cluster: Cluster, host: Host, path: str) -> FileSeen | Fault | None:
        """Read a regular file of at most 1 MiB."""
        return words.no_access(cluster).fault

    async def run(
        self,
        cluster: Cluster,
        host: Host,
        mark: Mark,
        argv: Sequence[str],
        *,
        limit_ms: int,
        say: Callable[[str], Awaitable[None]],
        stdin: bytes = b"",
    ) -> Ended:
        """Start a command, or find it, and follow it to its end."""
        raise words.not_begun(words.work(argv[0]), words.no_access(cluster).fault)

    async def settle(self, cluster: Cluster, host: Host, mark: Mark) -> Trace:
        """Look for a piece of work."""
        raise words.lost_sight(host, mark.key, words.no_access(cluster).fault)

    async def stop(self, cluster: Cluster, host: Host, mark: Mark) -> Trace:
        """End a piece of work."""
        raise words.lost_sight(host, mark.key, words.no_access(cluster).fault)

    async def write(
        self,
        cluster: Cluster,
        host: Host,
        path: str,
        content: bytes,
        *,
        was: str | None,
        mode: int = 0o600,
    ) -> None:
        """Put a file in the place of what `was`, at once."""
        raise words.not_begun(f"writing {path}", words.no_access(cluster).fault)

    async def fetch(self, cluster: Cluster, host: Host, path: str) -> AsyncIterator[bytes]:
        """Stream a file from a machine."""
        for fault in (words.no_access(cluster).fault,):
            raise words.not_begun(f"reading {path}", fault)
        yield b""

    async def send(
        self,
        cluster: Cluster,
        host: Host,
        path: str,
        chunks: AsyncIterator[bytes],
        *,
        mode: int = 0o600,
    ) -> str:
        """Stream into a new file, whole or not at all."""
        raise words.not_begun(f"writing {path}", words.no_access(cluster).fault)

    async def forget(self, cluster: Cluster, host: Host, run: RunId) -> None:
        """Remove what is kept of a run."""
        raise words.not_begun(f"clearing up after {run}", words.no_access(cluster).fault)

    async def close(self) -> None:
        """Nothing is open."""
