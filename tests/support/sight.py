"""What procedures look at, without a network: a fake cluster, and a clock that never waits."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bot.targets.etcd.memory import FakeEtcd
from bot.targets.etcd.model import FakeCluster
from bot.targets.ssh.memory import FakeHosts
from procedures.engine.ports import Backups
from procedures.model.ids import ClusterName, MemberName, Site
from procedures.model.inventory import Cluster, Host, Inventory, Platform, SshAccess, TlsFiles
from procedures.model.snapshot import Retention
from tests.support.expecting import FakeMembership, FakeRecords
from tests.support.machines import live_on

NOW_MS = 1_700_000_000_000

_TURNS = 20
"""Turns of the event loop that a sleep leaves to others; fakes need fewer to answer."""


@dataclass(slots=True)
class FakeClock:
    """Time passes only when somebody sleeps; `on_sleep` is what happens meanwhile."""

    ms: int = NOW_MS
    slept_ms: list[int] = field(default_factory=list)
    on_sleep: Callable[[], None] = lambda: None

    def now_ms(self) -> int:
        return self.ms

    async def sleep_ms(self, duration_ms: int) -> None:
        self.slept_ms.append(duration_ms)
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        self.ms += duration_ms
        self.on_sleep()


@dataclass(slots=True)
class FakeSight:
    """Implements `procedures.engine.ports.World` over one fake cluster named demo.

    Each member lives on a machine of its own, of the same name.
    """

    inventory: Inventory
    etcd: FakeEtcd
    clock: FakeClock
    demo: FakeCluster
    hosts: FakeHosts
    backups: Backups | None = None
    records: FakeRecords = field(default_factory=FakeRecords)
    hold: Callable[[], None] = field(default=lambda: None)

    @property
    def act(self) -> FakeEtcd:
        return self.etcd

    @property
    def on_hosts(self) -> FakeHosts:
        return self.hosts

    @property
    def expected(self) -> FakeMembership:
        return FakeMembership(self.records, self, hold=self.hold)


def a_sight(size: int = 3, spares: int = 1) -> FakeSight:
    """A healthy cluster, machines without a member, and all that is needed to look at them."""
    name = ClusterName("demo")
    cluster = Cluster(
        name=name,
        platform=Platform.ETCD,
        site=Site("default"),
        endpoints={
            MemberName(f"demo-{n}"): f"https://127.0.0.1:{2379 + n}" for n in range(1, size + 1)
        },
        tls=TlsFiles("ca.crt", "client.crt", "client.key"),
        hosts=tuple(Host(f"demo-{n}", f"10.0.0.{n}") for n in range(1, size + spares + 1)),
        ssh=SshAccess("quorumbot", key="id", known_hosts="known_hosts", sudo=True),
    )
    clock = FakeClock()
    demo = FakeCluster.of(cluster, now_ms=clock.ms)
    hosts = FakeHosts(clock)
    for host in cluster.hosts:
        live_on(hosts.add(host.name), demo, host)
    return FakeSight(
        Inventory({name: cluster}, retention={cluster.site: Retention()}),
        FakeEtcd({name: demo}, clock.now_ms),
        clock,
        demo,
        hosts,
    )


def a_sight_without_hosts(size: int = 3) -> FakeSight:
    """The same of a cluster whose configuration names no hosts: only members are looked at."""
    sight = a_sight(size)
    clusters = {
        name: replace(cluster, hosts=(), ssh=None)
        for name, cluster in sight.inventory.clusters.items()
    }
    sight.inventory = replace(sight.inventory, clusters=clusters)
    return sight
