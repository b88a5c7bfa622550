"""Machines in memory on which members of a fake cluster live, or may come to live."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from bot.targets.etcd.model import Condition, FakeCluster, FakeMember
from bot.targets.ssh.model import FakeMachine, FakeUnit, Program, Say
from procedures.model.ids import MemberName
from procedures.model.inventory import Host, Platform
from procedures.model.platform import layout
from tests.support.openssl_ca import openssl, put_pairs

_CONFIG = """\
ETCD_NAME={name}
ETCD_DATA_DIR=/var/lib/etcd
ETCD_LISTEN_PEER_URLS=https://{address}:2380
ETCD_LISTEN_CLIENT_URLS=https://{address}:2379
ETCD_INITIAL_ADVERTISE_PEER_URLS=https://{address}:2380
ETCD_ADVERTISE_CLIENT_URLS=https://{address}:2379
ETCD_INITIAL_CLUSTER={peers}
ETCD_INITIAL_CLUSTER_STATE=new
"""


_OVERDUE = 124


def live_on(machine: FakeMachine, cluster: FakeCluster, host: Host) -> FakeUnit:
    """Give a machine an `etcd.service` that is the process of the member of its name, and files.

    The unit is what counts: the member runs while it does. On a machine without a member it runs
    as nobody, until one is added at the address of the machine.
    """

    def started(_: FakeMachine) -> None:
        member = _member(cluster, host)
        if member is not None:
            member.condition = Condition.RUNNING

    def stopped(_: FakeMachine) -> None:
        member = cluster.members.get(MemberName(host.name))
        if member is not None:
            member.condition = Condition.STOPPED

    member = cluster.members.get(MemberName(host.name))
    peers = ",".join(f"{name}={each.peer_url}" for name, each in cluster.members.items())
    config = _CONFIG.format(name=host.name, address=host.address, peers=peers)
    machine.files.put("/etc/etcd/etcd.conf", config if member else "ETCD_NAME=default\n")
    machine.files.folder("/var/lib/etcd", 0o700)
    if member:
        machine.files.folder("/var/lib/etcd/member", 0o700)
    files = layout(Platform.ETCD).certificates(host.name)
    put_pairs(machine, files, host.address, host.name)
    machine.programs["etcd"] = _version(member.version if member else "3.4.23")
    machine.programs["openssl"] = openssl
    machine.programs["timeout"] = _dialled(cluster)
    runs = member is not None and member.works
    unit = FakeUnit(active="active" if runs else "inactive", on_start=started, on_stop=stopped)
    machine.units["etcd.service"] = unit
    return unit


def _member(cluster: FakeCluster, host: Host) -> FakeMember | None:
    """Find a host's member; one that was added at its address tells its name now."""
    for key, member in list(cluster.members.items()):
        if not member.started and urlsplit(member.peer_url).hostname == host.address:
            del cluster.members[key]
            member.name, member.started = MemberName(host.name), True
            member.client_url = f"https://{host.address}:2379"
            cluster.members[member.name] = member
    return cluster.members.get(MemberName(host.name))


def _version(version: str) -> Program:
    async def etcd(_: FakeMachine, __: Sequence[str], ___: bytes, say: Say) -> int:
        await say(f"etcd Version: {version}")
        return 0

    return etcd


def _dialled(cluster: FakeCluster) -> Program:
    """Tries a connection: members listen at their URLs; `closed` are ways that are barred."""

    async def timeout(machine: FakeMachine, argv: Sequence[str], _: bytes, say: Say) -> int:
        address, port = argv[-2], int(argv[-1])
        if (address, port) in machine.closed:
            return _OVERDUE
        for member in cluster.members.values():
            ends = [
                urlsplit(url) for url in (member.client_url, *member.peer_urls, *member.listens)
            ]
            if member.works and (address, port) in {(end.hostname, end.port) for end in ends}:
                return 0
        await say("bash: connect: Connection refused")
        return 1

    return timeout
