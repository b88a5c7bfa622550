"""What hosts add to `etcd health`: each figure, and that none of them changes the verdict."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.targets.etcd.model import Condition
from bot.targets.ssh.model import FakeMachine, Say
from procedures.etcd import health
from procedures.host import asking
from procedures.model import envfile
from procedures.model.ids import ClusterName, MemberName
from procedures.model.inventory import Inventory, Platform
from procedures.model.platform import Pair
from procedures.model.report import Figure, HealthReport, Level, Verdict
from tests.support.furnishing import a_furnished_sight, show
from tests.support.openssl import issued
from tests.support.sight import NOW_MS, FakeSight

DEMO = ClusterName("demo")
CONFIG = "/etc/etcd/etcd.conf"
PEER = Pair("/etc/etcd/peer.crt", "/etc/etcd/peer.key")
PEERS = "demo-1=https://demo-1.invalid:2380,demo-2=https://demo-2.invalid:2380"
GOOD = frozenset({Level.OK, Level.INFO})


async def asked(sight: FakeSight) -> HealthReport:
    answers = [report async for report in health.ask(health.Args(DEMO), sight)]
    return answers[-1]


def machine(sight: FakeSight, number: int = 1) -> FakeMachine:
    return sight.hosts.machines[f"demo-{number}"]


def figures(report: HealthReport, name: str, of: str | None = None) -> list[Figure]:
    return [each for each in report.hosts if each.name == name and of in {None, each.member}]


def configure(at: FakeMachine, **changes: str | None) -> None:
    at.files.put(CONFIG, envfile.edited(at.files.text(CONFIG), changes))


async def test_all_is_well() -> None:
    """Every figure is there for every host, and good."""
    report = await asked(a_furnished_sight())
    assert {each.level for each in report.hosts} == {Level.OK}
    for name in ("service", "config", "disk", "data", "time service", "entropy", "CA file"):
        assert [each.member for each in figures(report, name)] == ["demo-1", "demo-2", "demo-3"]
    assert figures(report, "disk", "demo-2")[0].text.endswith("/var/lib/etcd, a mount of its own")
    assert "0 restarts" in figures(report, "service", "demo-1")[0].text
    assert len(report.clocks) == 3


@pytest.mark.parametrize("without", [{"hosts": ()}, {"ssh": None}])
async def test_without_hosts_it_is_as_before(without: dict[str, Any]) -> None:
    """No host or no way there: nothing is asked, and what is not known for that is said."""
    sight = a_furnished_sight()
    cluster = replace(sight.inventory.clusters[DEMO], **without)
    sight.inventory = Inventory({DEMO: cluster})
    report = await asked(sight)
    assert (report.hosts, report.clocks) == ((), ())
    unlearnt = {each.name for each in report.figures if each.text.endswith(("the hosts",))}
    assert unlearnt == {"disk", "clock", "files"}


async def test_a_host_that_cannot_be_reached_is_unknown() -> None:
    """It is one line with why, neither red nor green, and the verdict stays."""
    sight = a_furnished_sight()
    machine(sight, 3).cut_off()
    report = await asked(sight)
    (only,) = [each for each in report.hosts if each.member == "demo-3"]
    assert (only.name, only.level, only.counts) == ("host", Level.UNKNOWN, False)
    assert "demo-3 (10.0.0.3) cannot be reached" in only.text
    assert report.verdict is Verdict.HEALTHY


async def test_nothing_of_hosts_changes_the_verdict() -> None:
    """They are told as warnings; the verdict is what etcd's members proved."""
    sight = a_furnished_sight()
    for each in sight.hosts.machines.values():
        each.used_percent, each.synchronised = 97, False
        each.clock_off_ms = 10_000 * each.number
        each.files.remove("/etc/etcd")
    report = await asked(sight)
    assert {each.level for each in report.hosts} >= {Level.WARN}
    assert report.headline == "demo: healthy, 3 of 3 members"


async def test_the_first_verdict_waits_for_no_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that hangs costs its own time, and only the last answer waits for it."""
    monkeypatch.setattr(asking, "LIMIT_MS", 100)
    sight = a_furnished_sight()

    async def hang(_: FakeMachine, __: Sequence[str], ___: bytes, ____: Say) -> int:
        await asyncio.Event().wait()
        return 0

    machine(sight, 2).programs["df"] = hang
    answers = health.ask(health.Args(DEMO), sight)
    first = await anext(answers)
    assert (first.samples, first.hosts) == (1, ())
    last = await anext(answers)
    (disk,) = figures(last, "disk", "demo-2")
    assert disk.level is Level.UNKNOWN
    assert "did not answer `df` within" in disk.text
    assert figures(last, "service", "demo-2")[0].level is Level.OK
    assert await anext(answers, None) is None


async def test_an_answer_that_nobody_waits_for_ends_the_asking() -> None:
    """Whoever stops reading leaves no question to a host behind."""
    sight = a_furnished_sight()
    begun, ended = asyncio.Event(), asyncio.Event()

    async def hang(_: FakeMachine, __: Sequence[str], ___: bytes, ____: Say) -> int:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return 0

    machine(sight).programs["date"] = hang
    answers = health.ask(health.Args(DEMO), sight)
    await anext(answers)
    async with asyncio.timeout(5):
        await begun.wait()
        await answers.aclose()  # type: ignore[attr-defined]  # it is a generator
    assert ended.is_set()


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
    (found,) = figures(await asked(sight), "service", "demo-1")
    assert found.level is level
    assert found.text.startswith(words)


async def test_a_static_pod() -> None:
    """There the manifest tells whether etcd is to run; nothing counts its restarts here."""
    sight = a_furnished_sight()
    cluster = replace(sight.inventory.clusters[DEMO], platform=Platform.OCP311)
    sight.inventory = Inventory({DEMO: cluster})
    machine(sight).files.put("/etc/origin/node/pods/etcd.yaml", "kind: Pod\n")
    report = await asked(sight)
    assert figures(report, "service", "demo-1")[0].text == "manifest in place, etcd runs"
    assert figures(report, "service", "demo-2")[0].level is Level.WARN


async def test_a_spare_without_a_member() -> None:
    """An etcd that runs where no member lives is told; an empty host is fine."""
    sight = a_furnished_sight()
    del sight.demo.members[MemberName("demo-3")]
    report = await asked(sight)
    (found,) = figures(report, "service", "demo-3")
    assert found.level is Level.WARN
    assert found.text.endswith("no member lives here")
    unit = machine(sight, 3).units["etcd.service"]
    unit.active, unit.enabled = "inactive", "disabled"
    machine(sight, 3).files.remove(CONFIG)
    report = await asked(sight)
    assert figures(report, "service", "demo-3")[0].level is Level.OK
    assert not figures(report, "config", "demo-3")


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
    (found,) = figures(await asked(sight), "config", "demo-1")
    assert found.level is Level.WARN
    assert found.text.startswith(words)


async def test_what_the_file_does_not_set_is_no_difference() -> None:
    """It may stand on the command line, and the state of a first start says nothing later."""
    sight = a_furnished_sight()
    at = machine(sight)
    configure(at, ETCD_NAME=None, ETCD_INITIAL_CLUSTER=None, ETCD_INITIAL_CLUSTER_STATE="existing")
    (found,) = figures(await asked(sight), "config", "demo-1")
    assert (found.level, found.text) == (
        Level.OK,
        "as the member list has it, initial state existing",
    )


async def test_a_configuration_without_a_list_to_compare_with() -> None:
    """Nobody gives one: then nobody can tell, and the rest of the host is told all the same."""
    sight = a_furnished_sight()
    for each in sight.demo.members.values():
        each.condition = Condition.STOPPED
    report = await asked(sight)
    assert report.verdict is Verdict.NO_QUORUM
    assert figures(report, "config", "demo-1")[0].level is Level.UNKNOWN
    assert figures(report, "disk", "demo-1")[0].level is Level.OK


async def test_disk() -> None:
    """From 90 % on it is a warning (R13); a log elsewhere is looked at too."""
    sight = a_furnished_sight()
    at = machine(sight)
    at.used_percent = 90
    at.files.folder("/wal/etcd")
    configure(at, ETCD_WAL_DIR="/wal/etcd")
    del machine(sight, 2).mounts["/var/lib/etcd"]
    report = await asked(sight)
    data, log = figures(report, "disk", "demo-1")
    assert data.level is Level.WARN
    assert data.text.startswith("90 % of 100.0 GiB used, 10.0 GiB free on /var/lib/etcd")
    assert log.text.endswith("on /, which has /wal/etcd")
    (other,) = figures(report, "disk", "demo-2")
    assert other.text.endswith("on /, which has /var/lib/etcd")


async def test_entropy_of_an_old_kernel() -> None:
    """Only there it can run out; the size of the pool tells."""
    sight = a_furnished_sight()
    for number, available in ((1, 799), (2, 900), (3, 3_000)):
        files = machine(sight, number).files
        files.put("/proc/sys/kernel/random/poolsize", "4096\n")
        files.put("/proc/sys/kernel/random/entropy_avail", f"{available}\n")
    found = figures(await asked(sight), "entropy")
    assert [each.level for each in found] == [Level.WARN, Level.INFO, Level.OK]
    assert "start rngd" in found[0].text


async def test_a_time_service_as_old_systemd_tells_it() -> None:
    """Before 239 there is no `show`: the words for people are read."""
    sight = a_furnished_sight()
    for each in sight.hosts.machines.values():
        each.knows_show = False
    machine(sight, 2).synchronised = False
    machine(sight, 3).synchronised = machine(sight, 3).time_service = False
    found = figures(await asked(sight), "time service")
    assert [(each.level, each.text) for each in found] == [
        (Level.OK, "synchronised"),
        (Level.WARN, "on, and not synchronised yet"),
        (Level.WARN, "off, and nothing synchronises"),
    ]


async def test_clocks() -> None:
    """Each two are compared (R18); the report has all pairs, the figure the worst."""
    sight = a_furnished_sight()
    machine(sight, 2).clock_off_ms = 1_500
    machine(sight, 3).clock_off_ms = -300
    report = await asked(sight)
    assert [(pair.ahead, pair.behind, pair.by_ms) for pair in report.clocks] == [
        ("demo-2", "demo-3", 1_800),
        ("demo-2", "demo-1", 1_500),
        ("demo-1", "demo-3", 300),
    ]
    assert {pair.give_or_take_ms for pair in report.clocks} == {2}
    (found,) = figures(report, "clock")
    assert found.level is Level.WARN
    assert found.text == (
        "demo-2 is 1.80 s ahead of demo-3, give or take 0.01 s, and 1 more like that, "
        "more than 1 s (R18)"
    )


async def test_clocks_that_a_slow_way_hides() -> None:
    """What the delay leaves open is unknown, not a warning and not good."""
    sight = a_furnished_sight()

    async def slow(at: FakeMachine, _: Sequence[str], __: bytes, say: Say) -> int:
        sight.clock.ms += 1_500
        await say(f"{at.now_ms()}000000")
        sight.clock.ms += 100
        return 0

    machine(sight, 2).programs["date"] = slow
    report = await asked(sight)
    (found,) = figures(report, "clock")
    assert found.level is Level.UNKNOWN
    assert "the way is too slow to tell more" in found.text


def ending(days: int) -> Callable[[FakeMachine], None]:
    def act(at: FakeMachine) -> None:
        show(at, PEER, issued(at.name, "10.0.0.1", days=days, at_s=NOW_MS // 1_000))

    return act


def of_another_ca(at: FakeMachine) -> None:
    show(at, PEER, issued(at.name, "10.0.0.1", at_s=NOW_MS // 1_000, by="another"))


def for_another(at: FakeMachine) -> None:
    show(at, PEER, issued("demo-2", "10.0.0.2", at_s=NOW_MS // 1_000))


def missing(at: FakeMachine) -> None:
    at.files.remove(PEER.cert)


def spoilt(at: FakeMachine) -> None:
    at.files.put(PEER.cert, "no certificate at all\n")


@pytest.mark.parametrize(
    ("happens", "level", "words"),
    [
        (ending(30), Level.OK, "30 days left"),
        (ending(29), Level.WARN, "/etc/etcd/peer.crt: 29 days left (R17)"),
        (ending(-3), Level.CRITICAL, "/etc/etcd/peer.crt: expired 2 days ago (R17)"),
        (of_another_ca, Level.WARN, "365 days left; not of the CA in /etc/etcd/ca.crt: unable to"),
        (for_another, Level.WARN, "365 days left; not for demo-1.invalid (R17)"),
        (missing, Level.WARN, "/etc/etcd/peer.crt is missing or no certificate"),
        (spoilt, Level.WARN, "/etc/etcd/peer.crt is missing or no certificate"),
    ],
)
async def test_certificates_in_files(
    happens: Callable[[FakeMachine], None], level: Level, words: str
) -> None:
    """Days left, whose they are, and for which address (R17)."""
    sight = a_furnished_sight()
    happens(machine(sight))
    report = await asked(sight)
    (found,) = figures(report, "peer certificate file", "demo-1")
    assert found.level is level
    assert words in found.text
    (other,) = figures(report, "server certificate file", "demo-1")
    assert other.level in GOOD


async def test_the_files_that_etcd_is_told_to_use() -> None:
    """Not those that usually lie there."""
    sight = a_furnished_sight()
    at = machine(sight)
    elsewhere = Pair("/etc/etcd/mine.crt", "/etc/etcd/mine.key")
    show(at, elsewhere, issued(at.name, "10.0.0.1", days=5, at_s=NOW_MS // 1_000))
    configure(at, ETCD_PEER_CERT_FILE=elsewhere.cert)
    (found,) = figures(await asked(sight), "peer certificate file", "demo-1")
    assert found.text.startswith("/etc/etcd/mine.crt: 5 days left")


async def test_a_host_without_openssl() -> None:
    """Then nobody can tell."""
    sight = a_furnished_sight()
    del machine(sight).programs["openssl"]
    (found,) = figures(await asked(sight), "peer certificate file", "demo-1")
    assert (found.level, found.text) == (
        Level.UNKNOWN,
        "demo-1: openssl is not installed there",
    )


async def test_an_operators_cluster() -> None:
    """There nobody looks for etcd on the hosts; what they are like themselves is told."""
    sight = a_furnished_sight()
    cluster = replace(sight.inventory.clusters[DEMO], platform=Platform.OCP4)
    sight.inventory = Inventory({DEMO: cluster})
    report = await asked(sight)
    (found,) = figures(report, "service", "demo-1")
    assert (found.level, found.text) == (Level.UNKNOWN, "on ocp4, etcd is run by an operator")
    assert figures(report, "clock")[0].level is Level.OK
