"""Waiting until etcd has ended on a host."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from bot.targets.ssh.model import FakeMachine, Say
from procedures.actions.host.service import Service
from procedures.engine.hosts import Transcript
from procedures.engine.ports import Work
from procedures.model.host import Mark
from procedures.model.ids import ClusterName, RunId
from procedures.model.inventory import Platform
from procedures.model.platform import layout
from tests.support.sight import a_sight


@dataclass
class Patient(Work):
    """Counts for how long it has rested."""

    rested_ms: int = 0

    def mark(self, name: str) -> Mark:
        return Mark(RunId("r-00000001"), 1, 1, name)

    def transcript(self, host: str, mark: Mark) -> Transcript:
        raise NotImplementedError

    async def say(self, line: str) -> None:
        raise AssertionError(line)

    async def guard(self) -> None: ...

    async def pause(self, duration_ms: int) -> None: ...

    async def cancelling(self) -> None: ...

    async def rest(self, duration_ms: int) -> None:
        self.rested_ms += duration_ms


@pytest.mark.parametrize(
    ("platform", "least_ms"),
    [(Platform.OCP311, 8_000), (Platform.OKD3, 0), (Platform.KUBESPRAY, 0)],
)
async def test_a_pod_that_fails_may_come_once_more(platform: Platform, least_ms: int) -> None:
    """Once, after 2 s without one; then none for long enough. What a unit stops stays away."""
    sight, work = a_sight(), Patient()
    cluster = sight.inventory.clusters[ClusterName("demo")]
    host = cluster.hosts[0]

    async def pgrep(_: FakeMachine, __: Sequence[str], ___: bytes, ____: Say) -> int:
        return 0 if 2_000 < work.rested_ms < 3_000 else 1

    sight.hosts.machines[host.name].programs["pgrep"] = pgrep
    assert await Service(cluster, host, layout(platform)).ended(sight, work)
    assert least_ms <= work.rested_ms < 9_000
