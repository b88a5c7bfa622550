"""How etcd runs on hosts and is configured there, as `etcd health` tells it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.targets.etcd.model import Condition
from bot.targets.ssh.model import FakeMachine
from procedures.model.ids import MemberName
from procedures.model.inventory import Inventory, Platform
from procedures.model.report import Level, Verdict
from tests.support.furnishing import a_furnished_sight
from tests.support.health import DEMO, final
from tests.support.host_health import CONFIG, configure, figures, machine

PEERS = "demo-1=https://demo-1.invalid:2380,demo-2=https://demo-2.invalid:2380"


def disable(at: FakeMachine) -> None:
    at.units["etcd.service"].enabled = "disabled"


def crash(at: FakeMachine) -> None:
    at.units["etcd.service"].fail(at)


def restart(at: FakeMachine) -> None:
    at.units["etcd.service"].restarts = 7


def no_unit(at: FakeMachine) -> None:
    del at.units["etcd.service"]


@pytest.mark.parametrize(
    ("happens", "level", "words"),
    [
        (disable, Level.WARN, "disabled, active, 0 restarts by itself, etcd runs: it would not"),
        (crash, Level.WARN, "enabled, failed, 0 restarts by itself, no etcd runs"),
        (restart, Level.INFO, "enabled, active, 7 restarts by itself"),
        (no_unit, Level.WARN, "no etcd.service, no etcd runs"),
    ],
)
async def test_the_service(
    happens: Callable[[FakeMachine], None], level: Level, words: str
) -> None:
    """Told to start, running, and how often systemd had to start it again."""
    sight = a_furnished_sight()
    happens(machine(sight))
    (found,) = figures(await final(sight), "service", "demo-1")
    assert found.level is level
    assert found.text.startswith(words)


async def test_a_static_pod() -> None:
    """There the manifest tells whether etcd is to run; nothing counts its restarts here."""
    sight = a_furnished_sight()
    cluster = replace(sight.inventory.clusters[DEMO], platform=Platform.OCP311)
    sight.inventory = Inventory({DEMO: cluster})
    machine(sight).files.put("/etc/origin/node/pods/etcd.yaml", "kind: Pod\n")
    report = await final(sight)
    assert figures(report, "service", "demo-1")[0].text == "manifest in place, etcd runs"
    assert figures(report, "service", "demo-2")[0].level is Level.WARN


async def test_a_spare_without_a_member() -> None:
    """An etcd that runs where no member lives is told; an empty host is fine."""
    sight = a_furnished_sight()
    del sight.demo.members[MemberName("demo-3")]
    report = await final(sight)
    (found,) = figures(report, "service", "demo-3")
    assert found.level is Level.WARN
    assert found.text.endswith("no member lives here")
    unit = machine(sight, 3).units["etcd.service"]
    unit.active, unit.enabled = "inactive", "disabled"
    machine(sight, 3).files.remove(CONFIG)
    report = await final(sight)
    assert figures(report, "service", "demo-3")[0].level is Level.OK
    assert not figures(report, "config", "demo-3")


async def test_an_operators_cluster() -> None:
    """There nobody looks for etcd on the hosts; what they are like themselves is told."""
    sight = a_furnished_sight()
    cluster = replace(sight.inventory.clusters[DEMO], platform=Platform.OCP4)
    sight.inventory = Inventory({DEMO: cluster})
    report = await final(sight)
    (found,) = figures(report, "service", "demo-1")
    assert (found.level, found.text) == (Level.UNKNOWN, "on ocp4, etcd is run by an operator")
    assert figures(report, "clock")[0].level is Level.OK


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ETCD_NAME": "demo-10"}, "ETCD_NAME is 'demo-10', in the member list it is demo-1"),
        (
            {"ETCD_INITIAL_ADVERTISE_PEER_URLS": "https://10.9.9.9:2380"},
            "ETCD_INITIAL_ADVERTISE_PEER_URLS is https://10.9.9.9:2380, in the member list",
        ),
        (
            {"ETCD_ADVERTISE_CLIENT_URLS": "https://10.9.9.9:2379"},
            "ETCD_ADVERTISE_CLIENT_URLS is https://10.9.9.9:2379, in the member list",
        ),
        (
            {"ETCD_INITIAL_CLUSTER": f"{PEERS},gone=https://g:2380"},
            "ETCD_INITIAL_CLUSTER, read at a first start only: gone=https://g:2380 is no member, ",
        ),
        (
            {"ETCD_INITIAL_CLUSTER_STATE": "exists"},
            "ETCD_INITIAL_CLUSTER_STATE is 'exists', neither new nor existing",
        ),
    ],
)
async def test_a_configuration_that_says_something_else(
    changes: dict[str, str], words: str
) -> None:
    """Each difference from the member list is a warning."""
    sight = a_furnished_sight()
    configure(machine(sight), **changes)
    (found,) = figures(await final(sight), "config", "demo-1")
    assert found.level is Level.WARN
    assert found.text.startswith(words)


async def test_what_the_file_does_not_set_is_no_difference() -> None:
    """It may stand on the command line, and the state of a first start says nothing later."""
    sight = a_furnished_sight()
    at = machine(sight)
    configure(at, ETCD_NAME=None, ETCD_INITIAL_CLUSTER=None, ETCD_INITIAL_CLUSTER_STATE="existing")
    (found,) = figures(await final(sight), "config", "demo-1")
    assert (found.level, found.text) == (
        Level.OK,
        "as the member list has it, initial state existing",
    )


async def test_a_configuration_without_a_list_to_compare_with() -> None:
    """Nobody gives one: then nobody can tell, and the rest of the host is told all the same."""
    sight = a_furnished_sight()
    for each in sight.demo.members.values():
        each.condition = Condition.STOPPED
    report = await final(sight)
    assert report.verdict is Verdict.NO_QUORUM
    assert figures(report, "config", "demo-1")[0].level is Level.UNKNOWN
    assert figures(report, "disk", "demo-1")[0].level is Level.OK
