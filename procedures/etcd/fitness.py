"""Whether a host may get a member. (catalogue P51; rules R13, R17, R19)"""

from procedures.etcd.hosts import Hosts
from procedures.etcd.spare import Spare
from procedures.model.errors import Refused
from procedures.model.host import Machine
from procedures.model.platform import layout

_ROOM = 2
_GIB = 1024**3


def check_fit(hosts: Hosts, spare: Spare) -> None:
    """Refuse with all that stands against it, at once."""
    found = [*_running(spare), *_same_machine(hosts, spare), *_version(hosts, spare)]
    found += [*_room(hosts, spare), *spare.unfit]
    if found:
        message = f"{spare.host.name} cannot get a member: {'; '.join(found)}."
        raise Refused(message)


def _running(spare: Spare) -> list[str]:
    return ["an etcd runs there"] if spare.runs else []


def _same_machine(hosts: Hosts, spare: Spare) -> list[str]:
    """A cloned machine has the id of its model, and nobody can tell the two apart."""
    return [
        f"it has the machine id of {name}: give it one of its own (systemd-machine-id-setup)"
        for name, machine in hosts.machines.items()
        if name != spare.host.name
        and isinstance(machine, Machine)
        and machine.machine_id == spare.machine.machine_id
    ]


def _version(hosts: Hosts, spare: Spare) -> list[str]:
    if layout(hosts.cluster.platform).version is None:
        return []
    minors = {".".join(status.version.split(".")[:2]) for _, status in hosts.view.statuses()}
    if spare.minor is None:
        return ["etcd is not installed there"]
    if minors and spare.minor not in minors:
        return [f"it has etcd {spare.minor}, and the cluster {' and '.join(sorted(minors))} (R19)"]
    return []


def _room(hosts: Hosts, spare: Spare) -> list[str]:
    needed = _ROOM * max((status.db_size for _, status in hosts.view.statuses()), default=0)
    if spare.free_bytes >= needed:
        return []
    return [
        (
            f"its data folder has {spare.free_bytes / _GIB:.1f} GiB left, "
            f"and twice the database is {needed / _GIB:.1f} GiB (R13)"
        )
    ]
