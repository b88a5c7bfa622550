"""What may be so with the hosts of a cluster."""

from tests.support.furnishing import unkept
from tests.support.theatre import Theatre
from tests.unit.procedures.plans.case import Facts


def off(*names: str) -> Facts:
    """Let hosts be without power."""

    def act(theatre: Theatre) -> None:
        for name in names:
            theatre.sight.hosts.machines[name].power_off()

    return act


def unreached(*names: str) -> Facts:
    """Let nobody reach hosts, while their members go on."""

    def act(theatre: Theatre) -> None:
        for name in names:
            theatre.sight.hosts.machines[name].cut_off()

    return act


def barred(address: str, port: int) -> Facts:
    """Let a firewall let nothing through to a port."""

    def act(theatre: Theatre) -> None:
        for machine in theatre.sight.hosts.machines.values():
            machine.closed.add((address, port))

    return act


def left_behind(theatre: Theatre) -> None:
    """Let an earlier attempt have left data on the spare."""
    files = theatre.sight.hosts.machines["demo-4"].files
    files.folder("/var/lib/etcd/member")
    files.folder("/var/lib/etcd/member.quorumbot-1")


def far_off(theatre: Theatre) -> None:
    """Let a clock that nothing keeps right be behind."""
    unkept(theatre)
    theatre.sight.hosts.machines["demo-2"].clock_off_ms = -12_000


def without_service(theatre: Theatre) -> None:
    """Let a machine have none for its clock."""
    theatre.sight.hosts.machines["demo-2"].synchronised = False


def in_vain(theatre: Theatre) -> None:
    """Let a machine's time service run, and reach no server."""
    unkept(theatre)
    machine = theatre.sight.hosts.machines["demo-2"]
    machine.units["ntpd.service"].active = "active"
    theatre.sight.hosts.machines["demo-3"].synchronised = True
