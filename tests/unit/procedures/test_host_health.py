"""What hosts add to `etcd health`: each figure, and that none of them changes the verdict."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.targets.ssh.model import FakeMachine, Say
from procedures.etcd import health
from procedures.host import asking
from procedures.model.inventory import Inventory
from procedures.model.report import Level, Verdict
from tests.support.furnishing import a_furnished_sight
from tests.support.health import DEMO, final
from tests.support.host_health import configure, figures, machine


async def test_all_is_well() -> None:
    """Every figure is there for every host, and good."""
    report = await final(a_furnished_sight())
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
    report = await final(sight)
    assert (report.hosts, report.clocks) == ((), ())
    unlearnt = {each.name for each in report.figures if each.text.endswith(("the hosts",))}
    assert unlearnt == {"disk", "clock", "files"}


async def test_a_host_that_cannot_be_reached_is_unknown() -> None:
    """It is one line with why, neither red nor green, and the verdict stays."""
    sight = a_furnished_sight()
    machine(sight, 3).cut_off()
    report = await final(sight)
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
    report = await final(sight)
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


async def test_disk() -> None:
    """From 90 % on it is a warning (R13); a log elsewhere is looked at too."""
    sight = a_furnished_sight()
    at = machine(sight)
    at.used_percent = 90
    at.files.folder("/wal/etcd")
    configure(at, ETCD_WAL_DIR="/wal/etcd")
    del machine(sight, 2).mounts["/var/lib/etcd"]
    report = await final(sight)
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
    found = figures(await final(sight), "entropy")
    assert [each.level for each in found] == [Level.WARN, Level.INFO, Level.OK]
    assert "start rngd" in found[0].text


async def test_a_time_service_as_old_systemd_tells_it() -> None:
    """Before 239 there is no `show`: the words for people are read."""
    sight = a_furnished_sight()
    for each in sight.hosts.machines.values():
        each.knows_show = False
    machine(sight, 2).synchronised = False
    machine(sight, 3).synchronised = machine(sight, 3).time_service = False
    found = figures(await final(sight), "time service")
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
    report = await final(sight)
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
    report = await final(sight)
    (found,) = figures(report, "clock")
    assert found.level is Level.UNKNOWN
    assert "the way is too slow to tell more" in found.text
