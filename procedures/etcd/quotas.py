"""How large the data file of each member may become."""

from collections.abc import Mapping

from procedures.engine.ports import Look
from procedures.etcd.figures import DEFAULT_QUOTA
from procedures.etcd.view import View
from procedures.model.ids import MemberId
from procedures.model.inventory import Cluster
from procedures.model.probe import Metrics


async def quotas(cluster: Cluster, view: View, look: Look) -> Mapping[MemberId, int]:
    """In bytes, of each member that told its status; etcd's default where it tells none.

    etcd 3.6 says it in its status, older ones in their metrics.
    """
    told = [(seen.probe.endpoint, status) for seen, status in view.statuses() if seen.probe]
    scrapes = await look.etcd.metrics(cluster, [endpoint for endpoint, _ in told])
    found: dict[MemberId, int] = {}
    for endpoint, status in told:
        scrape = scrapes.get(endpoint)
        exported = scrape.quota if isinstance(scrape, Metrics) else None
        found[status.member_id] = status.quota or exported or DEFAULT_QUOTA
    return found
