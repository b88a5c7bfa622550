"""Which services of a kind a host has: those that are installed, enabled, running. (P01, P02)"""

from collections.abc import Sequence
from dataclasses import dataclass

from procedures.host.asking import OnHost
from procedures.model.probe import Fault

_ASKED = "--property=Id,LoadState,ActiveState,UnitFileState"


@dataclass(frozen=True, slots=True)
class Unit:
    """A systemd unit that is installed. A masked one was switched off on purpose."""

    name: str
    active: bool
    enabled: bool
    masked: bool


async def read_units(on: OnHost, names: Sequence[str]) -> tuple[Unit, ...] | Fault:
    """Ask for those of the units that are there, in this order; one with two names comes once."""
    said = await on.said("systemctl", "show", _ASKED, "--", *names)
    if isinstance(said, Fault):
        return said
    found: dict[str, Unit] = {}
    for block in f"\n{said.out}".split("\nId=")[1:]:
        name, *lines = block.splitlines()
        values = dict(line.split("=", 1) for line in lines if "=" in line)
        if values.get("LoadState") in {"loaded", "masked"}:
            found[name] = Unit(
                name,
                active=values.get("ActiveState") == "active",
                enabled=values.get("UnitFileState") in {"enabled", "static"},
                masked=values["LoadState"] == "masked",
            )
    return tuple(found.values())


def chosen(units: Sequence[Unit]) -> Unit | None:
    """The one to start: one that is enabled already, else the first. Never a masked one."""
    able = [unit for unit in units if not unit.masked]
    return next((unit for unit in able if unit.enabled), able[0] if able else None)
