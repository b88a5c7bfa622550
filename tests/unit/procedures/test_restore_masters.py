"""API servers of OpenShift and OKD 3 that are units: none runs while data is restored. (R14)"""

import pytest

from bot.targets.ssh.model import FakeUnit
from procedures.model.inventory import Platform
from procedures.model.run import State
from tests.support.lost_cluster import lose
from tests.support.theatre import a_theatre

ALL = ("demo-1", "demo-2", "demo-3")
UNITS = (
    "origin-master-api.service",
    "atomic-openshift-master-api.service",
    "origin-master.service",
    "atomic-openshift-master.service",
)


@pytest.mark.parametrize("name", UNITS)
async def test_whatever_its_unit_is_called(name: str) -> None:
    """A single master has one unit for all (P47). It is stopped first, and started afterwards."""
    theatre = a_theatre("etcd restore", {})
    lose(theatre, *ALL, platform=Platform.OKD3)
    theatre.people_help = True
    unit = FakeUnit(active="active", enabled="enabled")
    theatre.sight.hosts.machines["demo-2"].units[name] = unit
    await theatre.approved()
    assert theatre.run.plan is not None
    titles = [step.title for step in theatre.run.plan.steps]
    stop, start = (f"{verb} the API server on demo-2" for verb in ("Stop", "Start"))
    assert titles.index(stop) < titles.index("Stop etcd on demo-1") < titles.index(start)
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert (unit.active, unit.enabled, unit.starts) == ("active", "enabled", 1)
    assert f"demo-2: systemctl disable --now {name}" in theatre.effects
