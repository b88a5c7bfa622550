"""Copies of configurations: kept whole beside the snapshots, believed only as they were kept."""

from dataclasses import replace
from typing import cast

import pytest

from bot.targets.backups.copies import Copies
from procedures.model.config_copy import ConfigCopy, CopiedFile
from procedures.model.errors import Permanent
from procedures.model.ids import ClusterName, MemberId
from procedures.model.member import Identity
from procedures.model.snapshot import Retention
from tests.contract.backups.worlds import LocalWorld, World, save

NAME = "etcd-1-20231114T221320Z-"
END = ".config.json"


def a_copy(
    world: World, host: str = "etcd-1", content: bytes = b"ETCD_NAME=etcd-1\n"
) -> ConfigCopy:
    return ConfigCopy(
        cluster=world.cluster.name,
        host=host,
        address="10.0.0.1",
        machine_id="1" * 32,
        member=Identity(MemberId("a1"), host, ("https://10.0.0.1:2380",)),
        taken_at_ms=world.clock.now_ms(),
        files=(
            CopiedFile("/etc/etcd/etcd.conf", content, 0o644, "root", "root"),
            CopiedFile("/etc/etcd/peer.key", b"\0\xff", 0o600, "etcd", "etcd", "u:r:etc_t:s0"),
        ),
    )


def shelf(world: World) -> Copies:
    return cast("Copies", world.backups.copies)


def spoil(world: World, copy: ConfigCopy, document: bytes, name: str = "") -> None:
    shelf(world).shelf.put(copy.cluster, f"{name or copy.name}{END}", document)


async def test_what_is_kept_is_read(world: World) -> None:
    """With all attributes; the name says whose it is and when it was taken."""
    copy = a_copy(world)
    await world.backups.copies.keep(copy)
    assert copy.name.startswith(NAME)
    assert await world.backups.copies.read(copy.cluster, copy.name) == copy
    (listed,) = await world.backups.copies.listing(copy.cluster)
    assert (listed.name, listed.host) == (copy.name, "etcd-1")
    assert listed.taken_at_ms // 1_000 == copy.taken_at_ms // 1_000


async def test_keeping_it_twice_is_keeping_it_once(world: World) -> None:
    """A late duplicate has the same name."""
    copy = a_copy(world)
    await world.backups.copies.keep(copy)
    await world.backups.copies.keep(copy)
    assert len(await world.backups.copies.listing(copy.cluster)) == 1


async def test_the_newest_copy_comes_first(world: World) -> None:
    """Of all hosts."""
    names = []
    for host in ("etcd-2", "etcd-1", "etcd-10"):
        copy = a_copy(world, host)
        await world.backups.copies.keep(copy)
        names.append(copy.name)
        await world.clock.sleep_ms(1_000)
    listed = await world.backups.copies.listing(world.cluster.name)
    assert [each.name for each in listed] == names[::-1]
    assert [each.host for each in listed] == ["etcd-10", "etcd-1", "etcd-2"]


async def test_nobody_has_copies_of_another_cluster(world: World) -> None:
    """Nor is there one where nothing was kept."""
    await world.backups.copies.keep(a_copy(world))
    assert await world.backups.copies.listing(ClusterName("other")) == ()
    with pytest.raises(Permanent, match="There is no copy"):
        await world.backups.copies.read(ClusterName("other"), a_copy(world).name)


@pytest.mark.parametrize("how", ["flipped", "cut off", "another's", "nothing"])
async def test_a_damaged_copy_is_not_believed(world: World, how: str) -> None:
    """Whatever became of it: its content has to make its name."""
    copy = a_copy(world)
    await world.backups.copies.keep(copy)
    whole = shelf(world).shelf.get(copy.cluster, f"{copy.name}{END}")
    assert whole is not None
    at = whole.index(b"content_base64") + 20
    other = replace(copy, host="etcd-2")
    await world.backups.copies.keep(other)
    others = shelf(world).shelf.get(copy.cluster, f"{other.name}{END}") or b""
    spoilt = {
        "flipped": whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :],
        "cut off": whole[:-40],
        "another's": others,
        "nothing": b"",
    }
    spoil(world, copy, spoilt[how])
    with pytest.raises(Permanent, match="is damaged"):
        await world.backups.copies.read(copy.cluster, copy.name)


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "etcd-1", "etcd-1-20231114T221320Z-xyz"])
async def test_a_wrong_name_leads_nowhere(world: World, name: str) -> None:
    """A name comes from people; only one of a copy is looked for."""
    with pytest.raises(Permanent, match="is no name of a copy"):
        await world.backups.copies.read(world.cluster.name, name)
    with pytest.raises(Permanent, match="is no name of a cluster"):
        await world.backups.copies.listing(ClusterName("../up"))


async def test_snapshots_and_copies_leave_each_other_alone(world: World) -> None:
    """Neither is listed among the others, and no rotation deletes a copy."""
    snapshot, copy = await save(world), a_copy(world)
    await world.backups.copies.keep(copy)
    assert await world.backups.listing(world.cluster.name) == (snapshot,)
    await world.clock.sleep_ms(400 * 86_400_000)
    await save(world)
    await world.backups.rotate(world.cluster, Retention(1, 1))
    assert await world.backups.copies.read(copy.cluster, copy.name) == copy


async def test_a_copy_on_a_disk_is_for_us_alone(local: LocalWorld) -> None:
    """It holds keys."""
    copy = a_copy(local)
    await local.backups.copies.keep(copy)
    file = local.directory / copy.cluster / f"{copy.name}{END}"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
