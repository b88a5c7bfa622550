"""Where things are: sites, clusters and their members, as the configuration states them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from procedures.model.ids import ChannelId, ClusterName, MemberName, Site, UserId


class Platform(StrEnum):
    """How etcd is run, which decides how it is stopped, started, configured and asked."""

    ETCD = "etcd"
    OKD3 = "okd3"
    OCP311 = "ocp311"
    OCP4 = "ocp4"
    KUBESPRAY = "kubespray"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Paths of the files with which a worker identifies itself to a cluster."""

    ca: str
    cert: str
    key: str
    server_name: str | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """A machine that has, or may get, a member."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Approvers:
    """Who may approve changes: the members of a Slack user group, or the people listed."""

    group: str | None = None
    users: frozenset[UserId] = frozenset()


@dataclass(frozen=True, slots=True)
class Policy:
    """How many people other than the requester approve a change, by how much it may cost."""

    reversible: int = 1
    disruptive: int = 1
    destructive: int = 2


@dataclass(frozen=True, slots=True)
class Cluster:
    """One etcd cluster. `endpoints` maps each expected member to its client URL."""

    name: ClusterName
    platform: Platform
    site: Site
    endpoints: Mapping[MemberName, str]
    tls: TlsFiles | None
    channels: frozenset[ChannelId] = frozenset()
    hosts: tuple[Host, ...] = ()
    approvers: Approvers = field(default_factory=Approvers)
    policy: Policy = field(default_factory=Policy)
    deadline_ms: int = 2_000
    sample_gap_ms: int = 5_000
    hash_up_to_bytes: int = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Inventory:
    """All clusters, and who may speak where."""

    clusters: Mapping[ClusterName, Cluster]
    channels: frozenset[ChannelId] = frozenset()
    terminal_users: Mapping[str, UserId] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def sites(self) -> frozenset[Site]:
        """The sites that have a cluster."""
        return frozenset(cluster.site for cluster in self.clusters.values())

    def in_channel(self, channel: ChannelId | None) -> tuple[Cluster, ...]:
        """List the clusters that may be asked about in a channel, by name; all for `None`."""
        return tuple(
            cluster
            for _, cluster in sorted(self.clusters.items())
            if channel is None or channel in cluster.channels
        )
