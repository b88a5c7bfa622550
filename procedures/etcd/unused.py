"""Members that nobody uses: added and left, or dead and forgotten. (catalogue P49)

A member counts as one only where that is known: it has never started, or it is down by proof and
nothing here names it any more.
"""

from urllib.parse import urlsplit

from procedures.etcd.expected import known
from procedures.etcd.observe import listed
from procedures.etcd.view import Seen, View
from procedures.model.errors import Refused
from procedures.model.inventory import Cluster
from procedures.model.probe import ListedMember
from procedures.model.quorum import Health

NEVER_STARTED = "it was added and has never started"
FORGOTTEN = "it is down, it is not expected, and the configuration names no host of it"


def find_unused(cluster: Cluster, view: View) -> tuple[ListedMember, str]:
    """Find the only one, and why it is one. Raises Refused where there is none, or several."""
    rows = [(row, why) for seen, row in listed(view) if (why := _why(cluster, view, seen, row))]
    if len(rows) == 1:
        return rows[0]
    if rows:
        shown = "; ".join(f"{_shown(row)}: {why}" for row, why in rows)
        ids = " or ".join(f"/etcd member remove {row.id}" for row, _ in rows)
        message = (
            f"{len(rows)} members are unused, and one goes at a time (R5): {shown}. Say {ids}."
        )
        raise Refused(message)
    message = (
        f"No member of {cluster.name} is unused: each has started, and answers, or is expected, or "
        "has its host in the configuration."
    )
    unclear = [
        seen.name
        for seen, row in listed(view)
        if seen.health is Health.UNKNOWN and _forgotten(cluster, view, row)
    ]
    if unclear:
        message += f" Nobody can tell whether {' and '.join(unclear)} is down."
    raise Refused(message)


def _why(cluster: Cluster, view: View, seen: Seen, row: ListedMember) -> str | None:
    if not row.started:
        return NEVER_STARTED
    if seen.health is Health.DOWN and _forgotten(cluster, view, row):
        return FORGOTTEN
    return None


def _forgotten(cluster: Cluster, view: View, row: ListedMember) -> bool:
    addresses = {urlsplit(url).hostname for url in row.peer_urls}
    hosted = any(each.name == row.name or each.address in addresses for each in cluster.hosts)
    return not hosted and row.id not in known(cluster, view)


def _shown(row: ListedMember) -> str:
    return f"{row.name or 'without a name'} ({row.id}), peer {', '.join(row.peer_urls)}"
