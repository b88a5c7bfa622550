"""How etcd's service is on a host: told to run, running, restarted by itself. (catalogue P07)"""

import asyncio
from dataclasses import dataclass

from procedures.host.asking import OnHost
from procedures.model.platform import Layout
from procedures.model.probe import Fault
from procedures.model.report import Figure, Level

_PROPERTIES = "LoadState,UnitFileState,ActiveState,NRestarts"
_ARMED = frozenset({"enabled", "enabled-runtime", "static", "linked", "generated", "indirect"})


@dataclass(frozen=True, slots=True)
class State:
    """`armed`: it starts with the machine. `told`: what systemd or the manifest's place says.

    `restarts`: how often systemd started it again by itself; None where nothing counts that.
    """

    armed: bool
    told: str
    up: bool
    process: bool
    restarts: int | None


async def read_state(on: OnHost, how: Layout) -> State | Fault:
    """Ask for the unit or the manifest, and for the process."""
    process, unit = await asyncio.gather(
        on.said(*how.stopped, fine=(0, 1)),
        on.said("systemctl", "show", how.unit, f"--property={_PROPERTIES}")
        if how.unit
        else on.said(*(how.armed or ("true",)), fine=(0, 1)),
    )
    if isinstance(process, Fault):
        return process
    if isinstance(unit, Fault):
        return unit
    runs = process.status == 0
    if not how.unit:
        there = unit.status == 0
        told = "manifest in place" if there else "no manifest in place"
        return State(armed=there, told=told, up=there, process=runs, restarts=None)
    values = dict(line.split("=", 1) for line in unit.out.splitlines() if "=" in line)
    if values.get("LoadState") == "not-found":
        return State(armed=False, told=f"no {how.unit}", up=False, process=runs, restarts=None)
    file, active = values.get("UnitFileState", ""), values.get("ActiveState", "")
    restarts = values.get("NRestarts", "")  # since systemd 235
    return State(
        armed=file in _ARMED,
        told=f"{file or 'no unit file'}, {active}",
        up=active == "active",
        process=runs,
        restarts=int(restarts) if restarts.isdecimal() else None,
    )


def state_figure(host: str, state: State | Fault, *, member: bool | None) -> Figure:
    """Whether it is as it should be; `member`: whether one lives there, None if nobody knows."""
    if isinstance(state, Fault):
        return Figure("service", Level.UNKNOWN, state.message, member=host, counts=False)
    counted = "" if state.restarts is None else f", {state.restarts} restarts by itself"
    text = f"{state.told}{counted}, {'etcd runs' if state.process else 'no etcd runs'}"
    if member is False:
        level = Level.WARN if state.process or state.armed else Level.OK
        return Figure("service", level, f"{text}; no member lives here", member=host, counts=False)
    if not (state.armed and state.up and state.process):
        hint = "" if state.armed or not state.process else ": it would not start with the machine"
        return Figure("service", Level.WARN, f"{text}{hint}", member=host, counts=False)
    level = Level.INFO if state.restarts else Level.OK
    return Figure("service", level, text, member=host, counts=False)
