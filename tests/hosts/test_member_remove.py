"""Removing members on real hosts: the cluster's list, and all that names the member."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from procedures.etcd.observe import observe
from procedures.model import envfile
from procedures.model.errors import Refused
from procedures.model.inventory import Platform
from procedures.model.quorum import Health
from procedures.model.run import State
from tests.hosts.stage import on_stage
from tests.support.real_stage import RealStage
from tests.support.waiting import eventually
from tests.testbed import Host, HostSpec, Namespace, Testbed
from tests.testbed.flavours import FlavourName
from tests.testbed.masters import asks, make_master, use_flannel

NAMES = ("etcd-1", "etcd-10", "etcd-2")
"""One is the beginning of another."""

ASKING = (
    ("etcd-10", "api"),
    ("etcd-10", "controllers"),
    ("etcd-2", "api"),
    ("etcd-2", "controllers"),
    ("etcd-2", "flannel"),
)


@pytest.fixture
def bed(inside: Namespace) -> Iterator[Testbed]:
    with Testbed.start([HostSpec(name) for name in NAMES], bot=inside) as bed:
        yield bed


async def test_a_healthy_member_is_removed(bed: Testbed, tmp_path: Path) -> None:
    """Its host has no etcd any more, also after a boot, and the data is kept beside."""
    cluster = bed.cluster(NAMES)
    async with on_stage(bed, cluster, Platform.OKD3, tmp_path) as stage:
        run = (await stage.carried_out("etcd member remove", member="etcd-10")).run
        assert run.state is State.SUCCEEDED, run.error
        assert await voters(stage) == {"etcd-1", "etcd-2"}
    assert set(told(bed["etcd-1"])) == {"etcd-1", "etcd-2"}
    gone = bed["etcd-10"]
    enabled = gone.run(["systemctl", "is-enabled", "etcd.service"], check=False)
    assert enabled.output.strip() == "disabled"
    assert gone.run(["pgrep", "-x", "etcd"], check=False).status == 1
    assert gone.path("/var/lib/etcd/member.quorumbot-1").is_dir()
    assert not gone.path("/var/lib/etcd/member").exists()


@pytest.mark.parametrize(
    ("flavour", "platform"), [("okd3", Platform.OKD3), ("ocp311", Platform.OCP311)]
)
async def test_who_asks_etcd_asks_the_others_right_afterwards(
    inside: Namespace, tmp_path: Path, flavour: FlavourName, platform: Platform
) -> None:
    """Masters and Flannel run anew, with the removed one's very URL gone from their lists."""
    with Testbed.start([HostSpec(name, flavour) for name in NAMES], bot=inside) as bed:
        cluster = bed.cluster(NAMES)
        urls = [f"https://{name}:2379" for name in NAMES]
        for name in ("etcd-10", "etcd-2"):
            make_master(bed[name], cluster.pki, urls)
        use_flannel(bed["etcd-2"], urls)
        await eventually(lambda: all(asks(bed[name], who) == urls for name, who in ASKING), 30)
        bed["etcd-1"].power_off()
        async with on_stage(
            bed, cluster, platform, tmp_path, masters=["etcd-10", "etcd-2"]
        ) as stage:
            await stage.down("etcd-1")
            journal = await stage.carried_out("etcd member remove", member="etcd-1")
            assert journal.run.state is State.SUCCEEDED, journal.run.error
            for name, who in ASKING:
                assert asks(bed[name], who) == urls[1:], (name, who)
            with pytest.raises(Refused, match="All masters ask the voters already"):
                await stage.planned("master set-etcd-urls")
            with pytest.raises(Refused, match="There is nothing to do"):
                await stage.planned("host flannel set-endpoints")


def told(host: Host) -> list[str]:
    """Whom a host's configuration names as members."""
    text = envfile.read(host.path("/etc/etcd/etcd.conf").read_text())["ETCD_INITIAL_CLUSTER"]
    return [each.partition("=")[0] for each in text.split(",")]


async def voters(stage: RealStage) -> set[str]:
    view = await observe(stage.cluster, stage)
    return {seen.name for seen in view.voters if seen.health is Health.HEALTHY}
