"""A machine at 150 ms, there and back, on a real sshd: all is still learnt in time."""

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

from bot.clock import WallClock
from procedures.engine.ports import Look
from procedures.etcd.host_health import HostSeen, look_at_hosts
from procedures.etcd.spare import look_at_spare
from procedures.model.errors import Refused
from procedures.model.inventory import Cluster, Platform, TlsFiles
from tests.contract.hosts.worlds import Piece, RealWorld

EACH_WAY_S = 0.075
CONFIG = b"""ETCD_NAME=machine-1
ETCD_DATA_DIR=/var/lib/etcd
ETCD_TRUSTED_CA_FILE=/etc/etcd/ca.crt
ETCD_CERT_FILE=/etc/etcd/server.crt
ETCD_KEY_FILE=/etc/etcd/server.key
ETCD_PEER_TRUSTED_CA_FILE=/etc/etcd/ca.crt
ETCD_PEER_CERT_FILE=/etc/etcd/peer.crt
ETCD_PEER_KEY_FILE=/etc/etcd/peer.key
"""


def far(real: RealWorld) -> tuple[Cluster, Look]:
    """The machine as one of OpenShift 3's, with no connection yet."""
    real.way.delay_s = EACH_WAY_S
    real.put("/etc/etcd/etcd.conf", CONFIG)
    cluster = replace(
        real.cluster,
        platform=Platform.OKD3,
        hosts=(real.host,),
        tls=TlsFiles("ca", "cert", "key"),
        deadline_ms=5_000,
    )
    return cluster, cast("Look", SimpleNamespace(hosts=real.others(), clock=WallClock()))


async def test_its_health(real: RealWorld) -> None:
    """All that is asked of it is answered within the time that a host has."""
    cluster, look = far(real)
    (seen,) = (await look_at_hosts(cluster, look)).values()
    assert isinstance(seen, HostSeen), seen
    assert "did not answer" not in repr(seen)


async def test_the_look_at_a_spare(real: RealWorld) -> None:
    """Every question of a replacement's has an answer, if only that there is no systemd."""
    cluster, look = far(real)
    try:
        spare = await look_at_spare(cluster, real.host, look)
    except Refused as error:
        assert "`systemctl show etcd.service" in str(error)  # noqa: PT017 (it need not be raised)
        assert "ended with status" in str(error)  # noqa: PT017
    else:
        assert spare.config is not None
        assert spare.config.content == CONFIG


async def test_work_on_it(real: RealWorld) -> None:
    """It is started once, and all that it prints is said."""
    real.way.delay_s = EACH_WAY_S
    piece = Piece(real)
    assert await piece.run("sh", "-c", "seq 1 1000; exit 3") == 3
    assert piece.said == [str(number) for number in range(1, 1_001)]
