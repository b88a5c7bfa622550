"""Archives with a v2 store: kept beside the snapshots, and by the same rules."""

import hashlib
from dataclasses import replace

import pytest

from procedures.model.errors import Permanent
from procedures.model.snapshot import Proof, Retention, Snapshot
from tests.contract.backups.test_keeping import DAY_MS
from tests.contract.backups.values import an_origin, flipped, stream
from tests.contract.backups.worlds import World, save

DATA = b"an archive, as its host has made it" * 1_000
PROOF = Proof(hashlib.sha256(DATA).hexdigest(), len(DATA), "c0ffee", 41, 42)
ORIGIN = replace(an_origin(41), v2=("/net", "/registry"))


async def kept(world: World, data: bytes = DATA, proof: Proof = PROOF) -> Snapshot:
    return await world.backups.save_archive(world.cluster, ORIGIN, stream(data), proof)


async def test_an_archive_is_kept_beside_the_snapshots(world: World) -> None:
    """Neither is taken for the other; it can be read, byte for byte, with what was known of it."""
    snapshot, archive = await save(world), await kept(world)
    assert await world.backups.listing(world.cluster.name) == (snapshot,)
    assert await world.backups.archives(world.cluster.name) == (archive,)
    assert (archive.hash, archive.revision, archive.total_keys) == ("c0ffee", 41, 42)
    assert archive.origin == ORIGIN
    assert await world.backups.verify(archive) is None
    assert b"".join([block async for block in world.backups.read(archive)]) == DATA


@pytest.mark.parametrize(
    ("data", "proof"),
    [
        (DATA[:-1], PROOF),
        (flipped(DATA, 7), PROOF),
        (DATA, replace(PROOF, revision=40)),
    ],
)
async def test_what_is_not_what_its_host_has_hashed_is_not_kept(
    world: World, data: bytes, proof: Proof
) -> None:
    """Nor one that is older than the cluster was."""
    with pytest.raises(Permanent, match="Nothing is kept"):
        await kept(world, data, proof)
    assert await world.backups.archives(world.cluster.name) == ()
    assert world.everything() == set()


async def test_what_is_spoiled_is_found_out(world: World) -> None:
    """Verification reads all of it again."""
    archive = await kept(world)
    world.put(archive, flipped(DATA, 100))
    assert (await world.backups.verify(archive) or "").startswith("is damaged")
    world.put(archive, DATA[:100])
    assert (await world.backups.verify(archive) or "").startswith("is cut off")


async def test_archives_and_snapshots_stand_for_their_days_apart(world: World) -> None:
    """Many snapshots push no archive out; old ones of both go."""
    old, first = await kept(world), await save(world)
    world.clock.ms += 50 * DAY_MS
    await save(world)
    keeping = Retention(days=1, distinct_days=1)
    assert await world.backups.rotate(world.cluster, keeping) == (first,)
    new = await kept(world)
    assert await world.backups.rotate(world.cluster, keeping) == (old,)
    assert await world.backups.archives(world.cluster.name) == (new,)
