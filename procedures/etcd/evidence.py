"""What the others say of a member that nobody here reaches. (catalogue P48, "proven dead")

A host that lost its power, and one to which only our way is broken, look the same from here. The
other members can tell them apart: etcd counts its live connections to each peer.
"""

from collections.abc import Mapping
from dataclasses import replace

from procedures.engine.ports import Look
from procedures.etcd.view import Seen, View
from procedures.model.inventory import Cluster
from procedures.model.probe import Fault, FaultKind, Metrics
from procedures.model.quorum import Health

WITNESSES = 2
"""So many others at least, and all that can be asked, must have lost it."""


async def with_evidence(cluster: Cluster, view: View, look: Look) -> View:
    """Ask the others, where there is somebody to be asked about."""
    if not any(_in_question(seen) for seen in view.seen):
        return view
    witnesses = [seen.probe.endpoint for seen in _witnesses(view) if seen.probe]
    return testified(view, await look.etcd.metrics(cluster, witnesses))


def testified(view: View, metrics: Mapping[str, Metrics | Fault]) -> View:
    """Call a member down that no healthy voter has a live connection to.

    etcd itself gives a connection up after about five seconds without a word.
    """
    return replace(view, seen=tuple(_judged(seen, view, metrics) for seen in view.seen))


def _judged(seen: Seen, view: View, metrics: Mapping[str, Metrics | Fault]) -> Seen:
    if not _in_question(seen) or not view.quorum_proven or seen.listed is None:
        return seen
    witnesses = _witnesses(view)
    for witness in witnesses:
        scrape = metrics.get(witness.probe.endpoint) if witness.probe else None
        # Whoever does not speak of it is no witness that it is gone.
        if not isinstance(scrape, Metrics) or scrape.active_peers.get(seen.listed.id) is not False:
            return seen
    if len(witnesses) < WITNESSES:
        return seen
    names = " and ".join(witness.name for witness in witnesses)
    why = f"{seen.why} {names} have no connection to it either."
    return replace(seen, health=Health.DOWN, why=why)


def _in_question(seen: Seen) -> bool:
    fault = seen.probe.status if seen.probe else None
    return (
        seen.health is Health.UNKNOWN
        and isinstance(fault, Fault)
        and fault.kind is FaultKind.UNREACHABLE
    )


def _witnesses(view: View) -> list[Seen]:
    return [seen for seen in view.voters if seen.health is Health.HEALTHY]
