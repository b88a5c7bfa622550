"""Whether systemd can start etcd on a host at all: to find out late is to stop half-way."""

from procedures.etcd.asking import Asking
from procedures.model.paths import OWN_UNIT
from procedures.model.platform import Layout


async def not_startable(asking: Asking, how: Layout) -> str | None:
    """Say why not, and what to do; None where it can. Raises Refused where nobody can tell.

    Who wants etcd to stay off masks its unit by hand, as installers do beside a static pod; and a
    program that was only copied there has none.
    """
    if how.unit is None:
        return None
    shown = await asking.said(("systemctl", "show", how.unit, "--property=LoadState"), (0,))
    match shown.out.strip().partition("=")[2]:
        case "masked":
            return f"{how.unit} is masked there (systemctl unmask {how.unit} lets it start again)"
        case "not-found" if not any(each.joining == OWN_UNIT for each in how.runners):
            return f"it has no {how.unit}: install the package of etcd there, or write that unit"
    return None
