"""Members whose data is elsewhere than their platform has it: what is not looked at stays."""

from collections.abc import Callable

import pytest

from bot.targets.etcd.model import Condition
from procedures.model import envfile
from procedures.model.errors import Refused
from procedures.model.ids import MemberName
from tests.support.furnishing import at_home
from tests.support.theatre import Theatre, a_theatre
from tests.unit.procedures.plans.case import planned

CONFIG = "/etc/etcd/etcd.conf"
ELSEWHERE = {"ETCD_DATA_DIR": "/data/etcd"}
OWN_LOG = {"ETCD_WAL_DIR": "/wal/etcd"}
WHERE = (
    r" is in /data/etcd, not in /var/lib/etcd \(ETCD_DATA_DIR in /etc/etcd/etcd\.conf\), so .*"
    r"Mount its disk at /var/lib/etcd, or make /var/lib/etcd a link to /data/etcd; then let "
    r"ETCD_DATA_DIR say /var/lib/etcd\."
)
LOG = (
    r"The log of demo-1 is in a place of its own, /wal/etcd \(ETCD_WAL_DIR in .*\), so demo-4, "
    r"which gets the same settings, .* Move it to /var/lib/etcd/member/wal"
)


def configured(changes: dict[str, str], *names: str) -> Callable[[Theatre], None]:
    """Let hosts have other settings."""

    def act(theatre: Theatre) -> None:
        for name in names:
            files = theatre.sight.hosts.machines[name].files
            files.put(CONFIG, envfile.edited(files.text(CONFIG), dict(changes)))

    return act


def dead(name: str, then: Callable[[Theatre], None]) -> Callable[[Theatre], None]:
    """Let a member be down on a host that answers."""

    def act(theatre: Theatre) -> None:
        theatre.sight.demo.members[MemberName(name)].condition = Condition.STOPPED
        then(theatre)

    return act


def corrupt(name: str, then: Callable[[Theatre], None]) -> Callable[[Theatre], None]:
    """Let a member hold data of its own."""

    def act(theatre: Theatre) -> None:
        at_home(theatre)
        theatre.sight.demo.members[MemberName(name)].hash = 1
        theatre.sight.demo.raise_alarm(MemberName(name), "CORRUPT")
        then(theatre)

    return act


ALL = ("demo-1", "demo-2", "demo-3")
CASES: dict[str, tuple[str, dict[str, str], Callable[[Theatre], None], str]] = {
    "the settings that a new member gets": (
        "etcd scale-up",
        {},
        configured(ELSEWHERE, *ALL),
        f"The data of demo-1{WHERE}",
    ),
    "the log of a new member": ("etcd scale-up", {}, configured(OWN_LOG, *ALL), LOG),
    "the settings that a replacement gets": (
        "etcd replace",
        {"member": "demo-3"},
        dead("demo-3", configured(ELSEWHERE, *ALL)),
        f"The data of demo-1{WHERE}",
    ),
    "of a corrupt member": (
        "etcd replace-corrupt",
        {"member": "demo-3"},
        corrupt("demo-3", configured(ELSEWHERE, "demo-3")),
        f"The data of demo-3{WHERE}",
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_data_elsewhere(name: str) -> None:
    """It is refused before anybody is asked, with the path and what would satisfy it."""
    procedure, args, facts, words = CASES[name]
    theatre = a_theatre(procedure, args)
    facts(theatre)
    with pytest.raises(Refused, match=words):
        await planned(theatre)


@pytest.mark.parametrize("changes", [ELSEWHERE, OWN_LOG])
@pytest.mark.parametrize(
    ("procedure", "args", "host"),
    [
        ("etcd replace", {"member": "demo-3"}, "demo-3"),
        ("etcd member remove", {"member": "demo-3"}, "demo-3"),
        ("etcd retire", {"host": "demo-4"}, "demo-4"),
    ],
)
async def test_data_elsewhere_keeps_no_member_in(
    procedure: str, args: dict[str, str], host: str, changes: dict[str, str]
) -> None:
    """A dead one goes all the same, and its etcd; its data stays, which is said."""
    theatre = a_theatre(procedure, args)
    dead("demo-3", configured(changes, host))(theatre)
    theatre.sight.hosts.machines[host].files.folder("/var/lib/etcd/member")
    plan = await planned(theatre)
    titles = [step.title for step in plan.steps]
    assert f"Switch etcd on {host} off" in titles
    assert not [each for each in titles if "aside" in each]
    assert any("so no data is moved aside there: do that by hand" in each for each in plan.facts)


async def test_a_slash_at_the_end_is_no_other_place() -> None:
    """Installers write it."""
    theatre = a_theatre("etcd replace", {"member": "demo-3"})
    configured({"ETCD_DATA_DIR": "/var/lib/etcd/", "ETCD_WAL_DIR": ""}, *ALL)(theatre)
    titles = [step.title for step in (await planned(theatre)).steps]
    assert "Move the data of demo-3 aside" in titles
