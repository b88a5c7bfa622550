"""All that people have around etcd, at once, as `quorumbot sandbox --hosts --around` has it."""

from pathlib import Path

import pytest

from procedures.model.errors import Refused
from procedures.model.inventory import Ansible, Platform
from procedures.model.run import State
from tests.hosts.stage import on_stage
from tests.support.real_stage import Journal, RealStage
from tests.testbed import HostSpec, Namespace, Testbed
from tests.testbed.around import furnish
from tests.testbed.flavours import FlavourName
from tests.testbed.masters import asks

NAMES, SPARE = ("etcd-1", "etcd-2", "etcd-3"), "etcd-4"


async def done(stage: RealStage, procedure: str, **args: str) -> Journal:
    journal = await stage.carried_out(procedure, **args)
    assert journal.run.state is State.SUCCEEDED, (procedure, journal.run.error, journal.said)
    return journal


@pytest.mark.parametrize(
    ("flavour", "platform"), [("okd3", Platform.OKD3), ("ocp311", Platform.OCP311)]
)
async def test_a_dead_member_is_replaced_everywhere(
    inside: Namespace, tmp_path: Path, flavour: FlavourName, platform: Platform
) -> None:
    """Masters, Flannel and the inventory know the new one; then each list is found to be right."""
    specs = [HostSpec(name, flavour) for name in (*NAMES, SPARE)]
    with Testbed.start(specs, bot=inside) as bed:
        cluster = bed.cluster(NAMES, spares=[SPARE])
        around = furnish(bed, cluster, flavour)
        assert around.ansible is not None
        async with on_stage(
            bed,
            cluster,
            platform,
            tmp_path,
            masters=around.masters,
            ansible=Ansible(around.ansible),
        ) as stage:
            await done(stage, "host clock fix")
            if flavour == "okd3":
                await done(stage, "etcd backup v2")
            await done(stage, "master restart")
            bed["etcd-3"].power_off()
            await stage.down("etcd-3")
            await done(stage, "etcd replace", member="etcd-3", with_=SPARE)
            urls = [f"https://{bed[name].address}:2379" for name in ("etcd-1", "etcd-2", SPARE)]
            for name, who in (("etcd-1", "api"), ("etcd-2", "controllers"), ("etcd-2", "flannel")):
                assert sorted(asks(bed[name], who)) == urls, (name, who)
            inventory = bed["etcd-1"].path("/etc/ansible/hosts").read_text()
            assert f"{SPARE} ansible_host={bed[SPARE].address}\n" in inventory
            assert "etcd-3" not in inventory
            with pytest.raises(Refused, match="All masters ask the voters already"):
                await stage.planned("master set-etcd-urls")
