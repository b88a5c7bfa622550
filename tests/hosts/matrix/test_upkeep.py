"""What is done to a cluster that stays: backups, space, defragmentation, certificates."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from procedures.etcd import certs
from procedures.host.answering import Args
from procedures.model import certificate
from procedures.model.errors import Refused
from procedures.model.platform import layout
from procedures.model.report import Figure, Level
from procedures.model.snapshot import Snapshot
from tests.chaos.witness import Witness
from tests.hosts.matrix.cells import CELLS, Cell, done, hosts, voters, witnessed
from tests.support.real_stage import RealStage
from tests.support.waiting import eventually
from tests.testbed import BedError, Cluster, Namespace, Testbed

NAMES = ("etcd-1", "etcd-2", "etcd-3")
QUOTA = 16 << 20
LARGE = "x" * 1_000_000


@dataclass(frozen=True, slots=True)
class Ground:
    """One cluster for all of these, which leave it well."""

    cell: Cell
    bed: Testbed
    cluster: Cluster


@pytest.fixture(scope="module", params=CELLS, ids=str)
def ground(inside: Namespace, request: pytest.FixtureRequest) -> Iterator[Ground]:
    with hosts(inside, request.param, NAMES) as bed:
        yield Ground(request.param, bed, bed.cluster(NAMES, quota_bytes=QUOTA))


async def backed_up(stage: RealStage) -> Snapshot:
    await done(stage, "etcd backup")
    return (await stage.backups.listing(stage.cluster.name))[0]


async def test_a_good_backup(ground: Ground, tmp_path: Path) -> None:
    """A drill serves every key of it again; no host is touched, and no write waits for it."""
    async with witnessed(ground.cell, ground.bed, ground.cluster, tmp_path) as (stage, witness):
        await more(witness, 30)
        snapshot = await backed_up(stage)
        assert snapshot.origin.hash_kv is not None
        await done(stage, "etcd drill")
        drill = await stage.backups.drills.last(stage.cluster.name)
        assert drill is not None
        assert (drill.snapshot, drill.fault, drill.hash_compared) == (snapshot.name, None, True)
        assert drill.keys >= 30
        assert drill.revision >= snapshot.revision


def stored(folder: Path, name: str) -> Path:
    [file] = folder.rglob(name)
    return file


SPOILED: dict[str, Callable[[bytes], bytes]] = {
    "flipped": lambda data: data[:9000] + bytes([data[9000] ^ 1]) + data[9001:],
    "truncated": lambda data: data[: len(data) // 2],
}


@pytest.mark.parametrize("how", SPOILED)
async def test_a_spoiled_backup(ground: Ground, tmp_path: Path, how: str) -> None:
    """It is found out before anything is planned on it; made whole again, it is taken."""
    async with witnessed(ground.cell, ground.bed, ground.cluster, tmp_path) as (stage, witness):
        await more(witness)
        snapshot = await backed_up(stage)
        file = stored(tmp_path, snapshot.name)
        whole = file.read_bytes()
        file.write_bytes(SPOILED[how](whole))
        for procedure in ("etcd drill", "etcd restore"):
            with pytest.raises(Refused, match=r"is damaged|is cut off"):
                await stage.planned(procedure, snapshot=snapshot.name)
            with pytest.raises(Refused, match=r"There is no whole snapshot"):
                await stage.planned(procedure)
        file.write_bytes(whole)
        assert (await stage.planned("etcd drill")).steps


async def test_no_space(ground: Ground, tmp_path: Path) -> None:
    """Old versions fill the quota, and nobody can write; they go, and everybody can again."""
    cluster = ground.cluster
    async with witnessed(ground.cell, ground.bed, cluster, tmp_path) as (stage, witness):
        with pytest.raises(Refused, match="No member of prod has raised NOSPACE"):
            await stage.planned("etcd nospace")
        with pytest.raises(BedError, match="database space exceeded"):
            fill(cluster)
        assert cluster.etcdctl("alarm", "list")["alarms"]
        refused = len(witness.acknowledged)
        await done(stage, "etcd nospace")
        assert "alarms" not in cluster.etcdctl("alarm", "list")
        assert max(sizes(cluster).values()) < QUOTA // 2
        await more(witness)
        assert len(witness.acknowledged) > refused


async def test_defragmentation(ground: Ground, tmp_path: Path) -> None:
    """One after the other, the leader last; each file is smaller then."""
    cluster = ground.cluster
    async with witnessed(ground.cell, ground.bed, cluster, tmp_path) as (stage, witness):
        leader = cluster.leader()
        assert leader is not None
        for _ in range(5):
            written = cluster.etcdctl("put", "large", stdin=LARGE)
        url, revision = cluster.endpoints[cluster.name(leader)], written["header"]["revision"]
        await stage.act.compact(stage.cluster, url, revision, limit_ms=30_000)
        # The leader has; the others do so in the background, and have nothing to give back before.
        in_use = 2 * len(LARGE)
        await eventually(
            lambda: max(sizes(cluster, "dbSizeInUse").values()) < in_use, 30, "all have compacted"
        )
        before = sizes(cluster)
        with pytest.raises(Refused, match="There is little to win"):
            await stage.planned("etcd defrag")
        journal = await done(stage, "etcd defrag", anyway=True)
        after = sizes(cluster)
        assert all(after[name] < before[name] - 2 * len(LARGE) for name in before)
        told = re.findall(r"(?m)^(\S+) .*; defragmenting it$", "\n".join(journal.said))
        assert sorted(told) == sorted(cluster.endpoints)
        assert told[-1] == cluster.name(leader)
        assert await voters(stage) == set(cluster.endpoints)
        await more(witness)


async def test_certificates_are_renewed(ground: Ground, tmp_path: Path) -> None:
    """By the same CA, one after the other; keys stay at home, and writing goes on."""
    bed = ground.bed
    pairs = {name: layout(ground.cell.platform).certificates(name).peer for name in NAMES}
    before = {name: bed[name].path(pair.cert).read_bytes() for name, pair in pairs.items()}
    keys = {name: bed[name].path(pair.key).read_bytes() for name, pair in pairs.items()}
    owners = {name: bed[name].path(pair.key).stat().st_uid for name, pair in pairs.items()}
    async with witnessed(ground.cell, bed, ground.cluster, tmp_path) as (stage, witness):
        assert await faulty(stage) == []
        journal = await done(stage, "etcd certs renew", days="400")
        assert await faulty(stage) == []
        assert "PRIVATE KEY" not in "\n".join(journal.said)
        assert await voters(stage) == set(ground.cluster.endpoints)
        await more(witness)
    for name, pair in pairs.items():
        cert, key = bed[name].path(pair.cert), bed[name].path(pair.key)
        now, old = certificate.read(cert.read_bytes()), certificate.read(before[name])
        assert now is not None
        assert old is not None
        assert now.issuer == old.issuer
        assert now.names >= old.names
        left = datetime.fromtimestamp(now.ends_s, UTC) - datetime.now(UTC)
        assert timedelta(days=398) < left < timedelta(days=401)
        assert (key.stat().st_uid, key.stat().st_mode & 0o777) == (owners[name], 0o600)
        kept = [*cert.parent.glob(f"quorumbot-*/old/{key.name}")]
        assert [each.read_bytes() for each in kept] == [keys[name]]
        assert key.read_bytes() != keys[name]
        assert shown(ground, name) == now.sha256


async def faulty(stage: RealStage) -> list[Figure]:
    """What `/etcd certs` finds wrong."""
    [report] = [each async for each in certs.ask(Args(stage.cluster.name), stage)]
    return [each for each in report.figures if each.level not in {Level.OK, Level.INFO}]


async def more(witness: Witness, count: int = 10) -> None:
    """Wait until the witness has seen so many writes more acknowledged."""
    enough = len(witness.acknowledged) + count
    await eventually(lambda: len(witness.acknowledged) >= enough, 60, f"{count} writes more")


def fill(cluster: Cluster) -> None:
    """Write versions of one key, more than fit."""
    for _ in range(2 * QUOTA // len(LARGE)):
        cluster.etcdctl("put", "large", stdin=LARGE)


def sizes(cluster: Cluster, of: str = "dbSize") -> dict[str, int]:
    """How large each member's file is, or how much of it is in use."""
    names = {url: name for name, url in cluster.endpoints.items()}
    return {
        names[answer["Endpoint"]]: int(answer["Status"][of])
        for answer in cluster.etcdctl("endpoint", "status")
    }


def shown(ground: Ground, name: str) -> str:
    """Which certificate a host shows to its peers, by its SHA-256, asked from another host."""
    other = ground.bed[next(each for each in NAMES if each != name)]
    url = f"{ground.bed[name].address}:2380"
    said = other.run(["openssl", "s_client", "-connect", url, "-showcerts"], check=False)
    found = re.search(r"-----BEGIN.*?END CERTIFICATE-----", said.output, re.DOTALL)
    assert found, said
    leaf = certificate.read(found[0].encode())
    assert leaf is not None
    return leaf.sha256
