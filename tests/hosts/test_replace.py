"""Replacing members on real hosts, over SSH."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from procedures.etcd.observe import observe
from procedures.model.errors import Refused
from procedures.model.inventory import Platform
from procedures.model.quorum import Health
from procedures.model.run import State
from tests.hosts.stage import on_stage
from tests.support.real_stage import RealStage
from tests.support.waiting import eventually
from tests.testbed import HostSpec, Namespace, Testbed

NAMES = ("etcd-1", "etcd-2", "etcd-3")


@pytest.fixture
def bed(inside: Namespace) -> Iterator[Testbed]:
    with Testbed.start([HostSpec(name) for name in (*NAMES, "etcd-4")], bot=inside) as bed:
        yield bed


async def test_a_host_without_power_is_replaced(bed: Testbed, tmp_path: Path) -> None:
    """The spare takes its place with the same data; the old one is refused, and is retired."""
    cluster = bed.cluster(NAMES, spares=["etcd-4"])
    cluster.etcdctl("put", "before", "kept")
    bed["etcd-3"].power_off()
    async with on_stage(bed, cluster, Platform.OKD3, tmp_path) as stage:
        await stage.down("etcd-3")
        run = (await stage.carried_out("etcd replace", member="etcd-3")).run
        assert run.state is State.SUCCEEDED, run.error
        assert await voters(stage) == {"etcd-1", "etcd-2", "etcd-4"}
        found = cluster.etcdctl("get", "before", members=["etcd-1"])["kvs"]
        assert [base64.b64decode(each["value"]) for each in found] == [b"kept"]

        bed["etcd-3"].power_on()
        refused = "the member has been permanently removed from the cluster"
        await eventually(lambda: refused in bed["etcd-3"].journal("etcd"), 60, refused)
        with pytest.raises(Refused, match="its etcd stays on"):
            await stage.planned("etcd retire", host="etcd-4")
        run = (await stage.carried_out("etcd retire", host="etcd-3")).run
        assert run.state is State.SUCCEEDED, run.error
        enabled = bed["etcd-3"].run(["systemctl", "is-enabled", "etcd.service"], check=False)
        assert enabled.output.strip() == "disabled"
        assert bed["etcd-3"].path("/var/lib/etcd/member.quorumbot-1").is_dir()


async def test_a_healthy_member_is_replaced(bed: Testbed, tmp_path: Path) -> None:
    """The new one votes before the old one goes, which is off then."""
    cluster = bed.cluster(NAMES, spares=["etcd-4"])
    async with on_stage(bed, cluster, Platform.OKD3, tmp_path) as stage:
        run = (await stage.carried_out("etcd replace", member="etcd-1")).run
        assert run.state is State.SUCCEEDED, run.error
        assert await voters(stage) == {"etcd-2", "etcd-3", "etcd-4"}
    assert bed["etcd-1"].run(["pgrep", "-x", "etcd"], check=False).status == 1


async def voters(stage: RealStage) -> set[str]:
    view = await observe(stage.cluster, stage)
    return {seen.name for seen in view.voters if seen.health is Health.HEALTHY}
