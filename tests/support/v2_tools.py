"""What `etcdctl` of the v2 API does on machines in memory: list the root, and copy data."""

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from bot.targets.backups.memory import MemoryBackups
from bot.targets.backups.naming import snapshot_name
from bot.targets.etcd.model import Condition, FakeCluster, FakeMember
from bot.targets.ssh.fake_files import FakeFiles
from bot.targets.ssh.file_programs import Printed
from bot.targets.ssh.model import FakeMachine, StartError
from bot.targets.ssh.programs import perform
from procedures.model import envfile
from procedures.model.ids import ClusterName, MemberId
from procedures.model.snapshot import ARCHIVE, Origin, Snapshot

_HELP = "etcdctl backup --data-dir --wal-dir --backup-dir --backup-wal-dir"
REVISION = 95
"""Of the v3 data in what is copied of a living member."""


def printed(
    store: Sequence[str] | None, machine: FakeMachine, words: Sequence[str], *, copies: bool
) -> Printed:
    """Answer; `store` is what lies at the root of the v2 store, None where there is none."""
    options = {word.partition("=")[0]: word.partition("=")[2] for word in words if word[:2] == "--"}
    match [word for word in words if not word.startswith("--")]:
        case ["backup"] if "--help" in options:
            return Printed(out=_HELP + (" --with-v3" if copies else ""))
        case ["backup"]:
            assert "--with-v3" in options
            return _copy(store or (), machine, options["--data-dir"], options["--backup-dir"])
        case ["ls", "/"]:
            unit = machine.unit("etcd.service")
            if store is None or unit is None or unit.active != "active":
                return Printed(4, "", "Error:  client: response is invalid json.\n")
            return Printed(out="".join(f"{name}\n" for name in store))
        case _:
            message = f"etcdctl: the twin does not know {words}"
            raise AssertionError(message)


def _copy(store: Sequence[str], machine: FakeMachine, data: str, target: str) -> Printed:
    """As the real tool: never of an etcd that runs, and into a folder that is not there."""
    db = machine.files.get(f"{data}/member/snap/db")
    if machine.files.get(f"{target}/member") is not None:
        return Printed(1, "", f"failed creating backup snapshot dir {target}/member/snap\n")
    if db is None:
        return Printed(1, "", f"open {data}/member/snap: no such file or directory\n")
    content = machine.files.text(f"{data}/member/snap/db")
    if content.startswith("{"):
        made = json.loads(content)
    else:
        unit = machine.unit("etcd.service")
        assert unit is None or unit.active != "active"
        made = {"v2": list(store), "revision": REVISION}
    perform(machine, ["mkdir", "-p", f"{target}/member/snap", f"{target}/member/wal"], b"")
    machine.files.put(f"{target}/member/snap/db", json.dumps(made), 0o644)
    machine.files.put(f"{target}/member/wal/0.wal", "", 0o600)
    return Printed()


def keep(backups: MemoryBackups, taken_at_ms: int, version: str, store: Sequence[str]) -> Snapshot:
    """Put an archive into the place for backups."""
    files, name = FakeFiles(), ClusterName("demo")
    db = json.dumps({"v2": list(store), "revision": REVISION})
    files.put("/v2/member/snap/db", db)
    files.put("/v2/member/wal/0.wal", "", 0o600)
    data = files.packed("/", ["v2"])
    sha256 = hashlib.sha256(data).hexdigest()
    archive = Snapshot(
        cluster=name,
        name=snapshot_name(name, taken_at_ms, REVISION, sha256, ARCHIVE),
        taken_at_ms=taken_at_ms,
        size=len(data),
        sha256=sha256,
        hash=f"{zlib.crc32(db.encode()):x}",
        revision=REVISION,
        total_keys=40,
        origin=Origin(MemberId("a002"), "demo-2", version, REVISION, quorum=True, v2=tuple(store)),
    )
    backups.stored[archive.name] = archive, data
    return archive


def founded(model: FakeCluster, made: Mapping[str, Any], old: FakeMember, config: str) -> None:
    """Start etcd on what was copied: it has lost all members, so it takes the order, once."""
    found = MemberId("a1fef5171902")
    if envfile.read(config).get("ETCD_FORCE_NEW_CLUSTER") == "true":
        model.members.clear()
        model.alarms.clear()
        model.waiting.clear()
        model.cluster_id, model.revision = found, int(made["revision"])
        member = model.add(old.name, old.client_url)
        member.id, member.peer_urls = MemberId("a1fef5171901"), ("http://localhost:2380",)
    elif model.cluster_id != found:
        raise StartError
    model.members[old.name].condition = Condition.RUNNING
