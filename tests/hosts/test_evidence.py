"""Dead, or only out of the bot's reach: what the other members tell of it, on both versions."""

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
from tests.testbed.flavours import Version

NAMES = ("etcd-1", "etcd-2", "etcd-3")


@pytest.fixture(params=["3.4", "3.5"])
def bed(request: pytest.FixtureRequest, inside: Namespace) -> Iterator[Testbed]:
    version: Version = request.param
    specs = [HostSpec(name, etcd_version=version) for name in (*NAMES, "etcd-4")]
    with Testbed.start(specs, bot=inside) as bed:
        yield bed


async def test_the_dead_are_told_from_those_out_of_reach(bed: Testbed, tmp_path: Path) -> None:
    """One that works is never called down, on whatever network; without power it is replaced."""
    cluster = bed.cluster(NAMES, spares=["etcd-4"])
    hidden = bed["etcd-3"]
    async with on_stage(bed, cluster, Platform.OKD3, tmp_path) as stage:
        bed.network.bar(hidden.name, 2379)
        await unreached(stage, hidden.name)
        assert {await health(stage, hidden.name) for _ in range(3)} == {Health.UNKNOWN}
        with pytest.raises(Refused, match="etcd-1 and etcd-2 are connected to it"):
            await stage.planned("etcd member remove", member=hidden.name)
        bed.network.unbar(hidden.name)
        bed.hide_from_bot([hidden.name])
        await unreached(stage, hidden.name)
        assert {await health(stage, hidden.name) for _ in range(3)} == {Health.UNKNOWN}
        for procedure in ("etcd member remove", "etcd replace"):
            with pytest.raises(Refused, match="Nobody can tell whether etcd-3 is dead"):
                await stage.planned(procedure, member=hidden.name)
        hidden.run(["systemctl", "restart", "etcd"])
        assert await health(stage, hidden.name) is Health.UNKNOWN
        hidden.loss(30)
        assert {await health(stage, hidden.name) for _ in range(10)} == {Health.UNKNOWN}
        hidden.power_off()
        await stage.down(hidden.name)
        plan = await stage.planned("etcd member remove", member=hidden.name)
        assert any("is failed" in fact for fact in plan.facts)
        run = (await stage.carried_out("etcd replace", member=hidden.name)).run
        assert run.state is State.SUCCEEDED, run.error
        view = await observe(stage.cluster, stage)
        assert {seen.name for seen in view.voters} == {"etcd-1", "etcd-2", "etcd-4"}


async def unreached(stage: RealStage, name: str) -> None:
    async def known() -> bool:
        return await health(stage, name) is not Health.HEALTHY

    await eventually(known, 30, f"{name} is out of reach")


async def health(stage: RealStage, name: str) -> Health:
    view = await observe(stage.cluster, stage)
    return next(seen.health for seen in view.seen if seen.name == name)
