"""A request like those that fronts store."""

from procedures.model.events import Requested, Requester
from procedures.model.ids import ChannelId, ClusterName, Site, TeamId, UserId


def a_request(
    command: str = "etcd health", *, cluster: str = "demo", site: str = "default"
) -> Requested:
    return Requested(
        command=command,
        args={"cluster": cluster},
        cluster=ClusterName(cluster),
        site=Site(site),
        requester=Requester(UserId("U0ALICE"), TeamId("T0SANDBOX"), "alice"),
        channel=ChannelId("C0OPS"),
    )
