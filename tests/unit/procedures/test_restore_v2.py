"""When both stores are restored, when not, and that the order to forget members is gone. (P32)"""

from collections.abc import Callable

import pytest

from procedures.model.errors import QuorumbotError
from procedures.model.inventory import Platform
from procedures.model.run import State
from tests.support.lost_cluster import Tools, lose
from tests.support.theatre import Theatre, a_theatre
from tests.unit.procedures.plans.case import planned

ALL = ("demo-1", "demo-2", "demo-3")
CONF = "/etc/etcd/etcd.conf"


def a_loss(
    *down: str,
    args: dict[str, str] | None = None,
    tools: Tools | None = None,
    platform: Platform = Platform.ETCD,
) -> Theatre:
    """A run on a cluster with a v2 store and an archive of it, which has lost these members."""
    theatre = a_theatre("etcd restore v2", args or {})
    lose(theatre, *down, tools=tools or Tools(v2=("/net",)), platform=platform)
    return theatre


def _nothing(_: Theatre) -> None:
    pass


def _on_all(act: Callable[[Theatre, str], None]) -> Callable[[Theatre], None]:
    def on_all(theatre: Theatre) -> None:
        for name in ALL:
            act(theatre, name)

    return on_all


def _no_v2(theatre: Theatre, name: str) -> None:
    files = theatre.sight.hosts.machines[name].files
    files.put(CONF, files.text(CONF).replace("ETCD_ENABLE_V2=true\n", ""))


def _forced(theatre: Theatre, name: str) -> None:
    unit = theatre.sight.hosts.machines[name].units["etcd.service"]
    unit.command = "/usr/bin/etcd --enable-v2 --force-new-cluster"


def _damaged(theatre: Theatre) -> None:
    for name, (archive, data) in theatre.backups.stored.items():
        theatre.backups.stored[name] = archive, data[:-1]


REFUSALS = {
    "quorum exists": (_nothing, ("demo-3",), {}, r"has quorum: .*\(R14\)"),
    "it would serve no v2 store": (_on_all(_no_v2), ALL, {}, r"--enable-v2 is set.*\(X13\)"),
    "forced by hand": (_on_all(_forced), ALL, {}, r"starts etcd with --force-new-cluster"),
    "damaged": (_damaged, ALL, {}, r"no whole backup of the v2 store of demo.*/etcd restore "),
    "a snapshot": (
        _nothing,
        ALL,
        {"snapshot": "demo-20231113T221320Z-90-6742c4a60b5d.db"},
        r"There is no backup of the v2 store 'demo-2023.*\.db'. The newest are .*\.v2\.tgz",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_what_is_refused(name: str) -> None:
    """Before anybody is asked, with the rule and the way out."""
    scene, down, args, words = REFUSALS[name]
    theatre = a_loss(*down, args=args)
    scene(theatre)
    with pytest.raises(QuorumbotError, match=words):
        await planned(theatre)


@pytest.mark.parametrize(
    ("tools", "platform", "words"),
    [
        (
            Tools(),
            Platform.ETCD,
            r"no whole backup of the v2 store.*There is none at all.*/etcd re",
        ),
        (Tools(v2=("/net",)), Platform.OCP311, r"On ocp311, .*Use /etcd restore\."),
        (Tools(v2=("/net",), copies=False), Platform.OKD3, r"up to 3\.4, whose backup has"),
    ],
)
async def test_where_there_is_nothing_to_do_it_with(
    tools: Tools, platform: Platform, words: str
) -> None:
    """No archive, no unit, no tool."""
    with pytest.raises(QuorumbotError, match=words):
        await planned(a_loss(*ALL, tools=tools, platform=platform))


async def test_the_order_is_given_once_on_one_host_and_taken_back() -> None:
    """No host's configuration has it in the end; all are members, where their peers reach them."""
    theatre = a_loss(*ALL, args={"on": "demo-2"})
    await theatre.approved()
    await theatre.work()
    if theatre.run.asked:
        theatre.report()
        await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert theatre.members() == {f"demo-{n}": (f"https://10.0.0.{n}:2380",) for n in (1, 2, 3)}
    for name in ALL:
        files = theatre.sight.hosts.machines[name].files
        assert "FORCE_NEW_CLUSTER" not in files.text(CONF)
        kept = [each for each in files.listing("/etc/etcd") if "etcd.conf.quorumbot-" in each]
        ordered = [each for each in kept if "FORCE_NEW" in files.text(f"/etc/etcd/{each}")]
        assert len(ordered) == (1 if name == "demo-2" else 0)
    left = theatre.sight.hosts.machines["demo-2"].files.listing("/var/lib/etcd")
    assert left == ["member", "member.before-r-00000001"]


async def test_an_archive_that_was_changed_on_its_way() -> None:
    """What is unpacked is compared with the plan before anything is stopped."""
    theatre = a_loss(*ALL)
    await theatre.approved()
    [(archive, data)] = [each for each in theatre.backups.stored.values() if each[0].archive]
    theatre.backups.stored[archive.name] = archive, data[:-1]
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert not [each for each in theatre.effects if "systemctl" in each]
