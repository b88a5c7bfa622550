"""What `/host clock fix` and `/host entropy fix` have in common: a service that is not on. (P01)"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from procedures.actions.host.start_service import StartService
from procedures.host.asking import require_hosts
from procedures.host.services import Unit, chosen
from procedures.model.errors import Refused, UsageError
from procedures.model.host import At
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster
from procedures.model.plan import Undo
from procedures.model.probe import Fault
from procedures.model.procedure import Runbook

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Args:
    """Whose hosts; only this one of them."""

    cluster: ClusterName
    host: str | None = None


def wanted(
    cluster: Cluster, host: str | None, seen: Mapping[str, T | Fault], run: Runbook
) -> dict[str, T]:
    """Take those that are meant and answered. Raises Refused and UsageError."""
    require_hosts(cluster)
    if host is not None and host not in seen:
        message = f"There is no host {host!r}. The hosts of {cluster.name} are {', '.join(seen)}."
        raise UsageError(message)
    found = {}
    for name, each in seen.items():
        if host is not None and name != host:
            continue
        if not isinstance(each, Fault):
            found[name] = each
        elif host is not None:
            raise Refused(each.message)
        else:
            run.fact(f"Left as it is: {each.message}")
    return found


def startable(units: tuple[Unit, ...], install: str) -> Unit | str:
    """Choose the unit to start, or say why there is none; `install` is how one gets one."""
    running = [unit.name for unit in units if unit.active]
    if running:
        return f"{' and '.join(running)} runs already"
    masked = [unit.name for unit in units if unit.masked]
    unit = chosen(units)
    if unit is not None:
        return unit
    return f"{' and '.join(masked)} is masked" if masked else f"none is installed: {install}"


def start(cluster: ClusterName, at: At, unit: Unit, run: Runbook) -> None:
    """Write the step."""
    run.step(
        f"Start {unit.name} on {at.host}",
        StartService(cluster, at, unit.name),
        undo=Undo(f"systemctl disable --now {unit.name}, on {at.host}"),
    )
