"""Waiting for the one member with which a restored cluster begins. (R14)"""

from collections.abc import Callable

from procedures.engine.ports import Work, World
from procedures.etcd.observe import observe
from procedures.etcd.view import View
from procedures.model.errors import Permanent
from procedures.model.ids import ClusterName
from procedures.model.probe import Status

_WAIT_S = 60
_POLL_MS = 1_000

WAITS = f"until it serves a linearizable read, at most {_WAIT_S} s"


async def served(
    world: World,
    work: Work,
    cluster: ClusterName,
    member: str,
    astray: Callable[[View], str | None],
) -> View:
    """Wait until the member serves, and give what is seen then.

    Raises Permanent when it does not in time; and at once when an etcd answers that must not run
    any more: `astray` says so.
    """
    said = ""
    for _ in range(_WAIT_S * 1_000 // _POLL_MS):
        view = await observe(world.inventory.clusters[cluster], world)
        if message := astray(view):
            raise Permanent(message)
        if view.quorum_proven and view.listed and view.statuses():
            return view
        now = "; ".join(seen.why for seen in view.seen if seen.why) or "nobody answers"
        if now != said:
            await work.say(f"waiting: {now}")
            said = now
        await work.pause(_POLL_MS)
    message = f"{member} does not serve after {_WAIT_S} s: {said}"
    raise Permanent(message)


def told(view: View) -> list[Status]:
    """What all say who answer, those of other clusters too."""
    probes = [seen.probe for seen in view.seen if seen.probe] + list(view.strangers)
    return [probe.status for probe in probes if isinstance(probe.status, Status)]
