"""What is wrong between two places of the configuration."""

import base64
from collections.abc import Iterator

from bot.config_model import ClusterConfig, ConfigFile
from procedures.model.inventory import Platform


def cross_faults(file: ConfigFile) -> list[str]:
    """Faults that lie between two places of the file."""
    faults = []
    if file.sandbox_clock and not file.slack.api_url:
        faults.append("sandbox_clock: moves the time of a sandbox only: remove it")
    if file.sandbox_namespace and not file.slack.api_url:
        faults.append("sandbox_namespace: leads to the hosts of a sandbox only: remove it")
    faults += [
        f"backups.sites.{site}: is not among `sites`"
        for site in (file.backups.sites if file.backups else ())
        if site not in file.sites
    ]
    for name, cluster in file.clusters.items():
        if cluster.site not in file.sites:
            faults.append(f"clusters.{name}.site: {cluster.site!r} is not among `sites`")
        faults += [
            f"clusters.{name}.channels: {channel} is not among `channels`"
            for channel in cluster.channels
            if channel not in file.channels
        ]
        faults += [*_host_faults(name, cluster), *_openshift_faults(name, cluster)]
        approvers = cluster.approvers.users if cluster.approvers else ()
        if approvers and len(set(approvers)) < cluster.policy.destructive:
            faults.append(
                f"clusters.{name}.approvers: {len(set(approvers))} people cannot give "
                f"{cluster.policy.destructive} approvals: list more of them"
            )
        if cluster.incident_channel and cluster.incident_channel not in file.channels:
            faults.append(
                f"clusters.{name}.incident_channel: {cluster.incident_channel} is not among "
                "`channels`"
            )
        urls = list(cluster.endpoints.values())
        if len(set(urls)) < len(urls):
            faults.append(f"clusters.{name}.endpoints: two members have the same address")
    accounts = [user for users in file.people.values() for user in users]
    faults += [
        f"people: {each} belongs to two people"
        for each in sorted(set(accounts))
        if accounts.count(each) > 1
    ]
    ids = [writer.id for writer in file.signing.trusted]
    faults += [
        f"signing.trusted: {each} is listed twice"
        for each in sorted(set(ids))
        if ids.count(each) > 1
    ]
    owners: dict[bytes, list[str]] = {}
    for writer in file.signing.trusted:
        owners.setdefault(base64.b64decode(writer.public_key), []).append(writer.id)
    faults += [
        f"signing.trusted: {' and '.join(sharers)} have the same public key: "
        "give each a key of its own"
        for sharers in owners.values()
        if len(sharers) > 1
    ]
    return faults


def _host_faults(name: str, cluster: ClusterConfig) -> Iterator[str]:
    if cluster.hosts:
        for member in cluster.endpoints:
            if member not in cluster.hosts:
                yield f"clusters.{name}.hosts: {member} has an endpoint and no host"
            elif not cluster.hosts[member].etcd:
                yield f"clusters.{name}.hosts.{member}: it has an endpoint, so `etcd` is not false"
    elif cluster.ssh is not None:
        yield f"clusters.{name}.ssh: there are no `hosts` to log in to: list them"
    places: dict[tuple[str, int], str] = {}
    for host, each in cluster.hosts.items():
        other = places.setdefault((each.address, each.port), host)
        if other != host:
            yield f"clusters.{name}.hosts: {other} and {host} have the same address"


def _openshift_faults(name: str, cluster: ClusterConfig) -> Iterator[str]:
    """What only OpenShift and OKD 3 have."""
    there = cluster.platform in {Platform.OKD3, Platform.OCP311}
    for master in cluster.masters:
        if master not in cluster.hosts:
            yield f"clusters.{name}.masters: {master} is not among `hosts`"
    if cluster.masters and not there:
        yield f"clusters.{name}.masters: only okd3 and ocp311 have them"
    if cluster.ansible is None:
        return
    if cluster.ansible.host not in cluster.hosts:
        yield f"clusters.{name}.ansible.host: {cluster.ansible.host} is not among `hosts`"
    if not there:
        yield f"clusters.{name}.ansible: only okd3 and ocp311 are installed with it"
