"""What may be so with the members of a cluster, and with the record of them."""

from dataclasses import replace

from bot.targets.etcd.model import Condition
from procedures.model.expected import Expected
from procedures.model.ids import ClusterName, MemberName, RunId
from procedures.model.inventory import Platform
from tests.support.certified import certify
from tests.support.openssl_ca import Wanted, cert, key_of, pem
from tests.support.platforms import on_kubespray
from tests.support.theatre import Theatre
from tests.unit.procedures.plans.case import Facts


def down(*names: str) -> Facts:
    """Let members be down."""

    def act(theatre: Theatre) -> None:
        for name in names:
            theatre.sight.demo.members[MemberName(name)].condition = Condition.STOPPED

    return act


def learner(name: str = "demo-4", *, behind: int = 0) -> Facts:
    """Let a learner be there, as many entries behind the leader."""

    def act(theatre: Theatre) -> None:
        theatre.sight.demo.add(
            MemberName(name), "https://127.0.0.1:2390", learner=True
        ).raft_behind = behind

    return act


def gone(name: str) -> Facts:
    """Let somebody have removed a member by hand."""

    def act(theatre: Theatre) -> None:
        del theatre.sight.demo.members[MemberName(name)]

    return act


def added(name: str, *, started: bool = True, url: str = "https://10.0.0.9:2379") -> Facts:
    """Let somebody have added a member by hand."""

    def act(theatre: Theatre) -> None:
        theatre.sight.demo.add(MemberName(name), url, started=started)

    return act


def never_started(theatre: Theatre) -> None:
    """Let somebody have added a member for a host, and left it at that."""
    member = theatre.sight.demo.add(MemberName("demo-4"), "https://10.0.0.4:2379", started=False)
    member.peer_urls = ("https://10.0.0.4:2380",)


def forgotten(theatre: Theatre) -> None:
    """Let there be a dead member that nobody expects, and whose host nobody knows."""
    member = theatre.sight.demo.add(MemberName("demo-9"), "https://10.0.0.9:2379")
    member.peer_urls = ("https://10.0.0.9:2380",)
    member.condition = Condition.STOPPED


def two_unused(theatre: Theatre) -> None:
    """Let there be one more that has never started."""
    never_started(theatre)
    forgotten(theatre)


def unclear(theatre: Theatre) -> None:
    """Let nobody be able to tell whether it is dead."""
    forgotten(theatre)
    theatre.sight.demo.members[MemberName("demo-9")].condition = Condition.BLACKHOLED


def recorded(**urls: str) -> Facts:
    """Let a run have recorded who is expected."""

    def act(theatre: Theatre) -> None:
        members = {MemberName(name.replace("_", "-")): url for name, url in urls.items()}
        expect(theatre, Expected(members, 3, RunId("r-00000009")))

    return act


def unbelieved(theatre: Theatre) -> None:
    """Let there be a record that is not believed."""
    expect(theatre, Expected(fault="its signature is not worker-1's"))


def expect(theatre: Theatre, expected: Expected) -> None:
    theatre.sight.inventory = theatre.sight.inventory.expecting(ClusterName("demo"), expected)


def listed_as_local(theatre: Theatre) -> None:
    """Let a member be listed where nobody reaches it, and its configuration say so."""
    machine = theatre.sight.hosts.machines["demo-1"]
    member = theatre.sight.demo.members[MemberName("demo-1")]
    member.peer_urls, member.listens = ("https://localhost:2380",), ("https://10.0.0.1:2380",)
    text = machine.files.text("/etc/etcd/etcd.conf").replace("demo-1.invalid", "localhost")
    named = "ETCD_INITIAL_ADVERTISE_PEER_URLS="
    text = text.replace(f"{named}https://10.0.0.1:2380", f"{named}https://localhost:2380")
    machine.files.put("/etc/etcd/etcd.conf", text)


def without_hosts(theatre: Theatre) -> None:
    """Let the configuration name no hosts."""
    cluster = replace(theatre.sight.inventory.clusters[ClusterName("demo")], hosts=(), ssh=None)
    theatre.sight.inventory = replace(
        theatre.sight.inventory, clusters={ClusterName("demo"): cluster}
    )


def both(*facts: Facts) -> Facts:
    """Let several things be so, one after the other."""

    def act(theatre: Theatre) -> None:
        for each in facts:
            each(theatre)

    return act


def bare_on_kubespray(theatre: Theatre) -> None:
    """Let members be containers, one host have the CA's key, and the spare no certificates."""
    certify(theatre.sight, Platform.KUBESPRAY)
    on_kubespray(theatre)
    spare = theatre.sight.hosts.machines["demo-4"].files
    for path in [each for each in spare.nodes if each.startswith("/etc/ssl/etcd/ssl/")]:
        spare.remove(path)


def spoilt_spare(
    names: tuple[str, ...] = ("10.0.0.4", "demo-4"),
    purposes: tuple[str, ...] = ("client", "server"),
    key: str = "demo-4",
) -> Facts:
    """Let a spare have this peer certificate and the key of somebody; nobody has the CA's key."""

    def act(theatre: Theatre) -> None:
        files = theatre.sight.hosts.machines["demo-4"].files
        files.put("/etc/etcd/peer.crt", cert(Wanted("demo-4", names, purposes), "demo-4"))
        files.put("/etc/etcd/peer.key", pem(key_of(key)), 0o600)

    return act
