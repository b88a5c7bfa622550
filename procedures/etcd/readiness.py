"""What a machine should be like before etcd is put on it: clock, entropy, disk. (P51; R13, R18)"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from procedures.engine.ports import Look
from procedures.host.asking import OnHost, each_host
from procedures.host.clock import (
    Reading,
    TimeService,
    clock_figures,
    read_clock,
    read_service,
    service_figure,
)
from procedures.host.disk import Room, read_room, room_figures
from procedures.host.entropy import Entropy, entropy_figure, read_entropy
from procedures.host.medium import read_rotating, rotating_figure
from procedures.model.inventory import Cluster, Host
from procedures.model.platform import layout
from procedures.model.probe import Fault
from procedures.model.report import Figure, Level


@dataclass(frozen=True, slots=True)
class Ready:
    """What a machine told of itself. `data` is where etcd's data folder is, or will be."""

    service: TimeService | Fault
    entropy: Entropy | Fault
    rooms: tuple[Room, ...] | Fault
    medium: tuple[str, bool] | Fault
    data: str


@dataclass(frozen=True, slots=True)
class Readings:
    """The clocks of all hosts by name, and how the one is that is to get a member."""

    clocks: Mapping[str, Reading | Fault]
    ready: Ready | Fault


async def read_readiness(cluster: Cluster, host: Host, look: Look) -> Readings:
    """Read all clocks at once, and what else the one host tells."""
    found: list[Ready | Fault] = []

    async def read(on: OnHost) -> Reading | Fault:
        machine = await on.machine()
        if isinstance(machine, Fault):
            reading: Reading | Fault = machine
        else:
            reading = await read_clock(on)  # alone, and on a way that is open by now
        if on.host.name == host.name:
            found.append(machine if isinstance(machine, Fault) else await _ready(on))
        return reading

    clocks = await each_host(cluster, look, read)
    return Readings(clocks, found[0])


async def _ready(on: OnHost) -> Ready:
    data = layout(on.cluster.platform).data
    above = data.rpartition("/")[0]
    service, entropy, rooms = await asyncio.gather(
        read_service(on), read_entropy(on), read_room(on, data, above)
    )
    # The folder itself may not be there yet: then it will lie where the one above it is.
    there = isinstance(rooms, tuple) and any(room.path == data for room in rooms)
    medium = await read_rotating(on, data if there else above)
    return Ready(service, entropy, rooms, medium, data)


def readiness_figures(host: str, seen: Readings) -> list[Figure]:
    """One figure for the clocks, and those of the host."""
    figures = clock_figures(seen.clocks)
    ready = seen.ready
    if isinstance(ready, Fault):
        return figures
    figures += [service_figure(host, ready.service), entropy_figure(host, ready.entropy)]
    if isinstance(ready.rooms, Fault):
        return [*figures, *room_figures(host, ready.rooms), rotating_figure(host, ready.medium)]
    own = [room for room in ready.rooms if room.path == ready.data] or ready.rooms
    figures += [*room_figures(host, own[:1]), _mount(host, own[0], ready.data)]
    return [*figures, rotating_figure(host, ready.medium)]


def _mount(host: str, room: Room, data: str) -> Figure:
    """A disk that others fill stops etcd too."""
    if room.path == data and room.own:
        return Figure("mount", Level.OK, f"{data} is one of its own", member=host, counts=False)
    text = f"{data} is none of its own: a disk that others fill up stops etcd too"
    return Figure("mount", Level.WARN, text, member=host, counts=False)
