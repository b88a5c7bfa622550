"""`/host clock`, `/host disk` and `/host entropy`."""

from dataclasses import replace

import pytest

from bot import words
from procedures.catalogue import INQUIRIES
from procedures.host.answering import Args
from procedures.model.errors import Refused
from procedures.model.ids import ClusterName
from procedures.model.inventory import Inventory, Platform
from procedures.model.report import HostsReport, Level
from tests.support.furnishing import a_furnished_sight
from tests.support.sight import FakeSight

DEMO = ClusterName("demo")
NAMES = ("host clock", "host disk", "host entropy")


async def asked(name: str, sight: FakeSight) -> HostsReport:
    (only,) = [report async for report in INQUIRIES[name].ask(Args(DEMO), sight)]
    assert isinstance(only, HostsReport)
    return only


@pytest.mark.parametrize("name", NAMES)
async def test_all_is_well(name: str) -> None:
    """The first words say of how many hosts it is, and that nothing is wrong."""
    report = await asked(name, a_furnished_sight())
    assert report.headline.endswith(" of 3 of 3 hosts, nothing is wrong")
    assert {each.level for each in report.figures} == {Level.OK}


@pytest.mark.parametrize("name", NAMES)
async def test_a_host_that_cannot_be_reached(name: str) -> None:
    """It is unknown, and the first of the lines; the others are told."""
    sight = a_furnished_sight()
    sight.hosts.machines["demo-2"].power_off()
    report = await asked(name, sight)
    assert report.headline.endswith(" of 2 of 3 hosts, 1 unknown")
    first = words.host_lines(report)[0]
    assert first.startswith("unknown: demo-2 (10.0.0.2) cannot be reached")
    assert {each.member for each in report.figures} >= {"demo-1", "demo-3"}


@pytest.mark.parametrize("name", NAMES)
async def test_a_cluster_without_hosts(name: str) -> None:
    """A refusal that says where to list them."""
    sight = a_furnished_sight()
    cluster = replace(sight.inventory.clusters[DEMO], hosts=())
    sight.inventory = Inventory({DEMO: cluster})
    with pytest.raises(Refused, match=r"List them in `clusters\.demo\.hosts`"):
        await asked(name, sight)


async def test_clocks_apart() -> None:
    """Every pair is in the answer; the figure names the worst."""
    sight = a_furnished_sight()
    sight.hosts.machines["demo-3"].clock_off_ms = -4_000
    report = await asked("host clock", sight)
    assert report.headline == "demo: clocks of 3 of 3 hosts, 1 warning"
    assert len(report.clocks) == 3
    assert report.figures[0].text.startswith("demo-1 is 4.00 s ahead of demo-3, give or take")


async def test_disks_of_the_system_and_of_etcd() -> None:
    """Each file system once, under the path that is its mount where one is."""
    sight = a_furnished_sight()
    sight.hosts.machines["demo-1"].files.folder("/var/log")
    report = await asked("host disk", sight)
    texts = [each.text for each in report.figures if each.member == "demo-1"]
    assert [text.partition(" free on ")[2] for text in texts[:2]] == [
        "/, a mount of its own",
        "/var/lib/etcd, a mount of its own",
    ]
    assert texts[2].endswith("MiB in /var/lib/etcd")


async def test_a_var_that_is_too_small() -> None:
    """Each host by what runs there; the figure says how large it is, and should be."""
    sight = a_furnished_sight()
    cluster = replace(sight.inventory.clusters[DEMO], masters=("demo-2", "demo-3"))
    hosts = tuple(replace(each, etcd=each.name != "demo-3") for each in cluster.hosts)
    sight.inventory = Inventory({DEMO: replace(cluster, hosts=hosts)})
    for machine in sight.hosts.machines.values():
        machine.files.folder("/var/log")
        machine.free_bytes = 9 * 10**9
    sight.hosts.machines["demo-3"].free_bytes = 20 * 10**9
    report = await asked("host disk", sight)
    warned = {each.member: each.text for each in report.figures if each.level is Level.WARN}
    assert warned == {
        "demo-1": "/var is on 18.0 GB, less than the 20 GB that an etcd host should have",
        "demo-2": "/var is on 18.0 GB, less than the 40 GB that a master should have",
    }
    assert report.headline == "demo: disks of 3 of 3 hosts, 2 warnings"


async def test_disks_of_an_operators_cluster() -> None:
    """Those of the system only."""
    sight = a_furnished_sight()
    cluster = replace(sight.inventory.clusters[DEMO], platform=Platform.OCP4)
    sight.inventory = Inventory({DEMO: cluster})
    report = await asked("host disk", sight)
    assert {each.name for each in report.figures} == {"disk"}
