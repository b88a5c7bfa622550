"""Who is a member of an etcd cluster, as its members tell it, and who is expected."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from procedures.engine.ports import Look
from procedures.etcd import figures as core
from procedures.etcd.expected import known
from procedures.etcd.observe import find, listed, observed
from procedures.etcd.rows import role
from procedures.etcd.view import Seen, View
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
    view = await observed(cluster.name, look)
    figures = core.inventory(cluster, view)
    chosen = listed(view) if args.member is None else (find(view, args.member),)
    expected = known(cluster, view)
    answering = sum(seen.status is not None for seen in view.seen)
    yield MembersReport(
        cluster=cluster.name,
        headline=f"{cluster.name}: {len(view.seen)} members, {answering} answer",
        rows=tuple(_row(seen, row, view, expected=row.id in expected) for seen, row in chosen),
        notes=tuple(figure.text for figure in figures if figure.level is Level.WARN),
    )


INQUIRY = Inquiry("etcd members", Args, ask)


def _row(seen: Seen, row: ListedMember, view: View, *, expected: bool) -> ListedRow:
    note = seen.why or ""
    if not row.name and seen.name != row.id:
        note = f"{note} Its peer URL is {seen.name}'s."
    return ListedRow(
        seen.name,
        row.id,
        role(seen, view.leader),
        row.peer_urls,
        row.client_urls,
        note,
        expected=expected,
    )
