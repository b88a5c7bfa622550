"""A cluster on a testbed, reached as a worker would reach it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from procedures.model.ids import ClusterName, MemberName, Site
from procedures.model.inventory import Ansible, Cluster, Host, Platform, SshAccess, TlsFiles
from tests.support.real_stage import RealStage
from tests.testbed import BOT, Testbed
from tests.testbed import Cluster as RealCluster


def as_configured(
    bed: Testbed,
    cluster: RealCluster,
    platform: Platform,
    masters: Sequence[str] = (),
    ansible: Ansible | None = None,
) -> Cluster:
    """The configuration of a cluster on a testbed; hosts without a member are spares."""
    names = {host.name: cluster.name(host) for host in cluster.members}
    files = cluster.files
    return Cluster(
        name=ClusterName("prod"),
        platform=platform,
        site=Site("default"),
        endpoints={MemberName(name): url for name, url in cluster.endpoints.items()},
        tls=TlsFiles(str(files.ca), str(files.cert), str(files.key)),
        hosts=tuple(
            Host(names.get(host.name, host.name), host.address) for host in bed.hosts.values()
        ),
        masters=tuple(masters),
        ansible=ansible,
        ssh=SshAccess(
            user=BOT,
            key=str(bed.access.key),
            known_hosts=str(bed.access.known_hosts),
            sudo=True,
        ),
    )


@asynccontextmanager
async def on_stage(
    bed: Testbed,
    cluster: RealCluster,
    platform: Platform,
    folder: Path,
    *,
    masters: Sequence[str] = (),
    ansible: Ansible | None = None,
) -> AsyncIterator[RealStage]:
    """All that procedures may look at and act on there; backups lie in `folder`."""
    configured = as_configured(bed, cluster, platform, masters, ansible)
    stage = RealStage(configured, bed.tools, folder)
    try:
        yield stage
    finally:
        await stage.close()
