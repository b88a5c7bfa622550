"""Files on hosts with bytes that are no UTF-8, as in a comment by somebody of long ago."""

import pytest

from bot.targets.etcd.model import Condition
from bot.targets.ssh.fake_files import FakeFile
from procedures.model.errors import Refused
from procedures.model.ids import MemberName
from tests.support.lost_cluster import lose
from tests.support.theatre import Theatre, a_theatre
from tests.unit.procedures.plans.case import Case, made, planned

CONF = "/etc/etcd/etcd.conf"


def configured(theatre: Theatre) -> None:
    """Each names all of them, as an installer has it."""
    names = ("demo-1", "demo-2", "demo-3")
    peers = ",".join(f"{each}=https://{each}.invalid:2380" for each in names)
    for each in names:
        files = theatre.sight.hosts.machines[each].files
        files.put(CONF, f"ETCD_NAME={each}\nETCD_INITIAL_CLUSTER={peers}\n")


def spoil(theatre: Theatre) -> None:
    for machine in theatre.sight.hosts.machines.values():
        if isinstance(file := machine.files.get(CONF), FakeFile):
            file.content += b"# cr\xe9\xe9 en 2019\n"


async def test_a_dead_member_is_removed_all_the_same() -> None:
    """What the others would be told is told to people."""
    theatre = made(Case("etcd member remove", {"member": "demo-3"}, configured))
    spoil(theatre)
    theatre.sight.demo.members[MemberName("demo-3")].condition = Condition.STOPPED
    plan = await planned(theatre)
    assert f"{CONF} on demo-1 is no UTF-8 text, and stays as it is." in plan.facts
    assert plan.digest


async def test_a_lost_cluster_is_restored_all_the_same() -> None:
    """On one host, whose configuration stays as it is."""
    theatre = a_theatre("etcd restore", {"on": "demo-1"})
    lose(theatre, "demo-1", "demo-2", "demo-3")
    spoil(theatre)
    plan = await planned(theatre)
    assert "Afterwards 1 of 1 members" in " ".join(plan.facts)
    assert plan.digest


@pytest.mark.parametrize(
    ("command", "args"), [("etcd scale-up", {}), ("etcd replace", {"member": "demo-3"})]
)
async def test_none_is_copied(command: str, args: dict[str, str]) -> None:
    """A plan is text, and so is what it writes."""
    theatre = made(Case(command, args))
    spoil(theatre)
    with pytest.raises(Refused, match="is no UTF-8 text"):
        await planned(theatre)
