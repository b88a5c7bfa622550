"""Putting a configuration back: only one's own, only what differs, and no key is shown."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.targets.backups.copies import to_document
from bot.targets.etcd.model import Condition
from procedures.catalogue import PROCEDURES
from procedures.engine.draft import draft
from procedures.model import envfile
from procedures.model.config_copy import ConfigCopy
from procedures.model.errors import QuorumbotError
from procedures.model.ids import ClusterName, MemberName
from procedures.model.plan import Plan
from procedures.model.platform import Pair
from procedures.model.run import State
from tests.support.furnishing import furnish, show, spoiled, with_copy
from tests.support.openssl import issued
from tests.support.script import Script
from tests.support.sight import NOW_MS
from tests.support.theatre import Theatre, a_theatre

PROCEDURE, CONFIG = "etcd restore config", "/etc/etcd/etcd.conf"
PEER = Pair("/etc/etcd/peer.crt", "/etc/etcd/peer.key")
NAMED = f"ETCD_PEER_CERT_FILE={PEER.cert}\nETCD_PEER_KEY_FILE={PEER.key}\n"
NOW_S = NOW_MS // 1_000


def made(**args: str) -> Theatre:
    theatre = a_theatre(PROCEDURE, {"member": "demo-2", **args})
    furnish(theatre.sight)
    return theatre


async def planned(theatre: Theatre) -> Plan:
    return await draft(PROCEDURES[PROCEDURE], theatre.run.request, theatre.sight)


def configure(theatre: Theatre, name: str = "demo-2", **changes: str | None) -> None:
    files = theatre.sight.hosts.machines[name].files
    files.put(CONFIG, envfile.edited(files.text(CONFIG), changes))


def copied_with(**changes: str) -> Callable[[Theatre], None]:
    """Let the copy say something else than what is there."""

    def act(theatre: Theatre) -> None:
        before = theatre.sight.hosts.machines["demo-2"].files.text(CONFIG)
        configure(theatre, **changes)
        with_copy(theatre, "demo-2")
        theatre.sight.hosts.machines["demo-2"].files.put(CONFIG, before)

    return act


def copied_with_certificate(name: str, address: str, days: int) -> Callable[[Theatre], None]:
    def act(theatre: Theatre) -> None:
        machine = theatre.sight.hosts.machines["demo-2"]
        show(machine, PEER, issued(name, address, days=days, at_s=NOW_S))
        with_copy(theatre, "demo-2")
        furnish(theatre.sight)

    return act


def copied_with_another_key(theatre: Theatre) -> None:
    machine = theatre.sight.hosts.machines["demo-2"]
    machine.files.put(CONFIG, machine.files.text(CONFIG) + NAMED)
    machine.files.put(PEER.key, issued("demo-3", "10.0.0.3", at_s=NOW_S).key, 0o600)
    with_copy(theatre, "demo-2")
    furnish(theatre.sight)


def nothing_differs(theatre: Theatre) -> None:
    with_copy(theatre, "demo-2")


def others_down(theatre: Theatre) -> None:
    spoiled(theatre)
    theatre.sight.demo.members[MemberName("demo-3")].condition = Condition.STOPPED


def host_off(theatre: Theatre) -> None:
    spoiled(theatre)
    theatre.sight.hosts.machines["demo-2"].power_off()


def damaged(theatre: Theatre) -> None:
    spoiled(theatre)
    (place,) = theatre.backups.copied.documents
    theatre.backups.copied.documents[place] += b"x"


def only_of_another(theatre: Theatre) -> None:
    with_copy(theatre, "demo-1")


REFUSALS = {
    "no copy": (only_of_another, r"There is no copy of demo-2's configuration\. /etcd backup conf"),
    "nothing differs": (nothing_differs, "Nothing is to be restored: demo-2 has all files as in"),
    "another name": (copied_with(ETCD_NAME="demo-20"), r"its ETCD_NAME is demo-20 \(R7, R17\)"),
    "another peer URL": (
        copied_with(ETCD_INITIAL_ADVERTISE_PEER_URLS="https://10.0.0.9:2380"),
        r"its peer URL is https://10\.0\.0\.9:2380, and that of demo-2 is https://demo-2\.invalid",
    ),
    "a certificate for another": (
        copied_with_certificate("demo-20", "10.0.0.20", 90),
        r"its /etc/etcd/peer\.crt is not for demo-2\.invalid",
    ),
    "an expired certificate": (
        copied_with_certificate("demo-2", "10.0.0.2", -1),
        r"its /etc/etcd/peer\.crt has expired",
    ),
    "another's key": (copied_with_another_key, r"peer\.key on demo-2 is not the key of /etc/etcd"),
    "another member is down": (others_down, r"\(R10\)\. Bring the others back first"),
    "the host is off": (host_off, "demo-2 cannot be reached"),
    "the copy is damaged": (damaged, "is damaged: it is not as it was stored"),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_what_is_refused(name: str) -> None:
    """Before anybody is asked, with why."""
    ready, words = REFUSALS[name]
    theatre = made()
    ready(theatre)
    with pytest.raises(QuorumbotError, match=words):
        await planned(theatre)


@pytest.mark.parametrize(
    ("was", "changes", "folder"),
    [
        ({}, {"ETCD_DATA_DIR": "/srv/etcd"}, "/srv/etcd/member"),
        ({}, {"ETCD_WAL_DIR": "/srv/wal"}, "/srv/wal"),
        ({"ETCD_WAL_DIR": "/srv/wal"}, {"ETCD_WAL_DIR": ""}, "/var/lib/etcd/member/wal"),
    ],
)
@pytest.mark.parametrize("there", [False, True])
async def test_no_member_is_sent_to_where_no_data_is(
    was: dict[str, str], changes: dict[str, str], folder: str, there: bool
) -> None:
    """It would start with nothing, as who it was, and vote once more on what it has voted on."""
    theatre = made()
    configure(theatre, **was)
    copied_with(**changes)(theatre)
    if there:
        files = theatre.sight.hosts.machines["demo-2"].files
        files.folder(folder)
        files.folder(f"{folder}/wal")
        assert (await planned(theatre)).steps
        return
    words = rf"its {next(iter(changes))} leads to {folder}, where no data of the member lies"
    with pytest.raises(QuorumbotError, match=words):
        await planned(theatre)


async def test_a_copy_of_another_host_by_name() -> None:
    """All that speaks against it is said at once."""
    found = with_copy(made(), "demo-1")
    theatre = made(copy=found.name)
    with_copy(theatre, "demo-1")
    with pytest.raises(QuorumbotError, match=r"does not fit demo-2: it is of the host demo-1; its"):
        await planned(theatre)


async def test_a_copy_that_is_not_there() -> None:
    """Those that are there are named."""
    theatre = made(copy="demo-2-20200101T000000Z-000000000000")
    found = with_copy(theatre, "demo-2")
    with pytest.raises(
        QuorumbotError, match=f"There is no copy demo-2-2020.* there are {found.name}"
    ):
        await planned(theatre)


async def test_the_newest_or_the_one_that_is_named() -> None:
    """An older one only by its name."""
    theatre = made()
    configure(theatre, ETCD_HEARTBEAT_INTERVAL="100")
    old = with_copy(theatre, "demo-2")
    newer = replace(old, taken_at_ms=old.taken_at_ms + 60_000, files=old.files[1:])
    store(theatre, newer)
    configure(theatre, ETCD_HEARTBEAT_INTERVAL="1")
    assert newer.name in (await planned(theatre)).facts[0]
    by_name = made(copy=old.name)
    store(by_name, old)
    store(by_name, newer)
    assert old.name in (await planned(by_name)).facts[0]


async def test_the_record_of_a_ca_does_not_go_back() -> None:
    """A serial number would be given twice; it is said, and the rest is restored."""
    theatre = made()
    files = theatre.sight.hosts.machines["demo-2"].files
    files.put("/etc/etcd/ca/serial", "01\n")
    copied_with(ETCD_HEARTBEAT_INTERVAL="250")(theatre)
    files.put("/etc/etcd/ca/serial", "07\n")
    plan = await planned(theatre)
    assert "Files of the CA's record in the copy (1) stay as they are" in ("\n".join(plan.facts))
    assert not any("serial" in each.title for each in plan.steps)
    assert any(CONFIG in each.title for each in plan.steps)


async def test_a_plan_holds_no_key() -> None:
    """Of keys and certificates it tells that they change, and from what to what."""
    theatre = made()
    with_copy(theatre, "demo-2")
    machine = theatre.sight.hosts.machines["demo-2"]
    key = machine.files.text(PEER.key)
    show(machine, PEER, issued("demo-3", "10.0.0.3", at_s=NOW_S))
    plan = repr(await planned(theatre))
    assert "a private key, which is not shown: SHA-256" in plan
    assert "a certificate: SHA-256" in plan
    for line in (*key.splitlines(), *machine.files.text(PEER.key).splitlines()):
        assert line not in plan


async def test_a_crash_anywhere_leaves_the_files_of_the_copy() -> None:
    """Content, owner and mode; the former ones lie beside; what others wrote stays."""
    script = Script()
    await carried_out(script)
    assert script.passed > 20
    for point in range(0, script.passed, 5):
        theatre, copy = await carried_out(Script(crash_at=point))
        files = theatre.sight.hosts.machines["demo-2"].files
        for each in copy.files:
            there = files.file(each.path)
            assert (there.content, there.mode) == (each.content, each.mode), (point, each.path)
            assert (there.owner, there.group) == (each.owner, each.group), (point, each.path)
        former = [name for name in files.listing("/etc/etcd") if name.startswith(".etcd.conf.quor")]
        assert len(former) == 1, point
        assert files.text("/etc/etcd/mine.txt") == "not in the copy\n"


async def test_a_copy_that_changes_after_the_approval() -> None:
    """What is written is what was approved, or nothing."""
    theatre = made()
    spoiled(theatre)
    await theatre.approved()
    (place,) = theatre.backups.copied.documents
    theatre.backups.copied.documents[place] += b"x"
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "is damaged" in str(theatre.run.error)
    conf = theatre.sight.hosts.machines["demo-2"].files.text(CONFIG)
    assert "ETCD_HEARTBEAT_INTERVAL=1\n" in conf


async def test_a_file_that_somebody_changes_after_the_approval() -> None:
    """Somebody's edit is not written over."""
    theatre = made()
    spoiled(theatre)
    await theatre.approved()
    configure(theatre, ETCD_HEARTBEAT_INTERVAL="250")
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "Somebody changed it" in str(theatre.run.error)
    assert "=250\n" in theatre.sight.hosts.machines["demo-2"].files.text(CONFIG)


async def carried_out(script: Script) -> tuple[Theatre, ConfigCopy]:
    theatre = made()
    spoiled(theatre)
    theatre.sight.hosts.machines["demo-2"].files.put("/etc/etcd/mine.txt", "not in the copy\n")
    (listed,) = await theatre.backups.copies.listing(ClusterName("demo"))
    copy = await theatre.backups.copies.read(listed.cluster, listed.name)
    await theatre.approved()
    await theatre.work(script)
    if not theatre.run.state.final:
        await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    return theatre, copy


def store(theatre: Theatre, copy: ConfigCopy) -> None:
    theatre.backups.copied.put(copy.cluster, f"{copy.name}.config.json", to_document(copy))
