"""Certificates that have expired: who is renewed at once, who first, and what is no proof of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.targets.etcd.model import Condition
from procedures.model import certificate
from procedures.model.errors import Refused
from procedures.model.ids import MemberName
from procedures.model.inventory import Platform
from procedures.model.plan import Risk
from procedures.model.run import State
from tests.support.certified import DEMO, ReadingFiles, give, keep_authority
from tests.support.expired import ALL, DatedEtcd, expired
from tests.support.openssl_ca import ca
from tests.support.sight import FakeSight
from tests.support.theatre import Theatre, a_theatre
from tests.unit.procedures.plans.case import planned

RENEW = "etcd certs renew"
PEERS = ("peer",)
Scene = Callable[[Theatre], None]


def made(scene: Scene, **args: str) -> Theatre:
    theatre = a_theatre(RENEW, args)
    scene(theatre)
    return theatre


async def carried_out(theatre: Theatre) -> Theatre:
    await theatre.approved()
    await theatre.work()
    return theatre


def ends_s(theatre: Theatre, name: str, path: str = "/etc/etcd/peer.crt") -> int:
    leaf = certificate.read(theatre.sight.hosts.machines[name].files.file(path).content)
    assert leaf is not None
    return leaf.ends_s


@pytest.mark.parametrize("platform", [Platform.ETCD, Platform.OKD3, Platform.KUBESPRAY])
async def test_all_at_once_brings_quorum_back(platform: Platform) -> None:
    """Each is stopped and started once, and the cluster takes writes; no data was touched."""
    theatre = await carried_out(made(expired(platform=platform)))
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert theatre.run.plan is not None
    assert theatre.run.plan.risk is Risk.DESTRUCTIVE
    assert [theatre.units()[name] for name in ALL] == [("active", 1)] * 3
    assert all(theatre.sight.hosts.machines[name].units["etcd.service"].enabled for name in ALL)
    assert theatre.sight.demo.quorum


async def test_nothing_is_stopped_before_all_is_signed() -> None:
    """And nothing is started before all files are in place."""
    plan = await planned(made(expired()))
    kinds = [each.action for each in plan.steps]
    assert kinds == [
        *["host.make-keys/1", "host.sign-certificates/1"] * 3,
        *["host.stop-etcd/1"] * 3,
        *["host.place-certificates/1"] * 3,
        *["host.start-etcd-together/1"] * 3,
        "etcd.check-healthy/1",
        "etcd.write-and-read/1",
    ]


async def test_a_snapshot_where_a_member_lets_itself_be_asked() -> None:
    """Only peers cannot talk to each other then; it is marked as one without quorum."""
    theatre = await carried_out(made(expired("demo-1", "demo-3", only=PEERS)))
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    (snapshot, _) = next(iter(theatre.backups.stored.values()))
    assert not snapshot.origin.quorum


async def test_without_a_place_for_it_there_is_none() -> None:
    """It is said."""

    def no_place(sight: FakeSight) -> None:
        sight.inventory = replace(sight.inventory, retention={})

    plan = await planned(made(expired("demo-1", "demo-3", only=PEERS, but=no_place)))
    assert "No snapshot is taken first: no place for backups is configured (R12)." in plan.facts
    assert not any(each.action.startswith("etcd.save-snapshot") for each in plan.steps)


async def test_a_host_that_is_off_is_left_out() -> None:
    """The others are enough for a quorum; without that it could not even be removed."""
    theatre = made(expired(but=off))
    plan = await planned(theatre)
    assert any("demo-3 cannot be reached, so nothing is done there" in fact for fact in plan.facts)
    assert not any("demo-3" in step.command for step in plan.steps)
    await carried_out(theatre)
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert theatre.sight.demo.quorum


async def test_quorum_that_comes_back_meanwhile_is_not_stopped() -> None:
    """Somebody renewed by hand after the approval: his work stays."""
    theatre = made(expired(only=PEERS))
    await theatre.approved()
    for host in theatre.sight.inventory.clusters[DEMO].hosts[1:3]:
        give(theatre.sight.hosts.machines[host.name], Platform.ETCD, host.address)
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "demo has quorum again" in str(theatre.run.error)
    assert [theatre.units()[name] for name in ALL] == [("active", 0)] * 3


@pytest.mark.parametrize("args", [{}, {"host": "demo-3"}])
async def test_one_that_is_cut_off_comes_first(args: dict[str, str]) -> None:
    """The others have quorum, so they are renewed one after another as ever."""
    theatre = made(expired("demo-3"), **args)
    plan = await planned(theatre)
    placed = [each.title for each in plan.steps if "in place" in each.title]
    assert placed[0] == "Put the new certificates of demo-3 in place"
    assert len(placed) == (1 if args else 3)
    assert plan.risk is Risk.DISRUPTIVE
    before_s = ends_s(theatre, "demo-3")
    await carried_out(theatre)
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert ends_s(theatre, "demo-3") > before_s


@pytest.mark.parametrize(("size", "outage"), [(3, False), (2, True)])
async def test_more_are_cut_off_than_may_be_missing(size: int, outage: bool) -> None:
    """The last one was replaced a year later, and peers are connected from before: quorum is there.

    Nobody can bring the others back but by new files, and with these they can be asked again.
    """
    names = ALL[: size - 1]
    theatre = a_theatre(RENEW, {"outage": True} if outage else {}, size)
    expired(*names, only=("server",))(theatre)
    plan = await planned(theatre)
    assert plan.risk is Risk.DISRUPTIVE
    await carried_out(theatre)
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert [theatre.units()[name] for name in ALL[:size]] == [("active", 1)] * size


async def test_one_that_does_not_run_any_more_and_others_that_have_ended() -> None:
    """Its restart failed for want of peers; the files of all come first, then it is started."""

    def gone(sight: FakeSight) -> None:
        machine = sight.hosts.machines["demo-3"]
        machine.units["etcd.service"].fail(machine)

    theatre = made(expired())
    theatre.sight.etcd = ConnectedBefore(theatre.sight)
    for machine in theatre.sight.hosts.machines.values():
        machine.units["etcd.service"].ready = lambda: True
    gone(theatre.sight)
    await carried_out(theatre)
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert theatre.run.plan is not None
    restarted = [each.title for each in theatre.run.plan.steps if "Restart" in each.title]
    assert restarted == [f"Restart etcd on demo-{number}" for number in (3, 1, 2)]


async def test_files_of_all_before_a_restart_where_connections_outlive_them() -> None:
    """All are well by connections from before: whoever is restarted connects anew."""
    theatre = made(expired())
    theatre.sight.etcd = ConnectedBefore(theatre.sight)
    plan = await planned(theatre)
    assert plan.risk is Risk.DISRUPTIVE
    kinds = [each.action for each in plan.steps]
    last_placed = max(at for at, kind in enumerate(kinds) if kind == "host.place-certificates/1")
    assert kinds.index("host.restart-etcd/1") > last_placed
    await carried_out(theatre)
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    alone = made(expired(), host="demo-2")
    alone.sight.etcd = ConnectedBefore(alone.sight)
    with pytest.raises(Refused, match="of demo-1 and demo-3 have ended, so demo-2 would be turned"):
        await planned(alone)


class ConnectedBefore(ReadingFiles):
    """Members that talk to all by connections that are older than the end of certificates."""


def ahead(sight: FakeSight) -> None:
    sight.hosts.machines["demo-2"].clock_off_ms = 3_600_000


def stopped(*names: str) -> Callable[[FakeSight], None]:
    def act(sight: FakeSight) -> None:
        for name in names:
            sight.demo.members[MemberName(name)].condition = Condition.STOPPED

    return act


def off(sight: FakeSight) -> None:
    sight.hosts.machines["demo-3"].power_off()
    sight.demo.members[MemberName("demo-3")].condition = Condition.OFF


def two_off(sight: FakeSight) -> None:
    off(sight)
    sight.hosts.machines["demo-2"].power_off()
    sight.demo.members[MemberName("demo-3")].condition = Condition.OFF


def own_ended(sight: FakeSight) -> None:
    assert isinstance(sight.etcd, DatedEtcd)
    sight.etcd.own_ends_s = sight.clock.ms // 1_000 - 86_400


def ca_ended(sight: FakeSight) -> None:
    short = ca(ends=datetime(2023, 10, 1, tzinfo=UTC))
    sight.hosts.machines["demo-1"].files.put("/etc/etcd/ca/ca.crt", short)


def trusted_ca_ended(sight: FakeSight) -> None:
    short = ca(ends=datetime(2023, 10, 1, tzinfo=UTC))
    sight.hosts.machines["demo-2"].files.put("/etc/etcd/ca.crt", short)


def two_signers(sight: FakeSight) -> None:
    keep_authority(sight.hosts.machines["demo-3"], Platform.ETCD)


REFUSALS: dict[str, tuple[Scene, dict[str, str], str]] = {
    "one member alone": (
        expired(),
        {"host": "demo-2"},
        r"no quorum, because .* have expired, and one member alone .* Leave demo-2 out",
    ),
    "a clock that is wrong": (
        expired(but=ahead),
        {},
        r"demo-2 is 3600\.\d+ s ahead of .*, more than 300 s, so that it is not proven .* \(R18\)",
    ),
    "one that has expired, and others that are stopped": (
        expired("demo-3", but=stopped("demo-2")),
        {},
        r"not what is wrong with them \(R17\): only those of demo-3 have, and 2 of 3 others make",
    ),
    "none that has expired": (
        expired("demo-9", but=stopped("demo-1", "demo-2")),
        {},
        r"not what is wrong with them \(R17\): none that demo-1 and demo-2 and demo-3 show has",
    ),
    "two hosts that are off": (
        expired(but=two_off),
        {},
        r"demo-2 cannot be reached, so nothing can be done there",
    ),
    "the asker's own": (
        expired(but=own_ended),
        {},
        r"own client certificate, client\.crt, ended 2023-11-13: .* Sign a new one with the CA",
    ),
    "a CA that has ended": (
        expired(but=ca_ended),
        {},
        r"The CA in /etc/etcd/ca/ca\.crt on demo-1 ended 2023-10-01: .* which is not done here",
    ),
    "a CA that has ended where it is trusted": (
        expired(but=trusted_ca_ended),
        {},
        r"The CA in /etc/etcd/ca\.crt on demo-2 ended 2023-10-01, so nothing that it has signed",
    ),
    "two that sign": (expired(but=two_signers), {}, r"only one of them may sign"),
    "another than the one that is cut off": (
        expired("demo-3"),
        {"host": "demo-1"},
        r"demo-3 must be healthy first \(R10\): its certificates have expired\. Ask for /etcd",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_what_is_not_renewed(name: str) -> None:
    """Before anybody is asked, with what stands against it."""
    scene, args, words = REFUSALS[name]
    with pytest.raises(Refused, match=words):
        await planned(made(scene, **args))


async def test_quorum_that_only_hosts_can_see() -> None:
    """What serves there is not stopped, whatever cannot be seen from here."""
    theatre = made(expired(only=("server",)))

    cluster = theatre.sight.inventory.clusters[DEMO]
    urls = ", ".join(
        f'{{"endpoint": "{url}", "health": true}}' for url in cluster.endpoints.values()
    )

    async def all_serve(*words: object) -> int:
        say = words[3]
        assert callable(say)
        await say(f"[{urls}]")
        return 0

    theatre.sight.hosts.machines["demo-1"].programs["env"] = all_serve
    with pytest.raises(Refused, match=r"asked on demo-1, so there is quorum, and all members are"):
        await planned(theatre)
