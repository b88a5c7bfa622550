"""Real hosts for tests, on one machine: systemd, journald, sshd, sudo and etcd, each on its own.

with Testbed.start([HostSpec(f"etcd-{n}") for n in (1, 2, 3)]) as bed:
    cluster = bed.cluster(["etcd-1", "etcd-2", "etcd-3"])
    bed["etcd-2"].power_off()
    assert cluster.healthy() == ["etcd-1", "etcd-3"]
"""

from tests.testbed.access import BOT, PROMPTED, Access
from tests.testbed.bed import Testbed
from tests.testbed.beds import private_namespace
from tests.testbed.cluster import Cluster
from tests.testbed.errors import BedError
from tests.testbed.host import Host, HostSpec
from tests.testbed.namespaces import Namespace
from tests.testbed.needs import unmet
from tests.testbed.shell import Ran

__all__ = [
    "BOT",
    "PROMPTED",
    "Access",
    "BedError",
    "Cluster",
    "Host",
    "HostSpec",
    "Namespace",
    "Ran",
    "Testbed",
    "private_namespace",
    "unmet",
]
