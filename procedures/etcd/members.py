"""Who is a member of an etcd cluster, as its members tell it and as the inventory expects it."""

import difflib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from procedures.engine.ports import Look
from procedures.etcd import figures as core
from procedures.etcd.rows import role
from procedures.etcd.view import Seen, View, look_at, unasked
from procedures.model.errors import Refused, UsageError
from procedures.model.ids import ClusterName
from procedures.model.inquiry import Inquiry
from procedures.model.probe import ListedMember
from procedures.model.report import Level, ListedRow, MembersReport


@dataclass(frozen=True, slots=True)
class Args:
    """Which cluster to ask, and about which member (name or id); all when None."""

    cluster: ClusterName
    member: str | None = None


async def ask(args: Args, look: Look) -> AsyncIterator[MembersReport]:
    """Give the member list. Raises UsageError for a member that is not in it."""
    cluster = look.inventory.clusters[args.cluster]
    sample = await look.etcd.sample(cluster)
    if extra := unasked(cluster, sample):
        sample = await look.etcd.sample(cluster, extra)
    view = look_at(cluster, sample)
    if not view.listed:
        reasons = "; ".join(seen.why for seen in view.seen if seen.why)
        message = f"No member of {cluster.name} gave a member list. {reasons}"
        raise Refused(message)
    figures = core.inventory(cluster, view)
    chosen = _chosen(view, args.member)
    answering = sum(seen.status is not None for seen in view.seen)
    yield MembersReport(
        cluster=cluster.name,
        headline=f"{cluster.name}: {len(view.seen)} members, {answering} answer",
        rows=tuple(_row(seen, row, view) for seen, row in chosen),
        notes=tuple(figure.text for figure in figures if figure.level is Level.WARN),
    )


INQUIRY = Inquiry("etcd members", Args, ask)


def _chosen(view: View, wanted: str | None) -> tuple[tuple[Seen, ListedMember], ...]:
    listed = tuple((seen, seen.listed) for seen in view.seen if seen.listed)
    if wanted is None:
        return listed
    chosen = tuple((seen, row) for seen, row in listed if wanted in {seen.name, row.id})
    if chosen:
        return chosen
    names = [seen.name for seen, _ in listed]
    near = difflib.get_close_matches(wanted, names, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    message = f"There is no member {wanted!r}.{hint} The members are {', '.join(names)}."
    raise UsageError(message)


def _row(seen: Seen, row: ListedMember, view: View) -> ListedRow:
    note = seen.why or ""
    if not row.name and seen.name != row.id:
        note = f"{note} Its peer URL is {seen.name}'s."
    return ListedRow(
        seen.name, row.id, role(seen, view.leader), row.peer_urls, row.client_urls, note
    )
