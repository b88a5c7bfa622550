"""Ansible's inventory and its playbook on real hosts, and a worker that is lost meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from procedures.engine.execute import execute
from procedures.etcd.observe import observe
from procedures.model.ansible import names_in
from procedures.model.errors import Refused
from procedures.model.inventory import Platform
from procedures.model.quorum import Health
from procedures.model.run import State
from tests.chaos.witness import Witness
from tests.hosts.stage import on_stage
from tests.support.real_stage import Journal, RealStage
from tests.support.waiting import eventually
from tests.testbed import Cluster, Host, HostSpec, Namespace, Testbed
from tests.testbed.ansible import have_ansible

MEMBERS, SPARE = ("etcd-1", "etcd-10", "etcd-2"), "etcd-4"
"""One is the beginning of another."""


@asynccontextmanager
async def installed(
    inside: Namespace, folder: Path
) -> AsyncIterator[tuple[RealStage, Testbed, Cluster]]:
    """A cluster and a spare, with Ansible on the first host."""
    with Testbed.start([HostSpec(name) for name in (*MEMBERS, SPARE)], bot=inside) as bed:
        cluster = bed.cluster(MEMBERS, spares=[SPARE])
        ansible = have_ansible(bed, "etcd-1", MEMBERS)
        async with on_stage(bed, cluster, Platform.OKD3, folder, ansible=ansible) as stage:
            yield stage, bed, cluster


def listed(bed: Testbed, group: str) -> tuple[str, ...]:
    """Whom the inventory lists in a group."""
    return names_in(bed["etcd-1"].path("/etc/ansible/hosts").read_text(), group)


async def voters(stage: RealStage) -> set[str]:
    view = await observe(stage.cluster, stage)
    return {seen.name for seen in view.voters if seen.health is Health.HEALTHY}


async def done(stage: RealStage, procedure: str, **args: str) -> Journal:
    journal = await stage.carried_out(procedure, **args)
    assert journal.run.state is State.SUCCEEDED, (journal.run.error, journal.said)
    return journal


async def test_a_worker_that_is_lost_while_the_playbook_runs(
    inside: Namespace, tmp_path: Path
) -> None:
    """Another one follows it to its end; then the host that goes leaves the inventory again."""
    async with installed(inside, tmp_path) as (stage, bed, cluster):
        first = bed["etcd-1"]
        first.machine.write("etc/ansible/pause", "2\n")
        with Witness(stage.cluster, list(cluster.endpoints.values())) as witness:
            journal = await cut_off(stage, first)
            plan = journal.run.plan
            assert plan is not None
            await execute(plan, journal, stage)
            assert journal.run.state is State.SUCCEEDED, (journal.run.error, journal.said)
            assert await voters(stage) == {*MEMBERS, SPARE}
            assert (listed(bed, "etcd"), listed(bed, "new_etcd")) == ((*MEMBERS, SPARE), ())
            assert sum("Add new etcd members" in each for each in journal.said) <= 2
            assert any("PLAY RECAP" in each for each in journal.said)
            await done(stage, "etcd member remove", member="etcd-1")
            assert listed(bed, "etcd") == ("etcd-10", "etcd-2", SPARE)
        assert witness.lost() == []
        inventory = first.path("/etc/ansible/hosts")
        assert inventory.stat().st_mode & 0o777 == 0o640
        assert "# Who is where; ask before you change it.\n" in inventory.read_text()
        former = [each.read_text() for each in inventory.parent.glob(".hosts.quorumbot-*")]
        assert len(former) == 3


async def cut_off(stage: RealStage, host: Host) -> Journal:
    """Begin, and lose the worker when the playbook has begun."""
    plan = await stage.planned("etcd scale-up-ansible", host=SPARE)
    journal = await stage.begun("etcd scale-up-ansible", plan, host=SPARE)
    worker = asyncio.create_task(execute(plan, journal, stage))

    async def begun() -> bool:
        return host.run(["pgrep", "-f", "[a]nsible-playbook -i"], check=False).status == 0

    await eventually(begun, 60, "the playbook runs")
    worker.cancel()
    with pytest.raises(asyncio.CancelledError):
        await worker
    return journal


async def test_a_playbook_that_fails_half_way(inside: Namespace, tmp_path: Path) -> None:
    """What it left is named, with what to do; after that it may be asked for again."""
    async with installed(inside, tmp_path) as (stage, bed, _):
        first = bed["etcd-1"]
        first.machine.write("etc/ansible/fails-at", "Configure and start\n")
        journal = await stage.carried_out("etcd scale-up-ansible")
        assert journal.run.state is State.FAILED
        error = journal.run.error or ""
        assert "ended with status 2" in error
        assert "which has never started (R5)" in error
        assert listed(bed, "new_etcd") == (SPARE,)
        with pytest.raises(Refused, match="was added and has never started"):
            await stage.planned("etcd scale-up-ansible")
        member = error.split("/etcd member remove ")[1].split(",")[0]
        await done(stage, "etcd member remove", member=member)
        assert listed(bed, "new_etcd") == ()
        first.path("/etc/ansible/fails-at").unlink()
        await done(stage, "etcd scale-up-ansible")
        assert await voters(stage) == {*MEMBERS, SPARE}
        assert listed(bed, "etcd") == (*MEMBERS, SPARE)
