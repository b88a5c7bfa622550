"""Restoring a cluster that has lost its quorum. What is lost with it is what the plan says.

What a survivor has is not: it gives a snapshot of its own, and that is restored.
"""

import re
from pathlib import Path

import pytest

from procedures.model.errors import Refused
from tests.chaos.witness import Witness
from tests.hosts.matrix.cells import IN_EACH_CELL, Cell, done, hosts, writing
from tests.hosts.restoring import NAMES, cluster_id, listed, restored, revision_of, saved
from tests.support.real_stage import RealStage
from tests.support.waiting import eventually
from tests.testbed import Namespace

_OLD = "/var/lib/etcd/member.before-r-0000000"
"""Followed by the number of the run."""


async def restored_to(stage: RealStage, on: str, **args: str) -> int:
    """Restore; gives the revision up to which the plan says that all will be there."""
    run = await restored(stage, on, **args)
    assert run.plan is not None
    [said] = re.findall(
        r"revision (\d+), .* What was written after that revision is lost\.",
        "\n".join(run.plan.facts),
    )
    return int(said)


async def some_more(witness: Witness) -> None:
    """Wait until the witness has seen ten writes more acknowledged."""
    enough = len(witness.acknowledged) + 10
    await eventually(lambda: len(witness.acknowledged) >= enough, 60, "ten writes more")


def newer(before: dict[int, int], revision: int) -> list[int]:
    """What was written before the loss, and after this revision."""
    return [number for number, written in before.items() if written > revision]


@IN_EACH_CELL
async def test_two_of_three_hosts_are_lost(inside: Namespace, tmp_path: Path, cell: Cell) -> None:
    """All that the survivor has is there again, although it is newer than the stored snapshot."""
    with hosts(inside, cell, NAMES) as bed:
        cluster = bed.cluster(NAMES)
        left = next(iter(cluster.endpoints))
        async with writing(cell, bed, cluster, tmp_path) as (stage, witness):
            await some_more(witness)
            old, stored = cluster_id(cluster, left), await saved(stage)
            await some_more(witness)
            with pytest.raises(Refused, match="prod has quorum"):
                await stage.planned("etcd restore")
            for name in NAMES[1:]:
                bed[name].power_off()
            with pytest.raises(Refused, match=rf"{left} \(revision \d+\) answers, .* be lost"):
                await stage.planned("etcd restore")
            before, has = dict(witness.acknowledged), revision_of(cluster, left)
            plan = await stage.planned("etcd restore", snapshot=stored.name)
            given_up = f"{has - stored.revision} revisions after that are given up"
            assert any(given_up in fact for fact in plan.facts)
            assert sum("must stay off" in fact for fact in plan.facts) == 2
            survived = await saved(stage)
            assert not survived.origin.quorum
            revision = await restored_to(stage, left, snapshot=survived.name)
            assert revision == has
            await some_more(witness)
        # Of the very last one, etcd may not have told the survivor that it was committed.
        assert witness.lost() == newer(before, has)
        assert len(newer(before, has)) <= 1
        assert cluster_id(cluster, left) != old
        assert listed(cluster, left) == {left}
        owner = "etcd" if cell.flavour == "okd3" else "root"
        found = bed["etcd-1"].run(["stat", "-c", "%U %a", "/var/lib/etcd/member", f"{_OLD}3"])
        assert found.output.split() == [owner, "700", owner, "700"]


@IN_EACH_CELL
async def test_all_data_is_lost(inside: Namespace, tmp_path: Path, cell: Cell) -> None:
    """Each member's file is torn, and its host lives: in the end all three are there again."""
    with hosts(inside, cell, NAMES) as bed:
        cluster = bed.cluster(NAMES)
        members = list(cluster.endpoints)
        async with writing(cell, bed, cluster, tmp_path) as (stage, witness):
            await some_more(witness)
            await done(stage, "etcd backup")
            await some_more(witness)
            for name in NAMES:
                bed[name].path("/var/lib/etcd/member/snap/db").write_bytes(b"torn" * 10_000)
                bed[name].run(["pkill", "-KILL", "-x", "etcd"], check=False)  # it may have died
            for member in members:
                await stage.down(member)
            before = dict(witness.acknowledged)
            revision = await restored_to(stage, members[1])
            await some_more(witness)
        after = newer(before, revision)
        assert 0 < len(after) < len(before)
        assert witness.lost() == after
        assert cluster.healthy() == members
        for member in members:
            assert listed(cluster, member) == set(members)
        for name in NAMES:
            assert bed[name].run(["cat", f"{_OLD}2/snap/db"]).output.startswith("torn")
            left = bed[name].run(["ls", "-A", "/var/lib/etcd"]).output.split()
            assert set(left) == {"member", f"{_OLD}2".rpartition("/")[2]}
