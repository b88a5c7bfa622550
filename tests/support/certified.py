"""A fake cluster whose machines have certificates of a CA that one of them keeps."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from bot.targets.etcd.memory import FakeEtcd
from bot.targets.ssh.model import FakeMachine
from procedures.model.ids import ClusterName, MemberName
from procedures.model.inventory import Cluster, Inventory, Platform
from procedures.model.platform import layout
from procedures.model.probe import Certificates
from tests.support.furnishing import configure, load
from tests.support.openssl_ca import RECORD, ca, key_of, openssl, pem, put_pairs
from tests.support.sight import FakeSight
from tests.support.theatre import Theatre

DEMO = ClusterName("demo")
ENDS = datetime(2023, 12, 24, tzinfo=UTC)
_CONFIG = "[ etcd_ca ]\nunique_subject = no\n"


class ReadingFiles(FakeEtcd):
    """Members that show what lies in their machines' files, as etcd does at each handshake."""

    def __init__(self, sight: FakeSight) -> None:
        super().__init__(sight.etcd.clusters, sight.clock.now_ms)
        self.sight = sight

    async def certificates(
        self, cluster: Cluster, ports: Mapping[str, str | None]
    ) -> Mapping[str, Certificates]:
        for name in self.sight.demo.members:
            with suppress(FileNotFoundError):
                load(self.sight, name)
        return await super().certificates(cluster, ports)


def certified(
    platform: Platform = Platform.ETCD, but: Callable[[FakeSight], None] = lambda _: None
) -> Callable[[Theatre], None]:
    """Give all members' machines certificates that end soon, and demo-1 the CA's key."""

    def act(theatre: Theatre) -> None:
        certify(theatre.sight, platform)
        but(theatre.sight)

    return act


def certify(sight: FakeSight, platform: Platform = Platform.ETCD) -> None:
    """Do that. The spare has none of it."""
    cluster = replace(sight.inventory.clusters[DEMO], platform=platform)
    sight.inventory = Inventory({DEMO: cluster}, retention=sight.inventory.retention)
    sight.etcd = ReadingFiles(sight)
    configure(sight, at_hosts=True)
    for host in cluster.hosts:
        machine = sight.hosts.machines[host.name]
        for name in ("ca.crt", "peer.crt", "peer.key", "server.crt", "server.key"):
            machine.files.remove(f"/etc/etcd/{name}")
        machine.programs |= {"openssl": openssl, "env": openssl}
        machine.files.folder(layout(platform).certificates("").ca.rpartition("/")[0])
        if MemberName(host.name) in sight.demo.members:
            give(machine, platform, host.address)
    keep_authority(sight.hosts.machines["demo-1"], platform)


def give(
    machine: FakeMachine,
    platform: Platform,
    address: str,
    called: str = "",
    *,
    ends: datetime = ENDS,
    by: str = "etcd-signer",
) -> None:
    """Let a machine have certificates, and settings where its platform has them."""
    how, name = layout(platform), called or machine.name
    files = how.certificates(machine.name)
    config = machine.files.text("/etc/etcd/etcd.conf")
    machine.files.put(how.config, config)
    put_pairs(machine, files, address, name, ends=ends, by=by)
    for pair in {*files.pairs, *(each for each in (files.admin, files.node) if each)}:
        for path in (pair.cert, pair.key):
            file = machine.files.file(path)
            file.owner = file.group = "etcd"


def keep_authority(machine: FakeMachine, platform: Platform, seed: str = "etcd-signer") -> None:
    """Let a machine have the key of a CA, as its platform's installer puts it."""
    place = layout(platform).authority
    machine.files.put(place.cert, ca(seed))
    machine.files.put(place.key, pem(key_of(seed)), 0o600)
    if place.config:
        machine.files.put(place.config, _CONFIG)
        machine.files.put(RECORD, "")
