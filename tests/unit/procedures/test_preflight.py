"""`/etcd preflight`: every prerequisite in one answer."""

from collections.abc import Callable, Sequence

import pytest

from bot import words
from bot.targets.etcd.model import Condition
from bot.targets.ssh.model import FakeMachine, Say
from procedures.catalogue import INQUIRIES
from procedures.etcd.preflight import Args
from procedures.model.errors import Refused, UsageError
from procedures.model.ids import ClusterName, MemberName
from procedures.model.report import HostsReport, Level
from tests.support.lost_cluster import keep
from tests.support.platforms import on_kubespray
from tests.support.theatre import Theatre, a_theatre
from tests.unit.procedures.plans.case import planned

DEMO = ClusterName("demo")
WANTED = {
    *("members", "size", "versions", "backup", "address", "service", "machine", "version"),
    *("room", "data"),
    *("certificates", "CA", "configuration", "ports", "clock", "time service", "entropy"),
    *("disk", "mount", "medium"),
}


async def _solid(_: FakeMachine, __: Sequence[str], ___: bytes, say: Say) -> int:
    await say("   0")
    return 0


def furnished(size: int = 2) -> Theatre:
    """A cluster, one host more, and nothing that is wrong with that."""
    theatre = a_theatre("etcd scale-up", {}, size)
    keep(theatre.backups, theatre.sight.clock.ms - 3_600_000)
    for machine in theatre.sight.hosts.machines.values():
        for name in ("poolsize", "entropy_avail"):
            machine.files.put(f"/proc/sys/kernel/random/{name}", "256\n")
        machine.files.put("/proc/sys/kernel/osrelease", "6.1.0-18-amd64\n")
        machine.mounts["/var/lib/etcd"] = "/dev/vdb"
        machine.programs["lsblk"] = _solid
    return theatre


async def asked(theatre: Theatre, host: str | None = None) -> HostsReport:
    ask = INQUIRIES["etcd preflight"].ask
    (only,) = [report async for report in ask(Args(DEMO, host), theatre.sight)]
    assert isinstance(only, HostsReport)
    return only


async def test_all_is_ready() -> None:
    """Each thing that is needed has a line, and none says anything against it."""
    report = await asked(furnished())
    assert {each.name for each in report.figures} == WANTED
    assert {each.level for each in report.figures} == {Level.OK}, words.host_lines(report)
    assert report.headline == "demo: demo-3 is ready to get a member"


@pytest.mark.parametrize(
    ("owner", "mode", "words"),
    [
        ("root", 0o755, "etcd, as whom etcd runs, may not write to /var/lib/etcd (0755, root)"),
        ("etcd", 0o500, "etcd, as whom etcd runs, may not write to /var/lib/etcd (0500, etcd)"),
        (None, 0, "there is no /var/lib/etcd: make it, as etcd's, as whom etcd runs"),
        ("etcd", 0o700, None),
        ("root", 0o770, None),
    ],
)
async def test_a_data_folder_that_etcd_may_not_write_to(
    owner: str | None, mode: int, words: str | None
) -> None:
    """As of a disk that was just mounted there: a member would be added, and never start."""
    theatre = furnished()
    machine = theatre.sight.hosts.machines["demo-3"]
    machine.units["etcd.service"].user = "etcd"
    if owner is None:
        machine.files.remove("/var/lib/etcd")
    else:
        machine.files.folder("/var/lib/etcd").owner = owner
        machine.files.folder("/var/lib/etcd").mode = mode
    (data,) = [each for each in (await asked(theatre)).figures if each.name == "data"]
    assert data.level is (Level.OK if words is None else Level.CRITICAL), data.text
    assert (words or "") in data.text
    if words:
        with pytest.raises(Refused, match=r"demo-3 cannot get a member: .*/var/lib/etcd"):
            await planned(theatre)


async def test_it_changes_nothing() -> None:
    """Machines are only asked."""
    theatre = furnished()
    await asked(theatre)
    assert theatre.effects == []


def spare(theatre: Theatre) -> FakeMachine:
    return theatre.sight.hosts.machines["demo-3"]


def down(theatre: Theatre) -> None:
    theatre.sight.demo.members[MemberName("demo-2")].condition = Condition.STOPPED


def mixed(theatre: Theatre) -> None:
    theatre.sight.demo.members[MemberName("demo-2")].version = "3.5.16"


def off(theatre: Theatre) -> None:
    spare(theatre).power_off()


def barred(theatre: Theatre) -> None:
    theatre.sight.hosts.machines["demo-1"].closed.add(("10.0.0.3", 2380))


def unreachable(theatre: Theatre) -> None:
    theatre.sight.hosts.machines["demo-1"].reachable = False


def without_lsblk(theatre: Theatre) -> None:
    del spare(theatre).programs["lsblk"]


def without_backup(theatre: Theatre) -> None:
    theatre.backups.stored.clear()


def old_backup(theatre: Theatre) -> None:
    theatre.backups.stored.clear()
    keep(theatre.backups, theatre.sight.clock.ms - 30 * 3_600_000)


def no_place(theatre: Theatre) -> None:
    theatre.sight.backups = None


def with_data(theatre: Theatre) -> None:
    spare(theatre).files.folder("/var/lib/etcd/member")


def on_the_systems_disk(theatre: Theatre) -> None:
    del spare(theatre).mounts["/var/lib/etcd"]


def little_room(theatre: Theatre) -> None:
    spare(theatre).free_at["/var/lib/etcd"] = 1


def elsewhere(theatre: Theatre) -> None:
    files = theatre.sight.hosts.machines["demo-1"].files
    files.put("/etc/etcd/etcd.conf", files.text("/etc/etcd/etcd.conf") + "ETCD_DATA_DIR=/data/etcd")


def late(theatre: Theatre) -> None:
    spare(theatre).clock_off_ms = -5_000


CASES: dict[str, tuple[Callable[[Theatre], None], Level, str]] = {
    "a member is down": (down, Level.CRITICAL, "members: 0 healthy of 2, quorum 2"),
    "an upgrade is under way": (mixed, Level.CRITICAL, "versions: the members have etcd 3.4 and 3"),
    "no power": (off, Level.UNKNOWN, "demo-3 cannot be reached, so it cannot get a member"),
    "a firewall": (barred, Level.WARN, "ports: nothing gets through from demo-1 to 10.0.0.3:2380"),
    "a member's host is off": (unreachable, Level.UNKNOWN, "ports: from demo-1 nobody could try"),
    "no lsblk": (without_lsblk, Level.UNKNOWN, "demo-3: `lsblk"),
    "no backup": (without_backup, Level.WARN, "backup: there is none that was taken with quorum"),
    "an old backup": (old_backup, Level.WARN, "backup: the newest is 30 h old: see why"),
    "no place for backups": (no_place, Level.CRITICAL, "backup: no place for backups"),
    "data of a member": (with_data, Level.INFO, "data: data of a member lies at /var/lib/etcd/m"),
    "no mount": (on_the_systems_disk, Level.WARN, "mount: /var/lib/etcd is none of its own"),
    "a small disk of its own": (
        little_room,
        Level.CRITICAL,
        "room: its data folder has 0.0 GiB left",
    ),
    "data elsewhere": (
        elsewhere,
        Level.CRITICAL,
        "configuration: The data of demo-1 is in /data/etcd, not in /var/lib/etcd",
    ),
    "a clock": (late, Level.WARN, "clock: demo-1 is 5.00 s ahead of demo-3"),
}


@pytest.mark.parametrize("name", CASES)
async def test_what_is_not_ready(name: str) -> None:
    """One line says what, and how much that matters."""
    act, level, text = CASES[name]
    theatre = furnished()
    act(theatre)
    report = await asked(theatre, "demo-3")
    lines = words.host_lines(report)
    assert any(text in each for each in lines), lines
    found = [each for each in report.figures if text.split(": ")[-1] in each.text]
    assert level in {each.level for each in found}, found
    ready = level in {Level.OK, Level.INFO, Level.WARN}
    assert report.headline.startswith("demo: demo-3 is ready") is ready


async def test_an_even_number() -> None:
    """It is said, and stands against nothing."""
    report = await asked(furnished(3))
    assert report.headline == "demo: demo-4 is ready to get a member, 1 warning"
    assert words.host_lines(report)[0].startswith("warning: size: 4 voters tolerate no more than 3")


async def test_a_host_with_a_member() -> None:
    """There is nothing to look at."""
    report = await asked(furnished(), "demo-2")
    assert report.headline == "demo: demo-2 cannot get a member now, 1 against it"
    assert words.host_lines(report) == [
        "critical: demo-2: it has the member demo-2 already: nothing is to be added"
    ]


async def test_no_such_host() -> None:
    """A name is taken as it is spelt."""
    with pytest.raises(UsageError, match=r"There is no host 'demo-33'\. Did you mean demo-3\?"):
        await asked(furnished(), "demo-33")


async def test_kubespray() -> None:
    """The wrapper, the unit and its own certificates are looked at too."""
    theatre = furnished()
    on_kubespray(theatre)
    report = await asked(theatre)
    assert report.headline == "demo: demo-3 is ready to get a member", words.host_lines(report)
