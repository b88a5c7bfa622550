"""Restarting etcd where it is a static pod or a container."""

from pathlib import Path

import pytest

from procedures.model.inventory import Platform
from procedures.model.run import State
from tests.hosts.stage import on_stage
from tests.testbed import HostSpec, Namespace, Testbed
from tests.testbed.flavours import FlavourName

NAMES = ("etcd-1", "etcd-2", "etcd-3")


@pytest.mark.parametrize(
    ("flavour", "platform"),
    [("ocp311", Platform.OCP311), ("kubespray", Platform.KUBESPRAY)],
)
async def test_on_other_platforms(
    inside: Namespace, tmp_path: Path, flavour: FlavourName, platform: Platform
) -> None:
    """A static pod goes and comes with its manifest, a container with its unit."""
    with Testbed.start([HostSpec(name, flavour) for name in NAMES], bot=inside) as bed:
        cluster = bed.cluster(NAMES)
        member, before = (
            next(iter(cluster.endpoints)),
            bed[NAMES[0]].run(["pgrep", "-x", "etcd"]).output,
        )
        async with on_stage(bed, cluster, platform, tmp_path) as stage:
            run = (await stage.carried_out("etcd restart", member=member)).run
        assert run.state is State.SUCCEEDED, run.error
        assert bed[NAMES[0]].run(["pgrep", "-x", "etcd"]).output not in {"", before}
        assert cluster.healthy() == list(cluster.endpoints)
