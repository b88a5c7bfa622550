"""Room on the disks of hosts. (catalogue P11, rule R13)"""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from procedures.engine.ports import Look
from procedures.host.answering import Args, answered, report
from procedures.host.asking import OnHost, each_host
from procedures.host.settings import read_settings
from procedures.model.errors import Refused
from procedures.model.inquiry import Inquiry
from procedures.model.inventory import Cluster
from procedures.model.platform import layout
from procedures.model.probe import Fault
from procedures.model.report import Figure, HostsReport, Level

FULL_PERCENT = 90
"""From here on openshift-ansible's own check of etcd's disk fails (R13)."""

MASTER_BYTES, ETCD_BYTES = 40 * 10**9, 20 * 10**9
"""So large openshift-ansible wants the file system of /var, on a master and on a host of etcd."""

_GIB, _MIB = 1024**3, 1024**2
_LINE = re.compile(r"(?P<path>/.*?)\s+(?P<size>\d+)\s+(?P<used>\d+)\s+(?P<free>\d+)\s+(?P<at>/.*)")


@dataclass(frozen=True, slots=True)
class Room:
    """The file system that a path is on, mounted `at`. Bytes; `free` is for ordinary users."""

    path: str
    at: str
    size: int
    used: int
    free: int

    @property
    def percent(self) -> int:
        """How much is used, of what can be; rounded up, as df does."""
        there = self.used + self.free
        return -(-self.used * 100 // there) if there else 100

    @property
    def own(self) -> bool:
        """Tell whether the path is a mount of its own."""
        return self.at == self.path


async def read_room(on: OnHost, *paths: str) -> tuple[Room, ...] | Fault:
    """Ask for those of the paths that are there. A Fault where none is."""
    columns = "--output=file,size,used,avail,target"
    said = await on.said("df", "--block-size=1", columns, "--", *paths, fine=(0, 1))
    if isinstance(said, Fault):
        return said
    found = [each for line in said.out.splitlines() if (each := _LINE.fullmatch(line.strip()))]
    if not found:
        why = said.err.strip().splitlines()
        return on.fault(why[0] if why else "`df` told nothing")
    return tuple(
        Room(each["path"], each["at"], int(each["size"]), int(each["used"]), int(each["free"]))
        for each in found
    )


async def read_size(on: OnHost, path: str) -> int | Fault:
    """How much a folder takes on its disk, in bytes."""
    said = await on.said("du", "--summarize", "--block-size=1", "--", path)
    if isinstance(said, Fault):
        return said
    first = said.out.split(maxsplit=1)
    return int(first[0]) if first and first[0].isdecimal() else on.fault("`du` told nothing")


def room_figures(host: str, rooms: Sequence[Room] | Fault) -> list[Figure]:
    """One for each file system, whatever number of the paths lies on it."""
    if isinstance(rooms, Fault):
        return [Figure("disk", Level.UNKNOWN, rooms.message, member=host, counts=False)]
    return [_figure(host, room) for room in _by_mount(rooms)]


def size_figure(host: str, path: str, size: int | Fault) -> Figure:
    """How large a folder is."""
    if isinstance(size, Fault):
        return Figure("data", Level.UNKNOWN, size.message, member=host, counts=False)
    return Figure("data", Level.OK, f"{_size(size)} in {path}", member=host, counts=False)


async def ask(args: Args, look: Look) -> AsyncIterator[HostsReport]:
    """Ask all hosts for the system's disks and etcd's. Raises Refused."""
    cluster = look.inventory.clusters[args.cluster]
    seen = await each_host(cluster, look, _look_at)
    told, unreached = answered(seen)
    figures = []
    for name, (rooms, folder, size) in told.items():
        figures += room_figures(name, rooms)
        figures += _too_small(cluster, name, rooms)
        figures += [size_figure(name, folder, size)] if folder else []
    yield report(cluster, "disks", seen, [*figures, *unreached])


INQUIRY = Inquiry("host disk", Args, ask)

_VAR = "/var"
_SYSTEM = ("/", _VAR)
_GB = 10**9


async def _look_at(on: OnHost) -> tuple[tuple[Room, ...] | Fault, str, int | Fault] | Fault:
    machine = await on.machine()
    if isinstance(machine, Fault):
        return machine
    try:
        how = layout(on.cluster.platform)
    except Refused:  # etcd is an operator's there; the system's disks are what they are
        return await read_room(on, *_SYSTEM), "", 0
    settings = await read_settings(on, how)
    rooms, size = await asyncio.gather(
        read_room(on, *_SYSTEM, *settings.folders), read_size(on, settings.data)
    )
    return rooms, settings.data, size


def _figure(host: str, room: Room) -> Figure:
    level = Level.WARN if room.percent >= FULL_PERCENT else Level.OK
    text = f"{room.percent} % of {_size(room.size)} used, {_size(room.free)} free on {_place(room)}"
    return Figure("disk", level, text, member=host, counts=False)


def _too_small(cluster: Cluster, name: str, rooms: Sequence[Room] | Fault) -> list[Figure]:
    """Say where /var is smaller than the platform's own installer wants it.

    What a node needs is not judged: the configuration does not say which hosts are nodes.
    """
    if isinstance(rooms, Fault):
        return []
    host = next(each for each in cluster.hosts if each.name == name)
    what, needed = ("an etcd host", ETCD_BYTES) if host.etcd else ("", 0)
    if name in cluster.masters:
        what, needed = "a master", MASTER_BYTES
    return [
        Figure(
            "disk",
            Level.WARN,
            f"{_VAR} is on {_short(room.size, needed)} that {what} should have",
            member=name,
            counts=False,
        )
        for room in rooms
        if room.path == _VAR and room.size < needed
    ]


def _short(size: int, needed: int) -> str:
    """In the unit of the demand: what is just short of it must not look the same."""
    return f"{size / _GB:.1f} GB, less than the {needed // _GB} GB"


def _by_mount(rooms: Sequence[Room]) -> list[Room]:
    """One for each file system: that of a path which is its mount, else of the first path."""
    found: dict[str, Room] = {}
    for room in rooms:
        if room.own or room.at not in found:
            found[room.at] = room
    return list(found.values())


def _place(room: Room) -> str:
    return f"{room.at}, a mount of its own" if room.own else f"{room.at}, which has {room.path}"


def _size(size: int) -> str:
    return f"{size / _GIB:.1f} GiB" if size >= _GIB else f"{size / _MIB:.1f} MiB"
