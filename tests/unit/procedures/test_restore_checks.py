"""What a restore is refused on: proofs of the loss, the tool, the data, and the result."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

import pytest

from bot.targets.etcd.model import Condition
from bot.targets.ssh.model import FakeMachine, Say
from procedures.actions.etcd.check_restored import CheckRestored
from procedures.actions.host.swap_data import PutDataInPlace, SetDataAside
from procedures.engine.ports import Look
from procedures.etcd.loss import Heard, heard_on, lost
from procedures.etcd.observe import observe
from procedures.etcd.standing import standings
from procedures.etcd.view import View
from procedures.model.errors import Permanent, Refused
from procedures.model.events import Done, Started
from procedures.model.host import Machine, Said
from procedures.model.ids import ClusterName, MemberName
from procedures.model.inventory import Cluster, Host
from procedures.model.restoring import Seed, bumps
from procedures.model.run import State
from tests.support.lost_cluster import DATA, MEMBER, keep, lose
from tests.support.sight import FakeSight, a_sight
from tests.support.theatre import RUN, Theatre, a_theatre

DEMO = ClusterName("demo")
ONE, CONF = "demo-1", "/etc/etcd/etcd.conf"
URLS = ("https://127.0.0.1:2380", "https://127.0.0.1:2381", "https://127.0.0.1:2382")


async def two_lost() -> tuple[FakeSight, Cluster, View]:
    sight = a_sight()
    for name in ("demo-2", "demo-3"):
        sight.demo.members[MemberName(name)].condition = Condition.STOPPED
    cluster = sight.inventory.clusters[DEMO]
    return sight, cluster, await observe(cluster, sight)


@pytest.mark.parametrize(
    ("heard", "words"),
    [
        ({}, "No host of it answers, and a second place has to be asked."),
        ({ONE: Heard(why_not="etcdctl is missing.")}, "etcdctl is missing."),
        ({ONE: Heard(served=(URLS[1],))}, f"{URLS[1]}, asked on demo-1 (R14)"),
    ],
)
async def test_a_second_place_is_asked(heard: Mapping[str, Heard], words: str) -> None:
    """What is seen from here alone is no proof."""
    _, cluster, view = await two_lost()
    with pytest.raises(Refused, match=re.escape(words)):
        lost(cluster, view, heard, {})


async def test_two_places_prove_it() -> None:
    """And it is said who was asked."""
    _, cluster, view = await two_lost()
    assert "on demo-1" in lost(cluster, view, {ONE: Heard()}, {})


class Telling:
    """A host that gives this answer; implements as much of `HostLook` as is asked here."""

    def __init__(self, answer: object) -> None:
        self._out = json.dumps(answer)

    async def ask(self, _cluster: Cluster, _host: Host, _argv: Sequence[str], _ms: int) -> Said:
        return Said(1, self._out, "")


@pytest.mark.parametrize("told", [0, 2, 3])
async def test_all_members_are_asked_there(told: int) -> None:
    """An answer about some of them is no word about the others."""
    sight, cluster, _ = await two_lost()
    answer = [{"endpoint": url, "health": False} for url in URLS[:told]]
    sight.hosts = Telling(answer)  # type: ignore[assignment]
    machine = Machine("1", "1", ONE)
    heard = await heard_on(cast("Look", sight), cluster, cluster.hosts[0], machine, URLS)
    assert (heard.why_not is None) is (told == len(URLS))


@pytest.mark.parametrize(
    ("help_text", "both"),
    [
        ("--bump-revision uint  --mark-compacted", True),
        ("--bump-revision uint", False),
        ("--mark-compacted", False),
        ("", False),
    ],
)
def test_revisions_grow_only_where_both_flags_are_known(help_text: str, both: bool) -> None:
    """Either of them alone is refused by the tool, when all is stopped by then."""
    assert bumps(help_text) is both


def a_loss(snapshot: str = "demo-20231113T221320Z-90-6742c4a60b5d.db") -> Theatre:
    theatre = a_theatre("etcd restore", {"snapshot": snapshot})
    lose(theatre, "demo-2", "demo-3")
    return theatre


async def test_x21_a_tool_and_a_server_of_another_minor() -> None:
    """The snapshot is of another one than what is installed (R19)."""
    theatre = a_loss("demo-20231114T221319Z-90-6742c4a60b5d.db")
    theatre.backups.stored.clear()
    keep(theatre.backups, theatre.sight.clock.ms - 1_000, "3.5.16")
    with pytest.raises(Refused) as refused:
        await theatre.approved()
    assert "it has etcd 3.4, and the snapshot is of etcd 3.5" in str(refused.value)
    assert "it has no etcdutl or etcdctl 3.5 that can restore (X21)" in str(refused.value)


async def test_a_tool_of_another_minor_than_the_server() -> None:
    """Both are there, the snapshot is the server's, and the tool would write newer data (R19)."""
    theatre = a_loss()
    machine = theatre.sight.hosts.machines[ONE]
    tool = machine.programs["env"]

    async def newer(machine: FakeMachine, argv: Sequence[str], stdin: bytes, say: Say) -> int:
        async def changed(line: str) -> None:
            await say(line.replace("etcdctl version: 3.4.23", "etcdctl version: 3.5.16"))

        return await tool(machine, argv, stdin, changed)

    machine.programs["env"] = newer
    await theatre.approved()
    assert theatre.run.plan is not None
    first = "demo-2 (10.0.0.2) is restored first, the first by name that is fit."
    assert first in theatre.run.plan.facts


@pytest.mark.parametrize(
    ("of", "words"),
    [
        ("/snapshot.db", "and the plan says hash"),
        ("/member/snap/db", "has revision 91, and not revision 90."),
    ],
)
async def test_what_the_tool_reads_is_compared(of: str, words: str) -> None:
    """Before it is restored, and after; nothing was stopped by then (R12, R14)."""
    theatre = a_loss()
    await theatre.approved()
    units = theatre.units()
    machine = theatre.sight.hosts.machines[ONE]
    tool = machine.programs["env"]

    async def other(machine: FakeMachine, argv: Sequence[str], stdin: bytes, say: Say) -> int:
        async def changed(line: str) -> None:
            await say(re.sub(r'("revision": ?)90\b', r"\g<1>91", line))

        is_it = "status" in argv and any(word.endswith(of) for word in argv)
        return await tool(machine, argv, stdin, changed if is_it else say)

    machine.programs["env"] = other
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert words in str(theatre.run.error)
    assert theatre.units() == units


async def _up_to(kind: str) -> Theatre:
    """All before the first step of a kind is said to be done, and was not."""
    theatre = a_loss()
    await theatre.approved()
    plan = theatre.run.plan
    assert plan is not None
    for step in plan.steps:
        if step.action == kind:
            break
        theatre.append(Started(step.number, 1), Done(step.number, None))
    return theatre


async def test_data_is_not_moved_under_an_etcd_that_runs() -> None:
    """It would go on writing into it (R14)."""
    theatre = await _up_to(SetDataAside.KIND)
    machine = theatre.sight.hosts.machines[ONE]
    assert machine.units["etcd.service"].active == "active"
    await theatre.work()
    assert "An etcd runs on demo-1: data is not moved while it does." in str(theatre.run.error)
    assert machine.files.get(MEMBER) is not None


def _stopped(theatre: Theatre) -> FakeMachine:
    machine = theatre.sight.hosts.machines[ONE]
    machine.units["etcd.service"].stop(machine)
    return machine


async def test_what_was_kept_is_not_written_over() -> None:
    """Something has the new name already: people look at it (R14)."""
    theatre = await _up_to(SetDataAside.KIND)
    machine = _stopped(theatre)
    machine.files.folder(f"{MEMBER}.before-{RUN}")
    await theatre.work()
    assert f"and {MEMBER}.before-{RUN} are both there on demo-1" in str(theatre.run.error)


async def test_a_move_that_moves_nothing_is_noticed() -> None:
    """`mv --no-clobber` ends with 0 all the same (X7)."""
    theatre = await _up_to(SetDataAside.KIND)
    machine = _stopped(theatre)

    async def idle(_: FakeMachine, __: Sequence[str], ___: bytes, ____: Say) -> int:
        return 0

    machine.programs["mv"] = idle
    await theatre.work()
    assert f"{MEMBER} on demo-1 was not moved" in str(theatre.run.error)


async def test_there_has_to_be_data_to_put_in_place() -> None:
    """Else etcd would start with none, as a cluster without a key."""
    theatre = await _up_to(PutDataInPlace.KIND)
    machine = _stopped(theatre)
    machine.files.remove(MEMBER)
    await theatre.work()
    assert f"{DATA}/quorumbot-{RUN}/member is not there on demo-1." in str(theatre.run.error)


def _check(sight: FakeSight, least: int) -> CheckRestored:
    member = sight.demo.members[MemberName(ONE)]
    return CheckRestored(DEMO, Seed(ONE, tuple(member.peer_urls)), least)


async def test_what_was_restored_is_as_it_should_be() -> None:
    """Alone, and as far as the snapshot."""
    sight = a_sight(1)
    view = await observe(sight.inventory.clusters[DEMO], sight)
    assert "is the one member" in _check(sight, sight.demo.revision)._right(view)
    with pytest.raises(Permanent, match="is at revision 100, and the snapshot restored gives 101"):
        _check(sight, sight.demo.revision + 1)._right(view)


async def test_more_members_than_were_restored() -> None:
    """They are of before, or of somebody else."""
    sight = a_sight(2)
    view = await observe(sight.inventory.clusters[DEMO], sight)
    with pytest.raises(Permanent, match="and not demo-1 alone"):
        _check(sight, 1)._right(view)


@pytest.mark.parametrize(("data", "beside", "fits"), [(0, 0, True), (-1, 0, False), (0, -1, False)])
async def test_there_is_room_twice(data: int, beside: int, fits: bool) -> None:
    """For what is restored, and for the snapshot, which may lie on another disk (R13)."""
    cluster = a_loss().sight.inventory.clusters[DEMO]
    (first, *_), _ = await standings(cluster, "3.4", a_loss().sight)
    size, needed = 10_000_000, 2 * 10_000_000 + 128 * 1024**2
    host = replace(first, free_bytes=needed + data, room_bytes=needed + beside)
    assert (host.unfit(cluster, "3.4", size) == ()) is fits


async def test_no_host_that_founds_a_cluster_at_each_start() -> None:
    """With `ETCD_FORCE_NEW_CLUSTER` whoever joins later would be thrown out again."""
    theatre = a_loss()
    for machine in theatre.sight.hosts.machines.values():
        if machine.files.get(CONF) is not None:
            content = machine.files.file(CONF).content.decode()
            machine.files.put(CONF, f"{content}\nETCD_FORCE_NEW_CLUSTER=true\n")
    with pytest.raises(Refused, match=r"etcd\.conf sets ETCD_FORCE_NEW_CLUSTER"):
        await theatre.approved()


async def test_a_snapshot_that_is_named_is_read_again() -> None:
    """One flipped byte is enough (R12, X10)."""
    theatre = a_loss()
    [(name, (snapshot, data))] = theatre.backups.stored.items()
    theatre.backups.stored[name] = snapshot, data[:100] + b"X" + data[101:]
    named = a_theatre("etcd restore", {"snapshot": snapshot.name})
    lose(named, "demo-2", "demo-3")
    named.backups.stored.clear()
    named.backups.stored.update(theatre.backups.stored)
    with pytest.raises(Refused, match=r"is damaged.* Choose another snapshot\."):
        await named.approved()
