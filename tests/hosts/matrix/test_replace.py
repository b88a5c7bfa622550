"""Replacing a member that is dead, and one that is well."""

from pathlib import Path

import pytest

from procedures.actions.etcd.add_member import AddMember
from procedures.actions.etcd.promote_member import PromoteMember
from procedures.actions.etcd.remove_member import RemoveMember
from procedures.model.errors import Refused
from tests.hosts.matrix.cells import IN_EACH_CELL, Cell, done, hosts, voters, witnessed
from tests.support.waiting import eventually
from tests.testbed import Namespace

NAMES = ("etcd-1", "etcd-2", "etcd-3")
SPARE = "etcd-4"
ORDER = (AddMember.KIND, PromoteMember.KIND, RemoveMember.KIND)
REFUSED = "the member has been permanently removed from the cluster"


@IN_EACH_CELL
async def test_a_dead_member_is_replaced(inside: Namespace, tmp_path: Path, cell: Cell) -> None:
    """The spare takes its place with the same data; the old one is refused, and is retired."""
    with hosts(inside, cell, (*NAMES, SPARE)) as bed:
        cluster = bed.cluster(NAMES, spares=[SPARE])
        *others, dead = cluster.endpoints
        async with witnessed(cell, bed, cluster, tmp_path) as (stage, _):
            bed["etcd-3"].power_off()
            await stage.down(dead)
            await done(stage, "etcd replace", member=dead)
            assert await voters(stage) == {*others, SPARE}

            bed["etcd-3"].power_on()
            await eventually(lambda: REFUSED in bed["etcd-3"].journal(), 60, REFUSED)
            with pytest.raises(Refused, match="its etcd stays on"):
                await stage.planned("etcd retire", host=SPARE)
            await done(stage, "etcd retire", host=dead)
        assert bed["etcd-3"].machine.processes("etcd") == []
        assert bed["etcd-3"].path("/var/lib/etcd/member.quorumbot-1").is_dir()
        bed["etcd-3"].power_off()
        bed["etcd-3"].power_on()
        assert bed["etcd-3"].machine.processes("etcd") == []


@IN_EACH_CELL
async def test_a_healthy_member_is_replaced(inside: Namespace, tmp_path: Path, cell: Cell) -> None:
    """The new one learns, then votes, and only then the old one goes, which is off then."""
    with hosts(inside, cell, (*NAMES, SPARE)) as bed:
        cluster = bed.cluster(NAMES, spares=[SPARE])
        old, *others = cluster.endpoints
        async with witnessed(cell, bed, cluster, tmp_path) as (stage, _):
            journal = await done(stage, "etcd replace", member=old)
            assert journal.run.plan is not None
            kinds = [step.action for step in journal.run.plan.steps]
            assert [kind for kind in kinds if kind in ORDER] == list(ORDER)
            assert await voters(stage) == {*others, SPARE}
        assert bed["etcd-1"].machine.processes("etcd") == []
