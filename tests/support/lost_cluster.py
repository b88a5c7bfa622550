"""Machines in memory on which a cluster that has lost its quorum can be restored.

They have etcd's tools as far as a restore needs them, and data that decides what starts: old data
is a member of the old cluster, restored data is a cluster of its own.
"""

import json
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from bot.targets.backups.memory import MemoryBackups, fake_snapshot
from bot.targets.backups.naming import snapshot_name
from bot.targets.backups.trailer import Trailer
from bot.targets.etcd.model import Condition, FakeCluster
from bot.targets.ssh.file_programs import Printed
from bot.targets.ssh.model import FakeMachine, FakeUnit, Say, StartError
from bot.targets.ssh.programs import perform
from procedures.model import envfile
from procedures.model.ids import ClusterName, MemberId, MemberName
from procedures.model.inventory import Host, Platform
from procedures.model.platform import layout
from procedures.model.restoring import Seed, cluster_id, member_id
from procedures.model.snapshot import Origin, Snapshot
from tests.support import v2_tools
from tests.support.sight import FakeSight
from tests.support.theatre import Theatre

DATA = "/var/lib/etcd"
MEMBER = f"{DATA}/member"
_DB = f"{MEMBER}/snap/db"
_DAY_MS = 86_400_000
_SNAPSHOT = re.compile(rb"fake snapshot: revision (\d+), (\d+) keys")
_HELP = "--data-dir --name --initial-cluster --initial-cluster-token --initial-advertise-peer-urls"
_PODS = {
    Platform.OCP311: {
        "/etc/origin/node/pods/etcd.yaml": "etcd.service",
        "/etc/origin/node/pods/apiserver.yaml": "[o]penshift start master api.service",
    },
    Platform.KUBESPRAY: {
        "/etc/kubernetes/manifests/kube-apiserver.yaml": "kube-apiserver.service",
    },
}
"""Manifests of static pods, and what bears the name by which each is looked for."""


@dataclass(slots=True)
class Tools:
    """What is installed on all machines; tests change it."""

    version: str = "3.4.23"
    names: tuple[str, ...] = ("etcd", "etcdctl")
    bumps: bool = False
    restores: tuple[str, ...] = ("etcdctl",)
    """Which of them know `snapshot restore`; others print the help of `snapshot` instead."""
    sees: set[str] = field(default_factory=set)
    """Client URLs that serve a linearizable read when asked on a host, whatever is seen here."""
    dead: set[str] = field(default_factory=set)
    """Members whose old data does not start any more."""
    blind: bool = False
    """Asked on a host, nobody serves: its certificates are not the right ones."""
    v2: tuple[str, ...] | None = None
    """What lies at the root of the v2 store; None: the servers have no v2 API."""
    copies: bool = True
    """Whether `backup` has `--with-v3`."""


def lose(
    theatre: Theatre,
    *down: str,
    off: Sequence[str] = (),
    platform: Platform = Platform.ETCD,
    tools: Tools | None = None,
) -> Tools:
    """Set the scene: members that are down, hosts that are off, and a snapshot to restore from."""
    sight = theatre.sight
    tools = tools or Tools()
    name = ClusterName("demo")
    cluster = replace(sight.inventory.clusters[name], platform=platform)
    sight.inventory = replace(sight.inventory, clusters={name: cluster})
    sight.backups = theatre.backups
    keep(theatre.backups, sight.clock.ms - _DAY_MS, tools.version)
    if tools.v2 is not None:
        v2_tools.keep(theatre.backups, sight.clock.ms - _DAY_MS, tools.version, tools.v2)
    for host in cluster.hosts:
        if host.name not in sight.demo.members:
            continue
        machine = sight.hosts.machines[host.name]
        _install(machine, sight, tools, platform, host)
    tools.dead.update(down)
    for each in (*down, *off):
        sight.hosts.machines[each].units["etcd.service"].fail(sight.hosts.machines[each])
    for each in off:
        sight.hosts.machines[each].power_off()
        sight.demo.members[MemberName(each)].condition = Condition.OFF
    return tools


def keep(
    backups: MemoryBackups,
    taken_at_ms: int,
    version: str = "3.4.23",
    *,
    revision: int = 90,
    quorum: bool = True,
) -> Snapshot:
    """Put a snapshot into the place for backups."""
    data, seen = fake_snapshot(revision, 40), Trailer()
    seen.update(data)
    name = ClusterName("demo")
    snapshot = Snapshot(
        cluster=name,
        name=snapshot_name(name, taken_at_ms, revision, seen.sha256),
        taken_at_ms=taken_at_ms,
        size=len(data),
        sha256=seen.sha256,
        hash=f"{zlib.crc32(data):x}",
        revision=revision,
        total_keys=40,
        origin=Origin(MemberId("a002"), "demo-2", version, revision, quorum),
    )
    backups.stored[snapshot.name] = snapshot, data
    return snapshot


def _install(
    machine: FakeMachine,
    sight: FakeSight,
    tools: Tools,
    platform: Platform,
    host: Host,
) -> None:
    model, files, member, address = sight.demo, machine.files, MemberName(host.name), host.address
    files.put(
        layout(platform).config,
        f"ETCD_NAME={member}\n"
        f"ETCD_DATA_DIR={DATA}\n"
        f"ETCD_LISTEN_PEER_URLS=https://{address}:2380\n"
        f"ETCD_LISTEN_CLIENT_URLS=https://{address}:2379\n"
        f"ETCD_INITIAL_ADVERTISE_PEER_URLS=https://{address}:2380\n"
        f"ETCD_ADVERTISE_CLIENT_URLS={model.members[member].client_url}\n"
        'ETCD_INITIAL_CLUSTER="demo-1=https://10.0.0.1:2380"\n'
        "ETCD_INITIAL_CLUSTER_STATE=new\n"
        "ETCD_INITIAL_CLUSTER_TOKEN=etcd-cluster-1\n"
        + ("ETCD_ENABLE_V2=true\n" if tools.v2 is not None else ""),
    )
    files.put(_DB, f"old data of {member}\n", 0o600)
    files.folder(DATA).owner = files.folder(DATA).group = "etcd"
    for node in files.tree(MEMBER):
        node.owner = node.group = "etcd"
    for program in ("env", "etcd", "etcdctl", "etcdutl"):
        machine.programs[program] = partial(_program, tools, model)
    old = model.members[member]

    def stopped(_: FakeMachine) -> None:
        if member in model.members:
            model.members[member].condition = Condition.STOPPED

    def started(machine: FakeMachine) -> None:
        node = machine.files.get(_DB)
        if node is None:
            _joins(machine, model, layout(platform).config, old.client_url)
            return
        assert node.owner == "etcd"
        content = machine.files.text(_DB)
        if content.startswith('{"joined'):
            model.members[member].condition = Condition.RUNNING
            return
        if content.startswith("old data"):
            _fails(member in tools.dead)
            if member in model.members and model.members[member] is old:
                old.condition = Condition.RUNNING
            return
        made = json.loads(content)
        if "v2" in made:
            v2_tools.founded(model, made, old, machine.files.text(layout(platform).config))
        else:
            _becomes(model, made, old.client_url)

    unit = FakeUnit(active="active", on_start=started, on_stop=stopped)
    machine.units["etcd.service"] = unit
    for manifest, name in _PODS.get(platform, {}).items():
        files.put(manifest, "kind: Pod\n")
        pod = machine.units.setdefault(name, FakeUnit(active="active"))
        pod.enabled = "static"
        sight.clock.on_sleep = partial(_kubelet, machine, manifest, pod, sight.clock.on_sleep)


def _fails(dead: bool) -> None:
    if dead:
        raise StartError


def _kubelet(machine: FakeMachine, manifest: str, pod: FakeUnit, also: Callable[[], None]) -> None:
    """Run what has a manifest, and nothing else."""
    also()
    if machine.on and machine.files.get(manifest) is not None:
        if not pod.start(machine):
            pod.starts -= 1  # what fails is tried over and over, however long a run takes
    elif pod.active == "active":
        pod.stop(machine)


def _becomes(model: FakeCluster, data: dict[str, str], client_url: str) -> None:
    """The restored data starts: a cluster of one member."""
    name = MemberName(data["name"])
    seed = Seed(name, tuple(data["peers"].split(",")))
    if model.cluster_id != cluster_id(seed, data["token"]):
        model.members.clear()
        model.alarms.clear()
        model.waiting.clear()
        model.cluster_id = cluster_id(seed, data["token"])
        model.revision = int(data["revision"])
        member = model.add(name, client_url)
        member.id, member.peer_urls = member_id(seed.peer_urls, data["token"]), seed.peer_urls
    model.members[name].condition = Condition.RUNNING


def _joins(machine: FakeMachine, model: FakeCluster, config: str, client_url: str) -> None:
    """An empty folder: it joins where it was added, or would found a cluster of its own."""
    values = envfile.read(machine.files.text(config))
    url = values["ETCD_INITIAL_ADVERTISE_PEER_URLS"]
    keys = [key for key, member in model.members.items() if url in member.peer_urls]
    if not keys or values["ETCD_INITIAL_CLUSTER_STATE"] != "existing":
        raise StartError
    listed = {peer for member in model.members.values() for peer in member.peer_urls}
    told = {pair.partition("=")[2] for pair in values["ETCD_INITIAL_CLUSTER"].split(",")}
    assert told == listed
    member = model.members.pop(keys[0])
    member.name, member.started = MemberName(values["ETCD_NAME"]), True
    member.condition, member.client_url = Condition.RUNNING, client_url
    model.members[member.name] = member
    joined = json.dumps({"joined": member.name})
    machine.files.put(_DB, joined, 0o600).owner = "etcd"


async def _program(
    tools: Tools, model: FakeCluster, machine: FakeMachine, argv: Sequence[str], _: bytes, say: Say
) -> int:
    """`etcd`, `etcdctl` and `etcdutl`, by whatever path; `env` before one of them."""
    words = [word for word in argv if word not in {"env", "ETCDCTL_API=2", "ETCDCTL_API=3"}]
    name = words[0].rpartition("/")[2]
    if name not in tools.names:
        return 127
    if "ETCDCTL_API=2" in argv:
        printed = v2_tools.printed(tools.v2, machine, words[1:], copies=tools.copies)
    else:
        printed = _printed(tools, model, machine, name, words[1:])
    for line in (printed.out + printed.err).splitlines():
        await say(line)
    return printed.status


def _printed(
    tools: Tools, model: FakeCluster, machine: FakeMachine, name: str, words: Sequence[str]
) -> Printed:
    if words in (["version"], ["--version"]):
        return Printed(out=f"{name} version: {tools.version}\n")
    options = {word.partition("=")[0]: word.partition("=")[2] for word in words if word[:2] == "--"}
    match [word for word in words if not word.startswith("--")]:
        case ["snapshot", "restore"] if "--help" in options:
            bumps = " --bump-revision --mark-compacted" if tools.bumps else ""
            return Printed(out=_HELP + bumps if name in tools.restores else "snapshot save")
        case ["snapshot", "status", path]:
            return _status(machine, path)
        case ["snapshot", "restore", path]:
            assert name in tools.restores
            return _restore(machine, path, options)
        case ["endpoint", "health"]:
            answers = [
                {"endpoint": url, "health": _serves(tools, model, url)}
                for url in options["--endpoints"].split(",")
            ]
            well = all(each["health"] for each in answers)
            return Printed(0 if well else 1, json.dumps(answers))
        case _:
            message = f"{name}: the twin does not know {words}"
            raise AssertionError(message)


def _serves(tools: Tools, model: FakeCluster, url: str) -> bool:
    if url in tools.sees or tools.blind:
        return not tools.blind
    asked = (member for member in model.members.values() if member.client_url == url)
    return model.quorum and any(member.works for member in asked)


def _status(machine: FakeMachine, path: str) -> Printed:
    node = machine.files.get(path)
    if node is None:
        return Printed(1)
    data = machine.files.file(path).content
    if data.startswith(b"{"):
        found = json.loads(data)
        figures = (int(found["revision"]), 40)
    elif match := _SNAPSHOT.match(data):
        figures = (int(match[1]), int(match[2]))
    else:
        return Printed(1)
    status = {"hash": zlib.crc32(data), "revision": figures[0], "totalKey": figures[1]}
    return Printed(out=json.dumps(status))


def _restore(machine: FakeMachine, path: str, options: dict[str, str]) -> Printed:
    """As the real tool: it refuses a folder that is there, and a snapshot that is not whole."""
    assert "--skip-hash-check" not in options
    assert ("--bump-revision" in options) == ("--mark-compacted" in options)
    folder, data, seen = options["--data-dir"], machine.files.file(path).content, Trailer()
    seen.update(data)
    if machine.files.get(folder) is not None:
        return Printed(1, f'Error: data-dir "{folder}" exists\n')
    match = _SNAPSHOT.match(data)
    if seen.fault or match is None:
        return Printed(1, "Error: expected sha256 […], got […]\n")
    made = {
        "name": options["--name"],
        "peers": options["--initial-advertise-peer-urls"],
        "token": options["--initial-cluster-token"],
        "revision": int(match[1]) + int(options.get("--bump-revision", 0)),
    }
    perform(machine, ["mkdir", "-p", f"{folder}/member/snap"], b"")
    machine.files.put(f"{folder}/member/snap/db", json.dumps(made), 0o600)
    machine.files.put(f"{folder}/member/wal/0.wal", "", 0o600)
    return Printed()
