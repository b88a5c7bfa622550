"""Registering hosts and updating their etcd, one after the other, while a witness writes. (P58)"""

from pathlib import Path

from procedures.engine.execute import execute
from procedures.etcd.observe import observe
from procedures.model.events import Reported
from procedures.model.ids import UserId
from procedures.model.inventory import Platform
from procedures.model.run import State
from tests.chaos.witness import Witness
from tests.hosts.stage import on_stage
from tests.support.real_stage import Journal, RealStage
from tests.testbed import HostSpec, Namespace, Testbed
from tests.testbed.around import be_rhel, register

NAMES = ("etcd-1", "etcd-2", "etcd-3")


async def say_done(journal: Journal, stage: RealStage) -> None:
    asked, plan = journal.run.asked, journal.run.plan
    assert asked is not None, (journal.run.state, journal.run.error)
    assert plan is not None
    await journal.write(Reported(asked.step, asked.attempt, UserId("U0BOB")))
    await execute(plan, journal, stage)


async def versions(stage: RealStage) -> list[str]:
    view = await observe(stage.cluster, stage)
    return [status.version for _, status in view.statuses()]


async def test_from_registering_to_the_next_minor(inside: Namespace, tmp_path: Path) -> None:
    """A person registers one host; then all are updated, and no write is lost."""
    with Testbed.start([HostSpec(name) for name in NAMES], bot=inside) as bed:
        cluster = bed.cluster(NAMES)
        for name in NAMES:
            be_rhel(bed[name])
            if name != "etcd-2":
                register(bed[name])
        async with on_stage(bed, cluster, Platform.OKD3, tmp_path) as stage:
            journal = await stage.carried_out("host rhsm-update")
            await say_done(journal, stage)
            assert "This system is not yet registered" in str(journal.run.asked)
            register(bed["etcd-2"])
            await say_done(journal, stage)
            assert journal.run.state is State.SUCCEEDED, (journal.run.error, journal.said)
            before = await versions(stage)
            with Witness(stage.cluster, list(cluster.endpoints.values())) as witness:
                journal = await stage.carried_out("host rhsm-update")
                assert journal.run.state is State.SUCCEEDED, (journal.run.error, journal.said)
            assert witness.lost() == []
            assert {each[:4] for each in before} == {"3.4."}
            assert [each[:4] for each in await versions(stage)] == ["3.5."] * 3
