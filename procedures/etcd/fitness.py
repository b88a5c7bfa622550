"""Whether a host may get a member. (catalogue P51; rules R13, R17, R19)

Each thing that is needed is one figure. What is critical stands against a member.
"""

from collections.abc import Mapping

from procedures.etcd.first_certificates import Makings
from procedures.etcd.forcing import wrong
from procedures.etcd.hosts import Hosts
from procedures.etcd.newcomer import Newcomer
from procedures.etcd.residents import residents, shown
from procedures.etcd.spare import Spare, aside
from procedures.model.errors import Refused
from procedures.model.host import Machine
from procedures.model.ids import MemberId
from procedures.model.inventory import is_address
from procedures.model.platform import layout
from procedures.model.report import Figure, Level

_ROOM = 2
_GIB = 1024**3


def check_fit(new: Newcomer) -> None:
    """Refuse with all that stands against it, at once."""
    name = new.spare.host.name
    found = [each.text for each in fitness_of(new) if each.level is Level.CRITICAL]
    if found:
        hint = ""
        if isinstance(new.makings, str):
            hint = f" Then ask again, or run /etcd certs issue {name}, which takes --days."
        message = f"{name} cannot get a member: {'; '.join(found)}.{hint}"
        raise Refused(message)


def fitness_of(new: Newcomer) -> list[Figure]:
    """Judge a host that joins, with what can be made for it."""
    rest = fitness(new.hosts, new.spare, new.authorities, new.makings, new.stands_in_for)
    return [_address(new.hosts, new.spare), *rest]


def fitness(
    hosts: Hosts,
    spare: Spare,
    authorities: Mapping[str, str],
    makings: Makings | str | None = None,
    gone: MemberId | None = None,
) -> list[Figure]:
    """Judge all of it. `authorities`: the CA that members' hosts have, as SHA-256 by host.

    Where there are `makings`, certificates are made, and nothing about them stands against it.
    `gone` is the dead member for which it stands in, which may not wait for an upgrade's end.
    """
    return [
        _service(hosts, spare),
        _machine(hosts, spare),
        _version(hosts, spare, gone),
        _room(hosts, spare),
        _data(hosts, spare),
        _certificates(spare, makings),
        _authority(spare, authorities, makings),
    ]


def _service(hosts: Hosts, spare: Spare) -> Figure:
    against = _runs(hosts, spare) if spare.runs or spare.told else _starts(spare)
    if against is None:
        return _well(spare, "service", "no etcd runs")
    return _bad(spare, "service", against)


def _runs(hosts: Hosts, spare: Spare) -> str:
    """Whose etcd it is that runs there, or would with the next boot, and what to do."""
    if there := residents(spare.config, hosts.view):
        return (
            f"an etcd runs there that is configured as the member {shown(there[0])}: look whether "
            f"{spare.host.address} is the address of {spare.host.name}"
        )
    if spare.serves:
        return f"an etcd runs there for the cluster {spare.serves}"
    what = "an etcd runs there" if spare.runs else spare.told
    return f"{what} (/etcd retire {spare.host.name} switches it off)"


def _starts(spare: Spare) -> str | None:
    """Why no etcd could be started there as it has to be."""
    if spare.forced:
        return wrong(spare.forced).rstrip(".")
    # Where nothing is installed, that is said of the version.
    return spare.stuck if spare.minor is not None else None


def _address(hosts: Hosts, spare: Spare) -> Figure:
    """What its etcd is to listen on."""
    name, address = spare.host.name, spare.host.address
    if is_address(address):
        return _well(spare, "address", address)
    where = f"clusters.{hosts.cluster.name}.hosts.{name}.address"
    text = (
        f"{address} is a name, and etcd listens on IP addresses only: give its IP address as "
        f"`{where}`, and have it in the known hosts"
    )
    return _bad(spare, "address", text)


def _machine(hosts: Hosts, spare: Spare) -> Figure:
    """A cloned machine has the id of its model, and nobody can tell the two apart."""
    for name, machine in hosts.machines.items():
        if (
            name != spare.host.name
            and isinstance(machine, Machine)
            and machine.machine_id == spare.machine.machine_id
        ):
            text = (
                f"it has the machine id of {name}: give it one of its own "
                "(systemd-machine-id-setup)"
            )
            return _bad(spare, "machine", text)
    return _well(spare, "machine", f"{spare.machine.hostname}, {spare.machine.machine_id}")


def _version(hosts: Hosts, spare: Spare, gone: MemberId | None) -> Figure:
    minors = {
        ".".join(status.version.split(".")[:2])
        for _, status in hosts.view.statuses()
        if status.member_id != gone
    }
    cluster = f"etcd {' and '.join(sorted(minors))}" if minors else "etcd of no known version"
    how = layout(hosts.cluster.platform)
    if len(minors) > 1:
        # An image comes from another member, of either minor.
        if gone and how.version is not None and not how.runners:
            return _amid_upgrade(spare, cluster, min(minors, key=_number))
        text = f"members have {cluster}: end that upgrade first (R19)"
        return _bad(spare, "version", text)
    if how.version is None:
        text = f"it gets the image of the other members, {cluster}"
        return _well(spare, "version", text)
    if spare.minor is None:
        return _bad(spare, "version", f"etcd is not installed there: install {cluster}")
    if minors and spare.minor not in minors:
        text = f"it has etcd {spare.minor}, and the cluster {cluster}: install that (R19)"
        return _bad(spare, "version", text)
    return _well(spare, "version", f"etcd {spare.minor}, as the cluster")


def _amid_upgrade(spare: Spare, cluster: str, lowest: str) -> Figure:
    """Until the last member is upgraded, a cluster is of the lowest minor that one has."""
    if spare.minor != lowest:
        has = f"it has etcd {spare.minor}" if spare.minor else "etcd is not installed there"
        text = f"{has}, and members have {cluster}: install {lowest}, as the cluster is of (R19)"
        return _bad(spare, "version", text)
    text = f"etcd {lowest}, as the cluster is of, though members have {cluster}: end that upgrade"
    return _said(spare, "version", text)


def _number(minor: str) -> tuple[int, ...]:
    return tuple(int(each) for each in minor.split("."))


def _room(hosts: Hosts, spare: Spare) -> Figure:
    text = short_of_room(hosts, spare)
    if text is None:
        return _well(spare, "room", f"{spare.free_bytes / _GIB:.1f} GiB, enough for the database")
    return _bad(spare, "room", text)


def short_of_room(hosts: Hosts, spare: Spare) -> str | None:
    """Tell where there is less room than twice the database (R13)."""
    needed = _ROOM * max((status.db_size for _, status in hosts.view.statuses()), default=0)
    if spare.free_bytes >= needed:
        return None
    return (
        f"its data folder has {spare.free_bytes / _GIB:.1f} GiB left, "
        f"and twice the database is {needed / _GIB:.1f} GiB (R13)"
    )


def _data(hosts: Hosts, spare: Spare) -> Figure:
    if spare.shut:
        return _bad(spare, "data", spare.shut)
    moves = aside(spare.left, layout(hosts.cluster.platform))
    if moves is None:
        return _well(spare, "data", "no data of a member lies there")
    text = f"data of a member lies at {moves[0]}; it is moved to {moves[1]} before"
    return _said(spare, "data", text)


def _certificates(spare: Spare, makings: Makings | str | None) -> Figure:
    unfit = "; ".join(spare.unfit)
    if isinstance(makings, Makings):
        text = f"a scale-up makes new ones, signed on {makings.signer.host.name}"
        return _said(spare, "certificates", f"{unfit}; {text}" if unfit else text)
    if unfit:
        return _bad(spare, "certificates", f"{unfit} (R17){_why_none(makings)}")
    return _well(spare, "certificates", f"of its CA, for {spare.host.address}, not ending soon")


def _authority(
    spare: Spare, authorities: Mapping[str, str], makings: Makings | str | None
) -> Figure:
    """A host may have certificates that fit, of a CA that no member trusts."""
    if isinstance(makings, Makings) and makings.trusted:
        return _said(spare, "CA", f"it gets that of {makings.model.host.name}")
    if spare.ca is None:  # the certificates say so already
        return Figure("CA", Level.UNKNOWN, "there is none", member=spare.host.name, counts=False)
    if not authorities:
        text = "no CA of a member's host could be read, to compare"
        return Figure("CA", Level.UNKNOWN, text, member=spare.host.name, counts=False)
    if spare.ca not in authorities.values():
        names = " or ".join(sorted(authorities))
        text = f"its CA file is not that of {names}, so members do not trust it (R17)"
        return _bad(spare, "CA", text if spare.unfit else f"{text}{_why_none(makings)}")
    return _well(spare, "CA", "the same as the members'")


def _why_none(makings: Makings | str | None) -> str:
    if not isinstance(makings, str):
        return ""
    return f", and no new ones can be made: {makings.removesuffix('.')}"


def _well(spare: Spare, name: str, text: str) -> Figure:
    return Figure(name, Level.OK, text, member=spare.host.name, counts=False)


def _said(spare: Spare, name: str, text: str) -> Figure:
    return Figure(name, Level.INFO, text, member=spare.host.name, counts=False)


def _bad(spare: Spare, name: str, text: str) -> Figure:
    return Figure(name, Level.CRITICAL, text, member=spare.host.name, counts=False)
