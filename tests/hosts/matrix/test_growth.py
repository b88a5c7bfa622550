"""Growing from one member to five, and shrinking again."""

from pathlib import Path

import pytest

from procedures.model import envfile
from procedures.model.errors import Refused
from procedures.model.platform import layout
from tests.hosts.matrix.cells import IN_EACH_CELL, Cell, done, hosts, voters, witnessed
from tests.testbed import Namespace

NAMES = ("etcd-1", "etcd-2", "etcd-3", "etcd-4", "etcd-5")


@IN_EACH_CELL
async def test_from_one_to_five_and_back(inside: Namespace, tmp_path: Path, cell: Cell) -> None:
    """No write waits while a learner joins the only member, nor for long later."""
    with hosts(inside, cell, NAMES) as bed:

        def told(name: str) -> int:
            """Of how many members etcd on a host would start with."""
            config = envfile.read(bed[name].path(layout(cell.platform).config).read_text())
            return config["ETCD_INITIAL_CLUSTER"].count("https://")

        cluster = bed.cluster(NAMES[:1], spares=NAMES[1:])
        members = [*cluster.endpoints, *NAMES[1:]]
        async with witnessed(cell, bed, cluster, tmp_path) as (stage, witness):
            for count in range(2, 6):
                await done(stage, "etcd scale-up", host=members[count - 1])
                assert await voters(stage) == set(members[:count])
            assert {told(name) for name in NAMES} == {5}
            with pytest.raises(Refused, match="etcd-3 has the member etcd-3 already"):
                await stage.planned("etcd scale-up", host="etcd-3")
            for count in range(5, 1, -1):
                to_one = {"to_one": True} if count == 2 else {}
                await done(stage, "etcd member remove", member=members[count - 1], **to_one)
            assert await voters(stage) == set(members[:1])
        assert witness.longest_s < 5, "leadership may move, and no more"
        assert told("etcd-1") == 1
