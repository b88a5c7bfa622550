"""When it pays to defragment a member: both thresholds have to be reached. (R11)"""

import pytest

from procedures.etcd.fragmentation import MIB, SPARE_BYTES, Worth, pays
from procedures.model.probe import Status
from tests.support.sight import a_sight

KIB = 1024


def a_status(size: int, in_use: int) -> Status:
    demo = a_sight(1).demo
    (member,) = demo.members.values()
    member.db_size, member.db_size_in_use = size, in_use
    return demo.status(member)


@pytest.mark.parametrize(
    ("size", "in_use", "much"),
    [
        (100 * MIB, 55 * MIB, True),
        (100 * MIB, 56 * MIB, False),
        (100 * MIB - KIB, 10 * MIB, False),
        (8_192 * MIB, 4_505 * MIB, True),
    ],
)
def test_much(size: int, in_use: int, much: bool) -> None:
    """45 % of a file of 100 MiB: less is not worth that it serves nobody for a while."""
    assert pays(a_status(size, in_use), Worth.MUCH) is much


@pytest.mark.parametrize("free", [SPARE_BYTES - 1, SPARE_BYTES])
def test_any(free: int) -> None:
    """A file that has just been defragmented is not done again."""
    assert pays(a_status(MIB, MIB - free), Worth.ANY) is (free == SPARE_BYTES)
