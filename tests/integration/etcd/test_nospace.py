"""A real cluster whose data files are full: NOSPACE is on, no write is taken, and it gets out."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.sandbox.demo.cluster import DemoCluster
from procedures.etcd.observe import observe
from procedures.etcd.view import NOSPACE
from procedures.model.errors import Permanent, Refused
from procedures.model.run import State
from tests.contract.etcd.worlds import inventory
from tests.support.etcdctl import etcdctl
from tests.support.real_stage import RealStage
from tests.support.services import MakeCluster

QUOTA_BYTES = 4 * 1024**2


@pytest.fixture
async def demo(make_cluster: MakeCluster) -> DemoCluster:
    """A cluster with a small quota."""
    return await make_cluster(quota_bytes=QUOTA_BYTES)


@pytest.fixture
async def stage(
    demo: DemoCluster, binary: Callable[[str], str], tmp_path: Path
) -> AsyncIterator[RealStage]:
    """All that a run needs on it."""
    (tmp_path / "backups").mkdir(mode=0o700)
    stage = RealStage(inventory(demo, tmp_path), {"3.4": binary("etcdctl")}, tmp_path / "backups")
    yield stage
    await stage.close()


async def fill(demo: DemoCluster, tool: str) -> None:
    """Overwrite a key until etcd takes no more."""
    for _ in range(200):
        try:
            await etcdctl(tool, demo, "put", "ballast", "x" * 100_000)
        except RuntimeError as error:
            assert "database space exceeded" in str(error)  # noqa: PT017 - else the test is void
            return
    raise AssertionError("it takes all of it")


async def test_a_full_cluster_gets_going_again(
    demo: DemoCluster, stage: RealStage, binary: Callable[[str], str]
) -> None:
    """A snapshot comes first; then each file is small, no alarm is on, and writes are taken."""
    await fill(demo, binary("etcdctl"))
    with pytest.raises(Permanent, match="database space exceeded"):
        await stage.act.write_and_read(stage.cluster, demo.endpoints["demo-1"], "value")
    before = await observe(stage.cluster, stage)
    assert {alarm.kind for alarm in before.alarms} == {NOSPACE}
    journal = await stage.carried_out("etcd nospace")
    assert journal.run.state is State.SUCCEEDED, (journal.run.error, journal.said)
    after = await observe(stage.cluster, stage)
    assert after.alarms == ()
    assert all(status.db_size < QUOTA_BYTES // 4 for _, status in after.statuses())
    (snapshot,) = await stage.backups.listing(stage.cluster.name)
    assert snapshot.size > QUOTA_BYTES // 2
    assert any("of 4.0 MiB (" in line and "NOSPACE" in line for line in journal.said)
    await etcdctl(binary("etcdctl"), demo, "put", "after", "x" * 100_000)


async def test_without_the_alarm(stage: RealStage) -> None:
    """It is refused in words."""
    with pytest.raises(Refused, match=r"has raised NOSPACE \(R15\): there is nothing to do"):
        await stage.carried_out("etcd nospace")
