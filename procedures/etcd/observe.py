"""Looking at a cluster once, at all of its members."""

import difflib

from procedures.engine.ports import Look
from procedures.etcd.evidence import contested, listen, testified
from procedures.etcd.view import Seen, View, look_at, unasked
from procedures.model.errors import Refused, UsageError
from procedures.model.ids import ClusterName, MemberId
from procedures.model.inventory import Cluster
from procedures.model.probe import ListedMember
from procedures.model.quorum import Health


async def observe(cluster: Cluster, look: Look) -> View:
    """Ask the expected members, and those of whom only the member list tells.

    Where others are asked about a member, this may take as long as `evidence.SILENCE_MS`; what is
    given is no older for it.
    """
    view = await _looked(cluster, look)
    if await listen(cluster, view, look):
        view = await _looked(cluster, look)
    return await contested(cluster, testified(cluster, view, look), look)


async def _looked(cluster: Cluster, look: Look) -> View:
    sample = await look.etcd.sample(cluster)
    if extra := unasked(cluster, sample):
        sample = await look.etcd.sample(cluster, extra)
    return look_at(cluster, sample)


async def observed(name: ClusterName, look: Look) -> View:
    """Look at a cluster whose member list is needed. Raises Refused when nobody gives one."""
    view = await observe(look.inventory.clusters[name], look)
    require_listed(name, view)
    return view


def require_listed(name: ClusterName, view: View) -> None:
    """Make sure that somebody gave a member list. Raises Refused."""
    if not view.listed:
        reasons = "; ".join(seen.why for seen in view.seen if seen.why)
        message = f"No member of {name} gave a member list. {reasons}"
        raise Refused(message)


def listed(view: View) -> tuple[tuple[Seen, ListedMember], ...]:
    """The members with their rows in the member list."""
    return tuple((seen, seen.listed) for seen in view.seen if seen.listed)


def not_well(view: View, apart_from: MemberId | None) -> tuple[str, ...]:
    """The names of those that are not healthy besides one: whoever waits for them waits in vain."""
    return tuple(
        seen.name
        for seen, row in listed(view)
        if row.id != apart_from and seen.health is not Health.HEALTHY
    )


def find(view: View, wanted: str) -> tuple[Seen, ListedMember]:
    """Find the one member with this name or id.

    Raises UsageError when there is none, and when there are several: names need not be unique.
    """
    chosen = [(seen, row) for seen, row in listed(view) if wanted in {seen.name, row.id}]
    if len(chosen) == 1:
        return chosen[0]
    if chosen:
        ids = " and ".join(row.id for _, row in chosen)
        message = f"{wanted!r} is the name of {len(chosen)} members. Say which by its id: {ids}."
        raise UsageError(message)
    names = [seen.name for seen, _ in listed(view)]
    near = difflib.get_close_matches(wanted, names, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    message = f"There is no member {wanted!r}.{hint} The members are {', '.join(names)}."
    raise UsageError(message)
