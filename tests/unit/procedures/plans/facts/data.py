"""What may be so with the data of a cluster."""

from bot.targets.etcd.model import Condition
from procedures.etcd.fragmentation import MIB
from procedures.model.ids import MemberName
from procedures.model.inventory import Platform
from tests.support.furnishing import at_home
from tests.support.lost_cluster import Tools, lose
from tests.support.theatre import Theatre
from tests.unit.procedures.plans.case import Facts
from tests.unit.procedures.plans.facts.members import down


def lost(*names: str, off: tuple[str, ...] = (), on: Platform = Platform.ETCD) -> Facts:
    """Let a cluster with a snapshot lose these members, and the hosts that are `off`."""
    newer = Tools("3.5.16", ("etcd", "etcdctl", "etcdutl"), bumps=True, restores=("etcdutl",))
    tools = newer if on is Platform.KUBESPRAY else None

    def act(theatre: Theatre) -> None:
        lose(theatre, *names, off=off, platform=on, tools=tools)

    return act


def with_v2(*down: str, off: tuple[str, ...] = ()) -> Facts:
    """Let a cluster have a v2 store, and an archive of it; and lose these members."""

    def act(theatre: Theatre) -> None:
        lose(theatre, *down, off=off, tools=Tools(v2=("/net", "/registry")))

    return act


def fragmented(theatre: Theatre) -> None:
    """Let all members have free space, much of it."""
    for member in theatre.sight.demo.members.values():
        member.db_size, member.db_size_in_use = 300 * MIB, 30 * MIB


def without_space(*names: str) -> Facts:
    """Let members have raised NOSPACE, and some be down."""

    def act(theatre: Theatre) -> None:
        theatre.sight.demo.raise_alarm(MemberName("demo-1"))
        down(*names)(theatre)

    return act


def no_space_and_one_unknown(theatre: Theatre) -> None:
    """Let nobody be able to tell whether a member is down."""
    without_space()(theatre)
    theatre.sight.demo.members[MemberName("demo-3")].condition = Condition.BLACKHOLED


def corrupt(theatre: Theatre) -> None:
    """Let two alarms be on."""
    theatre.sight.demo.raise_alarm(MemberName("demo-1"))
    theatre.sight.demo.raise_alarm(MemberName("demo-2"), "CORRUPT")


def differing(*names: str, alarm: bool = True, on: str = "demo-3") -> Facts:
    """Let each of these hold data of its own, and the alarm name one; each is where its host is."""

    def act(theatre: Theatre) -> None:
        demo = theatre.sight.demo
        for number, name in enumerate(names, start=1):
            demo.members[MemberName(name)].hash = number
        at_home(theatre)
        if alarm:
            demo.raise_alarm(MemberName(on), "CORRUPT")

    return act


def stopped_itself(theatre: Theatre) -> None:
    """Let a member have found at its start that its data differs: it ends then."""
    differing()(theatre)
    down("demo-3")(theatre)
