"""Removing a dead member, and never a healthy one beside it."""

from pathlib import Path

import pytest

from procedures.model import envfile
from procedures.model.errors import Refused
from procedures.model.platform import layout
from tests.hosts.matrix.cells import IN_EACH_CELL, Cell, done, hosts, voters, witnessed
from tests.testbed import Namespace

NAMES = ("etcd-1", "etcd-10", "etcd-2")
"""One is the beginning of another."""


@IN_EACH_CELL
async def test_a_dead_member_is_removed(inside: Namespace, tmp_path: Path, cell: Cell) -> None:
    """Its very name goes from the others' configurations; a healthy one is not to be removed."""
    with hosts(inside, cell, NAMES) as bed:
        cluster = bed.cluster(NAMES)
        dead, *alive = cluster.endpoints
        async with witnessed(cell, bed, cluster, tmp_path) as (stage, _):
            bed["etcd-1"].power_off()
            await stage.down(dead)
            with pytest.raises(
                Refused, match=rf"quorum 2 \(R2\)\. Bring {dead} back first, or remove"
            ):
                await stage.planned("etcd member remove", member=alive[0])
            plan = await stage.planned("etcd member remove", member=dead)
            assert any(f"Then run /etcd retire {dead}" in fact for fact in plan.facts)
            await done(stage, "etcd member remove", member=dead)
            assert await voters(stage) == set(alive)
        for name in NAMES[1:]:
            text = bed[name].path(layout(cell.platform).config).read_text()
            told = envfile.read(text)["ETCD_INITIAL_CLUSTER"].split(",")
            assert {each.partition("=")[0] for each in told} == set(alive)
