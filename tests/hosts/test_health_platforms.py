"""The health of a cluster, with its hosts, where etcd is no service of systemd's."""

from pathlib import Path

import pytest

from procedures.model.inventory import Platform
from procedures.model.run import State
from tests.hosts.stage import on_stage
from tests.hosts.test_host_health import GOOD, asked, figures
from tests.testbed import HostSpec, Namespace, Testbed
from tests.testbed.flavours import FlavourName


@pytest.mark.parametrize("flavour", ["ocp311", "kubespray"])
async def test_other_platforms(inside: Namespace, tmp_path: Path, flavour: FlavourName) -> None:
    """Where etcd is a static pod or lives in a container, the same questions have answers."""
    with Testbed.start([HostSpec("etcd-1", flavour)], bot=inside) as bed:
        alone = bed.cluster(("etcd-1",))
        async with on_stage(bed, alone, Platform(flavour), tmp_path) as stage:
            report = await asked(stage)
            journal = await stage.carried_out("etcd backup config")
    strange = [each for each in report.hosts if each.level not in GOOD]
    assert {each.name for each in strange} <= {"time service"}, strange
    (service,) = figures(report, "service").values()
    assert service.text.endswith("etcd runs")
    assert journal.run.state is State.SUCCEEDED, journal.run.error
