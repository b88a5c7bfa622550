"""A unit that systemd cannot start is found before anything is stopped for it."""

import pytest

from procedures.model.errors import Refused
from tests.support.theatre import Theatre, a_theatre
from tests.unit.procedures.plans.case import planned
from tests.unit.procedures.test_restore import ALL, a_loss
from tests.unit.procedures.test_scale_up import masked as masked_spare


def mask(theatre: Theatre, *names: str) -> Theatre:
    """Let somebody want to keep etcd off, by hand."""
    for name in names:
        theatre.sight.hosts.machines[name].units["etcd.service"].enabled = "masked"
    return theatre


async def test_a_dead_member_is_not_removed_for_a_host_that_cannot_start() -> None:
    """A replacement would stop between removal and start."""
    theatre = a_theatre("etcd replace", {"member": "demo-3"})
    masked_spare(theatre)
    with pytest.raises(Refused, match=r"demo-4 cannot get a member: etcd\.service is masked"):
        await planned(theatre)


async def test_a_cluster_is_restored_where_etcd_can_start() -> None:
    """The next host is the first then; the masked one stays off, and is told why."""
    plan = await planned(mask(a_loss(*ALL), "demo-1"))
    assert any(each.startswith("demo-2 (10.0.0.2) is restored first") for each in plan.facts)
    said = "demo-1 stays off: etcd.service is masked there (systemctl unmask etcd.service"
    assert any(each.startswith(said) for each in plan.facts)


@pytest.mark.parametrize("lost", [a_loss(*ALL), a_loss(*ALL, on="demo-1")])
async def test_a_cluster_is_not_restored_where_none_can(lost: Theatre) -> None:
    """It says which host has what in the way."""
    with pytest.raises(Refused, match=r"masked there \(systemctl unmask etcd\.service lets"):
        await planned(mask(lost, *ALL))


async def test_who_stays_off_is_told_how_to_come_back() -> None:
    """By the whole procedure; where there are no learners, by hand."""
    plan = await planned(a_loss("demo-1", "demo-3", off=("demo-2",)))
    assert any(each.endswith("Add it later with /etcd scale-up demo-3.") for each in plan.facts)
