"""Where things are: sites, clusters and their members, as the configuration states them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from ipaddress import ip_address
from types import MappingProxyType

from procedures.model.errors import Refused
from procedures.model.expected import Expected
from procedures.model.ids import ChannelId, ClusterName, MemberName, Site, UserId
from procedures.model.snapshot import Retention


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
class Jump:
    """A machine through which others are reached; it has the same key and known hosts as they."""

    address: str
    port: int = 22
    user: str | None = None


@dataclass(frozen=True, slots=True)
class SshAccess:
    """How a worker gets to a cluster's machines; keys, certificates and trust are files.

    Either `known_hosts` or `host_ca`, a file of authorities' public keys, says whom to trust. With
    `sudo`, everything is done as root by `sudo -n`; with `agent`, its keys are tried too.
    """

    user: str
    key: str | None = None
    certificate: str | None = None
    known_hosts: str | None = None
    host_ca: str | None = None
    jump: Jump | None = None
    sudo: bool = False
    agent: bool = False

    @property
    def trust(self) -> str:
        """The file that says whom to trust."""
        return self.known_hosts or self.host_ca or ""


@dataclass(frozen=True, slots=True)
class Host:
    """A machine that has, or may get, a member; one without `etcd` never gets one.

    `user` is for those who differ from the others.
    """

    name: str
    address: str
    port: int = 22
    user: str | None = None
    etcd: bool = True


@dataclass(frozen=True, slots=True)
class Ansible:
    """Where Ansible is, with which OpenShift 3 was installed: on which host, and its files there.

    `inventory` is an INI file; `playbooks` the folder of openshift-ansible.
    """

    host: str
    inventory: str = "/etc/ansible/hosts"
    playbooks: str = "/usr/share/ansible/openshift-ansible"


@dataclass(frozen=True, slots=True)
class Approvers:
    """Who may approve changes: the members of a Slack user group, or the people listed."""

    group: str | None = None
    users: frozenset[UserId] = frozenset()


@dataclass(frozen=True, slots=True)
class Policy:
    """How many people other than the requester approve a change.

    By how much it may cost; `procedures` names exceptions.
    """

    reversible: int = 1
    disruptive: int = 1
    destructive: int = 2
    procedures: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Cluster:
    """One etcd cluster. `endpoints` maps each expected member to its client URL.

    They are those of the record, where one is believed (`expected`), and else the `configured`
    ones. The first of its channels shows what is asked for in a terminal. `masters` are those of
    its hosts that run an API server which is told in a file where etcd is.
    """

    name: ClusterName
    platform: Platform
    site: Site
    endpoints: Mapping[MemberName, str]
    tls: TlsFiles | None
    channels: tuple[ChannelId, ...] = ()
    incident_channel: ChannelId | None = None
    hosts: tuple[Host, ...] = ()
    masters: tuple[str, ...] = ()
    ansible: Ansible | None = None
    approvers: Approvers = field(default_factory=Approvers)
    policy: Policy = field(default_factory=Policy)
    deadline_ms: int = 2_000
    sample_gap_ms: int = 5_000
    hash_up_to_bytes: int = 2 * 1024**3
    ssh: SshAccess | None = None
    expected: Expected = field(default_factory=Expected)
    without_record: Mapping[MemberName, str] | None = None

    @property
    def configured(self) -> Mapping[MemberName, str]:
        """The client URL of each member that the configuration names."""
        return self.endpoints if self.without_record is None else self.without_record

    def expecting(self, recorded: Expected) -> "Cluster":
        """The same cluster with the members that are recorded, if any, as the expected ones."""
        endpoints = self.configured if recorded.members is None else recorded.members
        return replace(self, endpoints=endpoints, expected=recorded, without_record=self.configured)


@dataclass(frozen=True, slots=True)
class Inventory:
    """All clusters, and who may speak where.

    `retention` is for the sites that have a place for snapshots; others have none.
    """

    clusters: Mapping[ClusterName, Cluster]
    channels: frozenset[ChannelId] = frozenset()
    terminal_users: Mapping[str, UserId] = field(default_factory=lambda: MappingProxyType({}))
    people: Mapping[UserId, str] = field(default_factory=lambda: MappingProxyType({}))
    retention: Mapping[Site, Retention] = field(default_factory=lambda: MappingProxyType({}))

    def expecting(self, cluster: ClusterName, recorded: Expected) -> "Inventory":
        """The same, with the members of a cluster that are recorded as the expected ones."""
        changed = self.clusters[cluster].expecting(recorded)
        return replace(self, clusters=MappingProxyType({**self.clusters, cluster: changed}))

    @property
    def sites(self) -> frozenset[Site]:
        """The sites that have a cluster."""
        return frozenset(cluster.site for cluster in self.clusters.values())

    def retention_of(self, cluster: Cluster) -> Retention:
        """How long snapshots of a cluster are kept. Raises Refused where there is no place."""
        kept = self.retention.get(cluster.site)
        if kept is None:
            message = (
                f"The site {cluster.site} has no place for snapshots, and no change is made "
                f"without one. Name a place in the section `backups` of the configuration."
            )
            raise Refused(message)
        return kept

    def in_channel(self, channel: ChannelId | None) -> tuple[Cluster, ...]:
        """List the clusters that may be asked about in a channel, by name; all for `None`."""
        return tuple(
            cluster
            for _, cluster in sorted(self.clusters.items())
            if channel is None or channel in cluster.channels
        )


def is_address(place: str) -> bool:
    """Tell an IP address from a name."""
    try:
        ip_address(place)
    except ValueError:
        return False
    return True
