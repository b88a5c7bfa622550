"""Certificates of all members have ended: what brings a cluster back that nobody can talk to."""

from pathlib import Path

import pytest

from bot.sandbox.demo.pki import LOOPBACK_HOSTS, Pair, Validity
from procedures.etcd.observe import observe
from procedures.model.errors import Refused
from procedures.model.inventory import Platform
from procedures.model.platform import layout
from procedures.model.run import State
from tests.hosts.restoring import NAMES, cluster_id, keys, write
from tests.hosts.stage import on_stage
from tests.testbed import Cluster, HostSpec, Namespace, Testbed
from tests.testbed.flavours import FlavourName, Version
from tests.testbed.pki import Pki


class Ended(Pki):
    """The same authority, whose certificates ended an hour ago."""

    def issue(self, name: str, address: str) -> Pair:
        hosts = (address, name, *LOOPBACK_HOSTS)
        return self.authority.issue(name, hosts=hosts, validity=Validity.days_left(-1 / 24))


def let_end(cluster: Cluster, platform: Platform) -> None:
    """Let all members go on with certificates that nobody takes any more."""
    how = layout(platform)
    for host in cluster.members:
        if how.beside:
            host.run(["mkdir", "--parents", how.beside])
        host.run(list(how.stop))
        host.flavour.keys(host.machine, Ended(cluster.pki.authority), host.address)
    for host in cluster.members:
        host.run(list(how.revive_together))


@pytest.mark.parametrize(
    ("flavour", "version"), [("okd3", "3.4"), ("ocp311", "3.5"), ("kubespray", "3.5")]
)
async def test_all_have_ended(
    inside: Namespace, tmp_path: Path, flavour: FlavourName, version: Version
) -> None:
    """All get new ones at once, by the CA that they have; no data is lost."""
    platform = Platform(flavour)
    specs = [HostSpec(name, flavour, version) for name in NAMES]
    with Testbed.start(specs, bot=inside) as bed:
        cluster = bed.cluster(NAMES)
        one = next(iter(cluster.endpoints))
        write(cluster, "kept", 10)
        before, identity = keys(cluster, one), cluster_id(cluster, one)
        let_end(cluster, platform)
        assert cluster.healthy() == []
        async with on_stage(bed, cluster, platform, tmp_path) as stage:
            assert not (await observe(stage.cluster, stage)).quorum_proven
            with pytest.raises(Refused, match=r"one member alone cannot bring it back \(R17\)"):
                await stage.planned("etcd certs renew", host=one)
            run = (await stage.carried_out("etcd certs renew")).run
            assert run.state is State.SUCCEEDED, (run.error, run.doubt)
            assert (await observe(stage.cluster, stage)).quorum_proven
        assert (keys(cluster, one), cluster_id(cluster, one)) == (before, identity)
