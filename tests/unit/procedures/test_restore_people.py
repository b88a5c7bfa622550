"""What people do about API servers, controllers and kubelets when etcd is restored. (P34; R14)"""

import pytest

from procedures.etcd.watchers import RESTARTS
from procedures.model.inventory import Platform
from procedures.model.platform import layout
from procedures.model.run import State
from tests.support.lost_cluster import Tools, lose
from tests.support.theatre import a_theatre
from tests.unit.procedures.plans.case import planned
from tests.unit.procedures.test_restore import ALL


@pytest.mark.parametrize("platform", [each for each in Platform if each is not Platform.OCP4])
async def test_people_restart_who_has_watched_the_old_data(platform: Platform) -> None:
    """Last of all, where there are API servers; the run ends when somebody says it is done."""
    theatre = a_theatre("etcd restore", {})
    newer = Tools("3.5.16", ("etcd", "etcdctl", "etcdutl"), restores=("etcdutl",))
    tools = newer if platform is Platform.KUBESPRAY else None
    lose(theatre, *ALL, platform=platform, tools=tools)
    await theatre.approved()
    await theatre.work()
    plan = theatre.run.plan
    assert plan is not None
    while theatre.run.asked and theatre.run.asked.step < len(plan.steps):
        theatre.report()
        await theatre.work()
    if layout(platform).apis:
        assert theatre.run.asked is not None, theatre.run.error
        assert "start the API servers again" in plan.steps[-1].command
        assert RESTARTS[platform] in plan.steps[-1].command
        theatre.report()
        await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error


async def test_api_servers_on_hosts_that_nobody_sees() -> None:
    """People are asked to stop them too, and to leave them off until the old data is aside."""
    theatre = a_theatre("etcd restore", {})
    lose(theatre, "demo-1", "demo-2", off=("demo-3",), platform=Platform.OCP311)
    plan = await planned(theatre)
    [off] = [step for step in plan.steps if "runs on demo-3" in step.title]
    assert off.title == "Make sure that no etcd and no API server runs on demo-3"
    assert "stop etcd and the API server there" in off.command
    assert "on demo-3 only once /var/lib/etcd/member has been moved aside" in plan.steps[-1].command
