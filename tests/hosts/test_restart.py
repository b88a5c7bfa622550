"""Restarting etcd on real hosts, over SSH."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from procedures.model.errors import Refused
from procedures.model.inventory import Platform
from procedures.model.run import State
from tests.hosts.stage import on_stage
from tests.testbed import Cluster, HostSpec, Namespace, Testbed

NAMES = ("etcd-1", "etcd-2", "etcd-3")


@pytest.fixture(scope="module")
def bed(inside: Namespace) -> Iterator[Testbed]:
    with Testbed.start([HostSpec(name) for name in NAMES], bot=inside) as bed:
        yield bed


@pytest.fixture(scope="module")
def cluster(bed: Testbed) -> Cluster:
    return bed.cluster(NAMES)


def process(bed: Testbed, name: str) -> str:
    return bed[name].run(["pgrep", "-x", "etcd"]).output.strip()


async def test_all_are_restarted_one_by_one(bed: Testbed, cluster: Cluster, tmp_path: Path) -> None:
    """Each has another process afterwards, and all are healthy."""
    before = {name: process(bed, name) for name in NAMES}
    async with on_stage(bed, cluster, Platform.OKD3, tmp_path) as stage:
        run = (await stage.carried_out("etcd restart")).run
    assert run.state is State.SUCCEEDED, run.error
    after = {name: process(bed, name) for name in NAMES}
    assert all(after[name] and after[name] != before[name] for name in NAMES)
    assert cluster.healthy() == list(NAMES)


async def test_a_host_without_power(bed: Testbed, cluster: Cluster, tmp_path: Path) -> None:
    """Its restart is refused, with what is wrong; so is that of the others."""
    bed["etcd-3"].power_off()
    async with on_stage(bed, cluster, Platform.OKD3, tmp_path) as stage:
        with pytest.raises(Refused, match="etcd-3 cannot be reached"):
            await stage.planned("etcd restart", member="etcd-3")
        with pytest.raises(Refused, match=r"\(R10\)"):
            await stage.planned("etcd restart", member="etcd-1")
    bed["etcd-3"].power_on()
