"""Real hosts for tests, on one machine: systemd, journald, sshd, sudo and etcd, each on its own.

Debian packages only; needs root, and says why where that is not enough (`unmet`). In a test:

    @pytest.fixture(scope="module")
    def bed(inside: Namespace) -> Iterator[Testbed]:     # inside: tests/hosts/conftest.py
        specs = [HostSpec(f"etcd-{n}", "okd3", "3.5") for n in (1, 2, 3, 4)]
        with Testbed.start(specs, bot=inside) as bed:
            yield bed

    def test_two_of_three_go_on(bed: Testbed) -> None:
        cluster = bed.cluster(["etcd-1", "etcd-2", "etcd-3"], spares=["etcd-4"])
        bed["etcd-2"].power_off()
        assert cluster.healthy() == ["etcd-1", "etcd-3"]

Tests of this kind live in `tests/hosts`, whose pytest process moves into the bot's namespace as a
whole (`namespaces.py` says why): there, asyncssh, grpc, Redis on loopback and child processes all
work as usual. By hand: `python -m tests.testbed up --flavour kubespray --hosts 4`. For another
process, as the sandbox with `--hosts`: `python -m tests.testbed serve` (`serving.py`).

| what | where |
|---|---|
| flavour, version of etcd, own disk | `HostSpec` |
| power, freeze, cable, loss, latency, slow or full disk, memory, a new machine | `Host` |
| the truth about a host: `run`, `path`, `journal`, from outside | `Host` |
| partitions | `Testbed.partition`, `hide_from_bot`, `heal_network` |
| endpoints, a client's certificates, health, leader, `etcdctl` from outside | `Cluster` |
| key and known hosts for ssh | `Testbed.access` |

Calls block, and raise `BedError`; an async test with work going on meanwhile uses
`asyncio.to_thread`. Hosts have the addresses 10.0.0.11, .12 … in the order of their specs, and
know each other by name. Users are `quorumbot` (sudo asks nothing) and `prompted` (sudo asks for
the password, which is the same word).

A host is an overlay over a shared base (`base.py`: built once, in the user's cache), started by
systemd-nspawn (`machine.py`) in a control group and a network namespace of its own. All that there
is of a testbed carries its name, and goes with it; what a killed process left is removed by the
next one that starts (`beds.py`). Nothing can be done to a host's clock or kernel, writes that were
not synced survive a power cut, and there is latency only where the kernel has `tc netem`
(`no_latency` says why not): `Host.latency`, or from a shell `python -m tests.testbed latency`.

Flavours are platforms as their installers leave them (`flavours/`), with stand-ins for what is not
etcd: `files/docker` isolates nothing, `files/ocp311-static-pods` is all there is of a kubelet, and
kubespray's `make-ssl-etcd.sh` is absent.
"""

from tests.testbed.access import BOT, PROMPTED, Access
from tests.testbed.bed import Testbed
from tests.testbed.beds import private_namespace
from tests.testbed.cluster import Cluster
from tests.testbed.errors import BedError
from tests.testbed.host import Host, HostSpec
from tests.testbed.namespaces import Namespace
from tests.testbed.needs import no_latency, unmet
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
    "no_latency",
    "private_namespace",
    "unmet",
]
