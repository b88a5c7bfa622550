"""A cluster in the middle of an upgrade: one member of three runs etcd 3.5 already."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest

from bot.sandbox.demo.cluster import DemoCluster
from bot.targets.backups.local import LocalBackups
from bot.targets.backups.tools import Tools
from bot.targets.etcd.act import EtcdActor
from bot.targets.etcd.look import EtcdReader
from bot.targets.ssh.memory import FakeHosts
from procedures.engine.ports import EtcdLook
from procedures.etcd import health
from procedures.model.ids import MemberName
from procedures.model.inventory import Cluster, Inventory
from procedures.model.probe import Status, Versions
from procedures.model.report import Level, Verdict
from procedures.model.snapshot import Origin, Snapshot
from tests.contract.etcd.worlds import ONE, THREE, inventory
from tests.support.etcdctl import etcdctl
from tests.support.releases import Release
from tests.support.restoring import restored
from tests.support.services import MakeCluster
from tests.support.sight import FakeClock
from tests.support.waiting import eventually

KEYS = 40


@dataclass(frozen=True, slots=True)
class Sight:
    """A real cluster, looked at with two samples right after each other."""

    inventory: Inventory
    etcd: EtcdLook
    clock: FakeClock
    hosts: FakeHosts
    backups: None = None


@dataclass(frozen=True, slots=True)
class Upgrading:
    """A cluster whose members run what `program` leads to when they are started."""

    demo: DemoCluster
    cluster: Cluster
    reader: EtcdReader
    program: Path

    async def upgrade(self, member: MemberName, release: Release) -> None:
        """Let one member run another etcd, on its own data."""
        self.program.unlink()
        self.program.symlink_to(release.etcd)
        await self.demo.stop(member)
        await self.demo.start_member(member)
        await self.demo.wait_healthy()

    async def statuses(self) -> dict[MemberName, Status]:
        """Of all members, which answer."""
        found = {}
        for probe in (await self.reader.sample(self.cluster)).probes:
            assert isinstance(probe.status, Status), probe.status
            found[MemberName(str(probe.expected))] = probe.status
        return found

    async def agreed(self) -> set[str]:
        """The cluster's version, as each member knows it."""
        urls = list(self.cluster.endpoints.values())
        answers = (await self.reader.versions(self.cluster, urls)).values()
        return {answer.cluster for answer in answers if isinstance(answer, Versions)}

    async def figures(self) -> tuple[Verdict, dict[str, tuple[Level, str]]]:
        """What `/etcd health` says in the end: the verdict, and figures of no single member."""
        places = Inventory(MappingProxyType({self.cluster.name: self.cluster}))
        clock = FakeClock()
        sight = Sight(places, self.reader, clock, FakeHosts(clock))
        reports = [each async for each in health.ask(health.Args(self.cluster.name), sight)]
        last = reports[-1]
        whole = [figure for figure in last.figures if figure.member is None]
        return last.verdict, {figure.name: (figure.level, figure.text) for figure in whole}


@pytest.fixture
async def upgrading(
    etcd_34: Release, etcd_35: Release, make_cluster: MakeCluster, tmp_path: Path
) -> AsyncIterator[Upgrading]:
    """Two members of 3.4 and one of 3.5, with keys from before."""
    program = tmp_path / "etcd"
    program.symlink_to(etcd_34.etcd)
    demo = await make_cluster(etcd=str(program))
    for number in range(KEYS):
        await etcdctl(etcd_34.etcdctl, demo, "put", f"key-{number}", "x", member=ONE)
    reader = EtcdReader()
    found = Upgrading(demo, inventory(demo, tmp_path), reader, program)
    await found.upgrade(THREE, etcd_35)
    yield found
    await reader.close()


async def test_health_tells_who_runs_what(upgrading: Upgrading, etcd_35: Release) -> None:
    """It calls a cluster degraded until all run one version that the cluster agreed on."""
    verdict, figures = await upgrading.figures()
    level, text = figures["version"]
    running = {name: status.version for name, status in (await upgrading.statuses()).items()}
    assert [version[:4] for version in running.values()] == ["3.4.", "3.4.", "3.5."]
    assert level is Level.WARN
    assert text == f"differs: {', '.join(f'{name} {it}' for name, it in running.items())}"
    assert await upgrading.agreed() == {"3.4.0"}
    assert figures["HashKV"][0] is Level.OK, figures["HashKV"]
    assert verdict is Verdict.DEGRADED

    for name in running:
        if name != THREE:
            await upgrading.upgrade(name, etcd_35)

    async def is_agreed() -> bool:
        return await upgrading.agreed() == {"3.5.0"}

    await eventually(is_agreed, 20, "the cluster agrees on 3.5")
    assert (await upgrading.figures())[1]["version"] == (Level.OK, running[THREE])


async def test_a_snapshot_of_each(
    upgrading: Upgrading, etcd_34: Release, etcd_35: Release, tmp_path: Path
) -> None:
    """Whoever gives it, the tool of that member's minor reads it, and that etcd starts on it."""
    releases = {release.minor: release for release in (etcd_34, etcd_35)}
    tools = Tools({minor: release.reader for minor, release in releases.items()})
    directory = tmp_path / "backups"
    directory.mkdir()
    backups = LocalBackups(directory, tools, FakeClock())
    actor = EtcdActor()
    taken: dict[MemberName, Snapshot] = {}
    try:
        for name, status in (await upgrading.statuses()).items():
            origin = Origin(
                status.member_id, name, status.version, status.revision, True, status.db_size
            )
            chunks = actor.snapshot(upgrading.cluster, upgrading.cluster.endpoints[name])
            taken[name] = await backups.save(upgrading.cluster, origin, chunks)
    finally:
        await actor.close()
    assert [each.origin.version[:3] for each in taken.values()] == ["3.4", "3.4", "3.5"]
    for name, snapshot in taken.items():
        release = releases[snapshot.origin.version[:3]]
        file = directory / snapshot.cluster / snapshot.name
        async with restored(release, file, tmp_path / f"{name}-again") as (count, revision):
            assert count == KEYS
            assert revision == snapshot.revision
