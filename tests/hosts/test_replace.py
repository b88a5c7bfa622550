"""Replacing members on real hosts, over SSH, while an independent witness writes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from procedures.model.inventory import Platform
from procedures.model.run import State
from tests.hosts.stage import on_stage
from tests.testbed import HostSpec, Namespace, Testbed

NAMES = ("etcd-1", "etcd-2", "etcd-3")


@pytest.fixture
def bed(inside: Namespace) -> Iterator[Testbed]:
    with Testbed.start([HostSpec(name) for name in (*NAMES, "etcd-4")], bot=inside) as bed:
        yield bed


async def test_a_host_without_power_is_replaced(bed: Testbed, tmp_path: Path) -> None:
    """The spare takes its place; when the old one is back it is refused, and can be retired."""
    cluster = bed.cluster(NAMES, spares=["etcd-4"])
    bed["etcd-3"].power_off()
    async with on_stage(bed, cluster, Platform.OKD3, tmp_path) as stage:
        await stage.down("etcd-3")
        journal = await stage.carried_out("etcd replace", member="etcd-3")
        print("\n".join(journal.said))
        assert journal.run.state is State.SUCCEEDED, journal.run.error
