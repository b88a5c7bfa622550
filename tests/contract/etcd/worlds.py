"""The two worlds in which the contract is tested: a real etcd cluster, and the one in memory."""

import os
import ssl
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import aiohttp

from bot.sandbox.demo.cluster import DemoCluster
from bot.sandbox.demo.pki import LOOPBACK_HOSTS, Authority, Validity
from bot.targets.etcd.act import EtcdActor
from bot.targets.etcd.look import EtcdReader
from bot.targets.etcd.memory import FakeEtcd
from bot.targets.etcd.model import Condition, FakeCluster, FakeMember
from procedures.engine.ports import EtcdAct, EtcdLook
from procedures.model.ids import ClusterName, MemberName, Site
from procedures.model.inventory import Cluster, Platform, TlsFiles
from procedures.model.probe import Fault, FaultKind
from tests.support.etcdctl import etcdctl
from tests.support.releases import Release
from tests.support.waiting import eventually

ONE, TWO, THREE = MemberName("demo-1"), MemberName("demo-2"), MemberName("demo-3")
DEADLINE_MS = 1_000
PATIENCE_MS = 2_000


class World(Protocol):
    """A 3-member cluster that can be broken, a reader that looks at it, an actor that changes it.

    `missed` waits until the others have noticed that a member is gone: from then on etcd takes
    its removal.
    """

    cluster: Cluster
    reader: EtcdLook
    actor: EtcdAct
    minor: str

    async def stop(self, member: MemberName) -> None: ...
    async def kill(self, member: MemberName) -> None: ...
    async def start(self, member: MemberName) -> None: ...
    async def freeze(self, member: MemberName) -> None: ...
    async def thaw(self, member: MemberName) -> None: ...
    async def missed(self, member: MemberName) -> None: ...
    async def fill(self) -> None: ...
    async def overwrite(self) -> None: ...
    async def replace_by_learner(self, member: MemberName) -> None: ...
    async def replace_by_unstarted(self, member: MemberName) -> None: ...
    async def let_certificate_expire(self, member: MemberName) -> None: ...
    async def give_certificate_for(self, member: MemberName, host: str) -> None: ...
    async def sign_by_another_ca(self, member: MemberName) -> None: ...
    async def lose_key(self) -> None: ...
    def peer_url(self, member: MemberName) -> str: ...
    async def close(self) -> None: ...


class MemoryWorld:
    """The twin, which answers as 3.4 does."""

    minor = "3.4"

    def __init__(self) -> None:
        self.cluster = Cluster(
            name=ClusterName("demo"),
            platform=Platform.ETCD,
            site=Site("here"),
            endpoints={
                name: f"https://127.0.0.1:{2379 + number}"
                for number, name in enumerate((ONE, TWO, THREE))
            },
            tls=TlsFiles("ca.crt", "client.crt", "client.key"),
            deadline_ms=DEADLINE_MS,
        )
        self.model = FakeCluster.of(self.cluster)
        self._fake = FakeEtcd({self.cluster.name: self.model})
        self.reader: EtcdLook = self._fake
        self.actor: EtcdAct = self._fake

    def _member(self, member: MemberName) -> FakeMember:
        return self.model.members[member]

    async def stop(self, member: MemberName) -> None:
        self._member(member).condition = Condition.STOPPED

    async def kill(self, member: MemberName) -> None:
        self._member(member).condition = Condition.STOPPED

    async def start(self, member: MemberName) -> None:
        self._member(member).condition = Condition.RUNNING

    async def freeze(self, member: MemberName) -> None:
        self._member(member).condition = Condition.FROZEN

    async def thaw(self, member: MemberName) -> None:
        self._member(member).condition = Condition.RUNNING

    async def missed(self, member: MemberName) -> None:
        pass

    async def fill(self) -> None:
        self.model.raise_alarm(ONE)

    async def overwrite(self) -> None:
        self.model.revision += 10
        for member in self.model.members.values():
            member.history = 1_000_000
            member.db_size_in_use += 1_000_000
            member.db_size = member.db_size_in_use

    async def replace_by_learner(self, member: MemberName) -> None:
        url = self.model.members.pop(member).client_url
        self.model.add(member, url, learner=True)

    async def replace_by_unstarted(self, member: MemberName) -> None:
        url = self.model.members.pop(member).client_url
        self.model.add(member, url, started=False)

    async def let_certificate_expire(self, member: MemberName) -> None:
        self._distrust(member, "shows a certificate that expired on 2026-01-02")

    async def give_certificate_for(self, member: MemberName, host: str) -> None:
        self._distrust(member, f"shows a certificate for {host}, not for 127.0.0.1")

    async def sign_by_another_ca(self, member: MemberName) -> None:
        self._distrust(member, "shows a certificate whose issuer (other CA) is not in the CA file")

    async def lose_key(self) -> None:
        self._fake.files_fault = Fault(FaultKind.FILES, "The client key client.key does not exist.")

    def peer_url(self, member: MemberName) -> str:
        return self._member(member).peer_url

    async def close(self) -> None:
        await self._fake.close()

    def _distrust(self, member: MemberName, message: str) -> None:
        self._member(member).fault = Fault(FaultKind.TRUST, f"{member} {message}.")


class RealWorld:
    """A real etcd with TLS. `directory` is for the asker's own copy of its files."""

    def __init__(self, demo: DemoCluster, release: Release, directory: Path) -> None:
        self.demo = demo
        self.minor = release.minor
        self.cluster = inventory(demo, directory)
        self._etcdctl = release.etcdctl
        self._reader = EtcdReader()
        self.reader: EtcdLook = self._reader
        self._actor = EtcdActor(patience_ms=PATIENCE_MS)
        self.actor: EtcdAct = self._actor

    async def stop(self, member: MemberName) -> None:
        await self.demo.stop(member)

    async def kill(self, member: MemberName) -> None:
        await self.demo.kill(member)

    async def start(self, member: MemberName) -> None:
        await self.demo.start_member(member)
        await self.demo.wait_healthy()

    async def freeze(self, member: MemberName) -> None:
        self.demo.freeze(member)

    async def thaw(self, member: MemberName) -> None:
        self.demo.thaw(member)
        await self.demo.wait_healthy()

    async def missed(self, member: MemberName) -> None:
        listed = await etcdctl(
            self._etcdctl, self.demo, "member", "list", member=self._other(member)
        )
        number = next(row["ID"] for row in listed["members"] if row["name"] == member)
        inactive = f'Remote="{number:x}"}} 0'

        async def noticed() -> bool:
            pages = [await self._metrics(other) for other in self.demo.running]
            return all(inactive in page for page in pages)

        await eventually(noticed, 10, f"all others know that {member} is gone")

    async def fill(self) -> None:
        """Write more than the quota, which the cluster has to be made with, allows."""
        try:
            await etcdctl(self._etcdctl, self.demo, "put", "ballast", "x" * 100_000, member=ONE)
        except RuntimeError as error:
            assert "database space exceeded" in str(error)  # noqa: PT017 - else the test is void

    async def overwrite(self) -> None:
        """Write a key again and again, so that most of the data file is old versions."""
        for _ in range(10):
            await etcdctl(self._etcdctl, self.demo, "put", "ballast", "x" * 100_000, member=ONE)

    async def replace_by_learner(self, member: MemberName) -> None:
        await self._replace(member, "--learner")
        await self.demo.start_member(member)
        probe = Cluster(
            name=self.cluster.name,
            platform=Platform.ETCD,
            site=self.cluster.site,
            endpoints={member: self.cluster.endpoints[member]},
            tls=self.cluster.tls,
        )

        async def joined() -> bool:
            # It ends where the peer that it asks has not heard of it yet.
            if self.demo.pids()[member] is None:
                await self.demo.start_member(member)
            sample = await self._reader.sample(probe)
            return not isinstance(sample.probes[0].read, Fault)

        await eventually(joined, 30, "the learner has joined")

    async def replace_by_unstarted(self, member: MemberName) -> None:
        await self._replace(member)

    async def let_certificate_expire(self, member: MemberName) -> None:
        self._issue(member, self.demo.pki.authority, validity=Validity.days_left(-2))

    async def give_certificate_for(self, member: MemberName, host: str) -> None:
        self._issue(member, self.demo.pki.authority, hosts=(host,))

    async def sign_by_another_ca(self, member: MemberName) -> None:
        self._issue(member, Authority.create("other CA"))

    async def lose_key(self) -> None:
        assert self.cluster.tls
        os.unlink(self.cluster.tls.key)  # noqa: PTH108 - ASYNC240 takes Path for slow

    def peer_url(self, member: MemberName) -> str:
        return self.demo.peer_urls[member]

    async def close(self) -> None:
        await self._reader.close()
        await self._actor.close()
        for member in self.demo.endpoints:
            self._issue(MemberName(member), self.demo.pki.authority)

    async def _replace(self, member: MemberName, *options: str) -> None:
        listed = await etcdctl(self._etcdctl, self.demo, "member", "list", member=ONE)
        old = next(row["ID"] for row in listed["members"] if row["name"] == member)
        await self.demo.wipe(member)
        change = ("member", "remove", f"{old:x}")
        await etcdctl(self._etcdctl, self.demo, *change, member=ONE)
        peer = f"--peer-urls={self.demo.peer_urls[member]}"

        async def added() -> bool:
            """Wait out the 5 s for which etcd wants all members connected before it adds one."""
            try:
                await etcdctl(
                    self._etcdctl, self.demo, "member", "add", member, peer, *options, member=ONE
                )
            except RuntimeError as error:
                if "unhealthy cluster" not in str(error):
                    raise
                return False
            return True

        await eventually(added, 30, "etcd accepts the new member")

    def _other(self, member: MemberName) -> MemberName:
        return next(MemberName(other) for other in self.demo.running if other != member)

    async def _metrics(self, member: str) -> str:
        context = ssl.create_default_context(cafile=str(self.demo.files.ca))
        context.load_cert_chain(self.demo.files.cert, self.demo.files.key)
        url = f"{self.demo.endpoints[member]}/metrics"
        async with aiohttp.ClientSession() as session, session.get(url, ssl=context) as reply:
            return await reply.text()

    def _issue(
        self,
        member: MemberName,
        authority: Authority,
        *,
        hosts: tuple[str, ...] | None = None,
        validity: Validity | None = None,
    ) -> None:
        """Replace a member's certificate; etcd reads it anew for each connection."""
        names = hosts or (*LOOPBACK_HOSTS, member)
        pair = authority.issue(member, hosts=names, validity=validity)
        pair.write(self.demo.files.ca.parent, f"{member}-server")


def inventory(demo: DemoCluster, directory: Path) -> Cluster:
    """Describe a demo cluster the way the configuration does, with a copy of its client files."""
    for path in (demo.files.ca, demo.files.cert, demo.files.key):
        (directory / path.name).write_bytes(path.read_bytes())
    files = TlsFiles(
        ca=str(directory / demo.files.ca.name),
        cert=str(directory / demo.files.cert.name),
        key=str(directory / demo.files.key.name),
    )
    return Cluster(
        name=ClusterName(demo.name),
        platform=Platform.ETCD,
        site=Site("here"),
        endpoints=MappingProxyType({MemberName(name): url for name, url in demo.endpoints.items()}),
        tls=files,
        deadline_ms=DEADLINE_MS,
    )
