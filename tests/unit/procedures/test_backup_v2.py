"""When a v2 store is backed up, when not, and that its member comes back whatever happens. (P23)"""

from collections.abc import Callable, Sequence

import pytest

from bot.targets.etcd.model import Condition
from bot.targets.ssh.model import FakeMachine, Say
from procedures.catalogue import PROCEDURES
from procedures.engine.draft import draft
from procedures.model.errors import Refused
from procedures.model.events import CancelAsked
from procedures.model.ids import ClusterName, MemberName
from procedures.model.inventory import Platform
from procedures.model.run import State
from tests.support.lost_cluster import Tools, lose
from tests.support.theatre import BOB, Theatre, a_theatre

DEMO = ClusterName("demo")


def a_store(*, args: dict[str, str | bool] | None = None, tools: Tools | None = None) -> Theatre:
    """A run on a healthy cluster with a v2 store."""
    theatre = a_theatre("etcd backup v2", args or {})
    lose(theatre, tools=tools or Tools(v2=("/net",)))
    return theatre


async def planned(theatre: Theatre) -> None:
    request = theatre.run.request
    await draft(PROCEDURES[request.command], request, theatre.sight)


def _nothing(_: Theatre) -> None:
    pass


def _one_down(theatre: Theatre) -> None:
    theatre.sight.demo.members[MemberName("demo-3")].condition = Condition.STOPPED


def _little_space(theatre: Theatre) -> None:
    for machine in theatre.sight.hosts.machines.values():
        machine.free_bytes = 4_096


def _elsewhere(theatre: Theatre) -> None:
    for machine in theatre.sight.hosts.machines.values():
        config = machine.files.text("/etc/etcd/etcd.conf")
        machine.files.put("/etc/etcd/etcd.conf", f"{config}ETCD_DATA_DIR=/data/etcd\n")


REFUSALS: dict[str, tuple[Tools, Callable[[Theatre], None], str]] = {
    "no v2 API": (
        Tools("3.5.16"),
        _nothing,
        r"No member of demo serves a v2 store.*--enable-v2.*\(X13\).*/etcd backup saves all v3",
    ),
    "data elsewhere": (
        Tools(v2=("/net",)),
        _elsewhere,
        r"The data of demo-1 is in /data/etcd, not in /var/lib/etcd .*so it would not be copied",
    ),
    "nothing in it": (Tools(v2=()), _nothing, r"v2 store of demo is empty.*/etcd backup"),
    "only the mark of a migration": (Tools(v2=("/migrated",)), _nothing, r"is empty"),
    "no quorum to spare": (
        Tools(v2=("/net",)),
        _one_down,
        r"would leave 1 healthy of 3, quorum 2 \(R10\)",
    ),
    "a tool that copies no v3": (
        Tools(v2=("/net",), copies=False),
        _nothing,
        r"no etcdctl of its server's minor, up to 3\.4, whose backup has --with-v3",
    ),
    "a tool that leaves the ids": (
        Tools("3.5.16", ("etcd", "etcdctl", "etcdutl"), restores=("etcdutl",), v2=("/net",)),
        _nothing,
        r"that of 3\.5 leaves the ids of the cluster in a copy \(X11",
    ),
    "no space": (Tools(v2=("/net",)), _little_space, r"MiB free in /var/lib \(R13\)"),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_what_is_refused(name: str) -> None:
    """Before anybody is asked, with the rule and the way out."""
    tools, scene, words = REFUSALS[name]
    theatre = a_store(tools=tools)
    scene(theatre)
    with pytest.raises(Refused, match=words):
        await planned(theatre)


async def test_not_in_pods_or_containers() -> None:
    """Where etcd is no unit with its tools beside it."""
    theatre = a_theatre("etcd backup v2", {})
    lose(theatre, platform=Platform.OCP311, tools=Tools(v2=("/net",)))
    with pytest.raises(Refused, match=r"On ocp311, .* Use /etcd backup\."):
        await planned(theatre)


async def test_what_is_kept() -> None:
    """An archive with what the host has read of it; snapshots are not mixed with it."""
    theatre = a_store(args={"member": "demo-2"})
    before, [older] = await theatre.backups.listing(DEMO), await theatre.backups.archives(DEMO)
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    archive, *others = await theatre.backups.archives(DEMO)
    assert others == [older]
    assert (archive.origin.name, archive.origin.v2) == ("demo-2", ("/net",))
    assert archive.revision == 95
    assert await theatre.backups.listing(DEMO) == before
    assert "/var/lib/quorumbot/files/r-00000001" not in (
        theatre.sight.hosts.machines["demo-2"].files.nodes
    )
    assert theatre.units()["demo-2"] == ("active", 1)


def _failing(theatre: Theatre, host: str) -> None:
    """Let the disk be full when data is copied."""
    machine = theatre.sight.hosts.machines[host]
    real = machine.programs["env"]

    async def env(machine: FakeMachine, argv: Sequence[str], stdin: bytes, say: Say) -> int:
        if "--with-v3" in argv:
            await say("write: no space left on device")
            return 1
        return await real(machine, argv, stdin, say)

    machine.programs["env"] = env


async def test_a_member_is_started_although_its_data_could_not_be_copied() -> None:
    """The run fails after that, and nothing is kept."""
    theatre = a_store()
    before = await theatre.backups.archives(DEMO)
    await theatre.approved()
    _failing(theatre, "demo-1")
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "etcd runs on demo-1 again, and its data could not be copied" in str(theatre.run.error)
    assert theatre.units()["demo-1"] == ("active", 1)
    assert theatre.sight.demo.members[MemberName("demo-1")].works
    assert await theatre.backups.archives(DEMO) == before


async def test_a_cancel_while_it_is_stopped() -> None:
    """It is started before the cancel is heeded."""
    theatre = a_store()
    await theatre.approved()
    unit = theatre.sight.hosts.machines["demo-1"].units["etcd.service"]
    stopped = unit.on_stop

    def cancelled(machine: FakeMachine) -> None:
        stopped(machine)
        theatre.append(CancelAsked(BOB))

    unit.on_stop = cancelled
    await theatre.work()
    assert theatre.run.state is State.CANCELLED
    assert theatre.units()["demo-1"] == ("active", 1)
