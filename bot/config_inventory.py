"""From the configuration as it is written to what procedures know of clusters."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from bot.config_model import ApproversConfig, ConfigFile, TlsConfig
from procedures.model.ids import ChannelId, ClusterName, MemberName, Site, UserId
from procedures.model.inventory import (
    Approvers,
    Cluster,
    Inventory,
    Policy,
    TlsFiles,
)
from procedures.model.snapshot import Retention


def inventory(file: ConfigFile, base: Path) -> Inventory:
    """Make the inventory; relative files are below `base`."""
    clusters = {
        ClusterName(name): Cluster(
            name=ClusterName(name),
            platform=cluster.platform,
            site=Site(cluster.site),
            endpoints=MappingProxyType(
                {MemberName(member): url for member, url in cluster.endpoints.items()}
            ),
            tls=_tls(cluster.tls, base),
            channels=tuple(ChannelId(channel) for channel in cluster.channels),
            incident_channel=(
                ChannelId(cluster.incident_channel) if cluster.incident_channel else None
            ),
            hosts=tuple(each.host(host) for host, each in cluster.hosts.items()),
            masters=cluster.masters,
            ansible=cluster.ansible.ansible() if cluster.ansible else None,
            ssh=cluster.ssh.access(base) if cluster.ssh else None,
            approvers=_approvers(cluster.approvers),
            policy=Policy(**cluster.policy.model_dump()),
            deadline_ms=cluster.deadline_ms,
            sample_gap_ms=cluster.sample_gap_ms,
            hash_up_to_bytes=cluster.hash_up_to_mib * 1024**2,
        )
        for name, cluster in file.clusters.items()
    }
    return Inventory(
        clusters=MappingProxyType(clusters),
        retention=_retention(file),
        channels=frozenset(ChannelId(channel) for channel in file.channels),
        terminal_users=MappingProxyType(
            {name: UserId(user) for name, user in file.terminal_users.items()}
        ),
        people=MappingProxyType(
            {UserId(user): name for name, users in file.people.items() for user in users}
        ),
    )


def _retention(file: ConfigFile) -> Mapping[Site, Retention]:
    if file.backups is None:
        return MappingProxyType({})
    places = {Site(site): file.backups.place(site) for site in file.sites}
    return MappingProxyType(
        {
            site: Retention(place.retention.days, place.retention.distinct_days)
            for site, place in places.items()
            if place is not None
        }
    )


def _approvers(given: ApproversConfig | None) -> Approvers:
    if given is None:
        return Approvers()
    return Approvers(given.group, frozenset(UserId(user) for user in given.users))


def _tls(tls: TlsConfig | None, base: Path) -> TlsFiles | None:
    if tls is None:
        return None
    return TlsFiles(
        ca=str(base / tls.ca),
        cert=str(base / tls.cert),
        key=str(base / tls.key),
        server_name=tls.server_name,
    )
