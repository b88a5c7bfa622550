"""Work on machines in memory, with points around each call at which a worker may crash."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from bot.targets.ssh.memory import FakeHosts
from procedures.engine.hosts import Transcript
from procedures.model.host import Ended, Mark, Trace
from procedures.model.ids import RunId
from procedures.model.inventory import Cluster, Host
from tests.support.script import Script


@dataclass(slots=True)
class ActingOnHosts:
    """FakeHosts' changes, with points around each; FakeHosts notes those that took effect.

    `run` has one more between the start and the end of what it runs.
    """

    hosts: FakeHosts
    script: Script

    async def run(
        self,
        cluster: Cluster,
        host: Host,
        mark: Mark,
        argv: Sequence[str],
        *,
        limit_ms: int,
        transcript: Transcript,
        stdin: bytes = b"",
    ) -> Ended:
        if mark.key in {key for _, key in self.hosts.machines[host.name].work}:
            self.script.point()  # it is only followed: nothing is changed
        else:
            await self._before()
        self.hosts.begin(cluster, host, mark, argv, limit_ms=limit_ms, stdin=stdin)
        self.script.point()
        ended = await self.hosts.follow(cluster, host, mark, transcript)
        self.script.point()
        return ended

    async def settle(self, cluster: Cluster, host: Host, mark: Mark) -> Trace:
        self.script.point()
        trace = await self.hosts.settle(cluster, host, mark)
        self.script.point()
        return trace

    async def stop(self, cluster: Cluster, host: Host, mark: Mark) -> Trace:
        self.script.point()
        trace = await self.hosts.stop(cluster, host, mark)
        self.script.point()
        return trace

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
        await self._before()
        await self.hosts.write(cluster, host, path, content, was=was, mode=mode)
        self.script.point()

    def fetch(self, cluster: Cluster, host: Host, path: str) -> AsyncIterator[bytes]:
        return self.hosts.fetch(cluster, host, path)

    async def send(
        self,
        cluster: Cluster,
        host: Host,
        path: str,
        chunks: AsyncIterator[bytes],
        *,
        mode: int = 0o600,
    ) -> str:
        await self._before()
        sha256 = await self.hosts.send(cluster, host, path, chunks, mode=mode)
        self.script.point()
        return sha256

    async def forget(self, cluster: Cluster, host: Host, run: RunId) -> None:
        self.script.point()
        await self.hosts.forget(cluster, host, run)
        self.script.point()

    async def _before(self) -> None:
        await self.script.call()
        self.script.point()
