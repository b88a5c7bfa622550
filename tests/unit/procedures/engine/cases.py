"""What is carried out in tests of interruptions: each procedure, on clusters where it may be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.targets.etcd.model import Condition
from procedures.etcd.fragmentation import MIB
from procedures.model.ids import MemberName
from procedures.model.inventory import Platform
from tests.support.ansibles import with_ansible
from tests.support.certified import certified
from tests.support.expired import expired
from tests.support.furnishing import at_home, short_of_entropy, spoiled, unkept
from tests.support.lost_cluster import Tools, lose
from tests.support.masters import all_around, with_flannel, with_masters
from tests.support.platforms import obeyed, on_kubespray, with_api_servers
from tests.support.rhel import on_rhel
from tests.support.sight import FakeSight
from tests.support.theatre import Theatre
from tests.unit.procedures.plans.facts.members import listed_as_local, without_hosts


@dataclass(frozen=True)
class Case:
    """A procedure with arguments, on a cluster that is made ready for it."""

    procedure: str
    args: Mapping[str, str]
    ready: Callable[[Theatre], None] = field(default=lambda _: None)


def stop(name: str) -> Callable[[Theatre], None]:
    """Let a member be down."""

    def act(theatre: Theatre) -> None:
        theatre.sight.demo.members[MemberName(name)].condition = Condition.STOPPED

    return act


def has_stopped(sight: FakeSight) -> None:
    """Let demo-3 be down."""
    sight.demo.members[MemberName("demo-3")].condition = Condition.STOPPED


def gone(name: str) -> Callable[[Theatre], None]:
    """Let somebody have removed a member by hand."""

    def act(theatre: Theatre) -> None:
        del theatre.sight.demo.members[MemberName(name)]

    return act


def differ(name: str, *, alarm: str) -> Callable[[Theatre], None]:
    """Let a member hold data of its own, and the alarm name one."""

    def act(theatre: Theatre) -> None:
        at_home(theatre)
        theatre.sight.demo.members[MemberName(name)].hash = 1
        theatre.sight.demo.raise_alarm(MemberName(alarm), "CORRUPT")

    return act


def alarm_of(name: str) -> Callable[[Theatre], None]:
    """Let an alarm of a former difference be left."""
    return lambda theatre: theatre.sight.demo.raise_alarm(MemberName(name), "CORRUPT")


def lost(
    *names: str, off: str | None = None, on: Platform = Platform.ETCD
) -> Callable[[Theatre], None]:
    """Let a cluster with a snapshot lose these members, and a host."""

    def act(theatre: Theatre) -> None:
        lose(theatre, *names, off=(off,) if off else (), platform=on)

    return act


def helped(ready: Callable[[Theatre], None]) -> Callable[[Theatre], None]:
    """Let people do at once what they are asked for."""

    def act(theatre: Theatre) -> None:
        ready(theatre)
        theatre.people_help = True

    return act


def with_obeyed(theatre: Theatre) -> None:
    """Let API servers ask the members, and people write what they are asked for."""
    with_api_servers("demo-1", "demo-2")(theatre)
    theatre.people_help = True
    theatre.helping = lambda: obeyed(theatre)


def with_v2(*down: str, off: tuple[str, ...] = ()) -> Callable[[Theatre], None]:
    """Let a cluster have a v2 store, and an archive of it; and lose these members."""

    def act(theatre: Theatre) -> None:
        lose(theatre, *down, off=off, tools=Tools(v2=("/net", "/registry")))

    return act


ALL = ("demo-1", "demo-2", "demo-3")


def fragment(theatre: Theatre) -> None:
    """Let the members have much free space, apart from one."""
    for member in theatre.sight.demo.members.values():
        member.db_size, member.db_size_in_use = 300 * MIB, 30 * MIB
    theatre.sight.demo.members[MemberName("demo-2")].db_size_in_use = 299 * MIB


def with_learner(theatre: Theatre) -> None:
    """Let a learner be there that has caught up."""
    theatre.sight.demo.add(MemberName("demo-4"), "https://127.0.0.1:2390", learner=True)


def fill(theatre: Theatre) -> None:
    """Let data files be full of old versions, and the alarm be on."""
    for member in theatre.sight.demo.members.values():
        member.db_size = member.db_size_in_use = 2_100 * MIB
        member.history = 2_000 * MIB
    theatre.sight.demo.raise_alarm(MemberName("demo-2"))


def with_unused(theatre: Theatre) -> None:
    """Let a member have been added that never started."""
    theatre.sight.demo.add(MemberName("demo-4"), "https://127.0.0.1:2390", started=False)


ADD = {"name": "demo-4", "peer_url": "https://10.0.0.4:2380"}


def left_on(name: str) -> Callable[[Theatre], None]:
    """Let an etcd run on a host that has no member, with the data of one."""

    def act(theatre: Theatre) -> None:
        machine = theatre.sight.hosts.machines[name]
        machine.units["etcd.service"].active = "active"
        machine.files.folder("/var/lib/etcd/member")

    return act


def with_data_on(name: str) -> Callable[[Theatre], None]:
    """Let an earlier attempt have left data on a host."""

    def act(theatre: Theatre) -> None:
        theatre.sight.hosts.machines[name].files.folder("/var/lib/etcd/member")

    return act


def give_up(name: str) -> Callable[[Theatre], None]:
    """Let a member have failed until systemd started it no more."""

    def act(theatre: Theatre) -> None:
        machine = theatre.sight.hosts.machines[name]
        unit = machine.units["etcd.service"]
        unit.fail(machine)
        unit.given_up = True

    return act


# Named, because a member that answers has newer data.
KEPT = {"snapshot": "demo-20231113T221320Z-90-6742c4a60b5d"}
KEPT_V2 = {"snapshot": "demo-20231113T221320Z-95-ea7af313c665"}
FIX = {"member": "demo-1", "url": "https://10.9.9.9:2380"}
CASES = {
    "backup": Case("etcd backup", {}),
    "drill": Case("etcd drill", {}, lost()),
    "back up configurations": Case("etcd backup config", {}),
    "back up a v2 store": Case("etcd backup v2", {}, with_v2()),
    "restore a configuration": Case("etcd restore config", {"member": "demo-2"}, spoiled),
    "remove a dead one": Case("etcd member remove", {"member": "demo-3"}, stop("demo-3")),
    "remove a healthy one": Case("etcd member remove", {"member": "demo-3"}),
    "remove the unused one": Case("etcd member remove", {"unused": "yes"}, with_unused),
    "remove the leader": Case("etcd member remove", {"member": "demo-1"}),
    "fix a peer URL": Case("etcd member fix-peer-url", FIX, without_hosts),
    "fix a peer URL on hosts": Case(
        "etcd member fix-peer-url", {**FIX, "url": "https://10.0.0.1:2380"}, listed_as_local
    ),
    "replace a dead one": Case("etcd replace", {"member": "demo-3"}, stop("demo-3")),
    "replace a healthy one": Case("etcd replace", {"member": "demo-1", "with_": "demo-4"}),
    "scale up": Case("etcd scale-up", {}, with_data_on("demo-4")),
    "scale up on kubespray": Case("etcd scale-up", {}, on_kubespray),
    "replace a corrupt one": Case(
        "etcd replace-corrupt", {"member": "demo-3"}, differ("demo-3", alarm="demo-3")
    ),
    "replace a corrupt one that accuses others": Case(
        "etcd replace-corrupt", {"member": "demo-1"}, differ("demo-1", alarm="demo-2")
    ),
    "take an alarm back": Case("etcd disarm-corrupt", {}, alarm_of("demo-3")),
    "keep clocks right": Case("host clock fix", {}, unkept),
    "give entropy": Case("host entropy fix", {}, short_of_entropy),
    "retire a host": Case("etcd retire", {"host": "demo-4"}, left_on("demo-4")),
    "restart one that systemd has given up": Case(
        "etcd restart", {"member": "demo-2"}, give_up("demo-2")
    ),
    "expect those that are listed": Case("etcd expect", {}, gone("demo-3")),
    "restart one": Case("etcd restart", {"member": "demo-2"}),
    "restore after the loss of two": Case("etcd restore", KEPT, lost("demo-2", "demo-3")),
    "restore after the loss of all": Case("etcd restore", {"on": "demo-2"}, lost(*ALL)),
    "restore where a host is off": Case("etcd restore", KEPT, helped(lost("demo-1", off="demo-2"))),
    "restore a v2 store": Case("etcd restore v2", KEPT_V2, with_v2("demo-2", "demo-3")),
    "restore a v2 store where a host is off": Case(
        "etcd restore v2", {**KEPT_V2, "on": "demo-3"}, helped(with_v2("demo-1", off=("demo-2",)))
    ),
    "restore static pods": Case(
        "etcd restore", KEPT, helped(lost("demo-1", "demo-2", on=Platform.OCP311))
    ),
    "scale up without certificates": Case("etcd scale-up", {}, certified()),
    "replace a dead one by a host without certificates": Case(
        "etcd replace", {"member": "demo-3"}, certified(but=has_stopped)
    ),
    "renew all certificates": Case("etcd certs renew", {}, certified()),
    "renew those of kubespray": Case(
        "etcd certs renew", {"host": "demo-2"}, certified(Platform.KUBESPRAY)
    ),
    "renew expired certificates at once": Case("etcd certs renew", {}, expired()),
    "renew one that has expired": Case("etcd certs renew", {"host": "demo-3"}, expired("demo-3")),
    "certificates for a spare": Case("etcd certs issue", {"host": "demo-4"}, certified()),
    "add a learner": Case("etcd member add", ADD),
    "promote a learner": Case("etcd member promote", {"member": "demo-4"}, with_learner),
    "defragment all": Case("etcd defrag", {}, fragment),
    "defragment the leader": Case("etcd defrag", {"member": "demo-1"}, fragment),
    "out of NOSPACE": Case("etcd nospace", {}, fill),
    "restart masters": Case("master restart", {}, with_masters("demo-1", "demo-4")),
    "point masters at the voters": Case(
        "master set-etcd-urls", {}, with_masters("demo-1", "demo-4", urls=["https://gone:2379"])
    ),
    "point masters in pods": Case(
        "master set-etcd-urls", {}, with_masters("demo-4", urls=["https://gone:2379"], pods=True)
    ),
    "remove one that masters and Flannel ask": Case(
        "etcd member remove", {"member": "demo-3"}, all_around
    ),
    "remove one that API servers ask": Case(
        "etcd member remove", {"member": "demo-3"}, with_obeyed
    ),
    "remove one that Ansible lists": Case(
        "etcd member remove", {"member": "demo-3"}, with_ansible()
    ),
    "scale up with Ansible": Case("etcd scale-up-ansible", {}, with_ansible()),
    "point Flannel at the voters": Case(
        "host flannel set-endpoints", {}, with_flannel("demo-1", urls=["https://gone:2379"])
    ),
    "update packages": Case("host rhsm-update", {}, on_rhel()),
    "open channels": Case("host rhsm-update", {}, on_rhel(without_channels=("demo-1", "demo-3"))),
    "move leadership away": Case("etcd move-leader", {}),
    "move leadership to": Case("etcd move-leader", {"to": "demo-3"}),
}
