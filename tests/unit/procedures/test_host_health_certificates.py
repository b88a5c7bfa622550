"""The certificates in the files of hosts, as `etcd health` tells them. (R17)"""

from collections.abc import Callable

import pytest

from bot.targets.ssh.model import FakeMachine
from procedures.model.platform import Pair
from procedures.model.report import Level
from tests.support.furnishing import a_furnished_sight, show
from tests.support.health import final
from tests.support.host_health import configure, figures, machine
from tests.support.openssl import issued
from tests.support.sight import NOW_MS

PEER = Pair("/etc/etcd/peer.crt", "/etc/etcd/peer.key")
GOOD = frozenset({Level.OK, Level.INFO})


def ending(days: int) -> Callable[[FakeMachine], None]:
    def act(at: FakeMachine) -> None:
        show(at, PEER, issued(at.name, "10.0.0.1", days=days, at_s=NOW_MS // 1_000))

    return act


def of_another_ca(at: FakeMachine) -> None:
    show(at, PEER, issued(at.name, "10.0.0.1", at_s=NOW_MS // 1_000, by="another"))


def for_another(at: FakeMachine) -> None:
    show(at, PEER, issued("demo-2", "10.0.0.2", at_s=NOW_MS // 1_000))


def missing(at: FakeMachine) -> None:
    at.files.remove(PEER.cert)


def spoilt(at: FakeMachine) -> None:
    at.files.put(PEER.cert, "no certificate at all\n")


@pytest.mark.parametrize(
    ("happens", "level", "words"),
    [
        (ending(30), Level.OK, "30 days left"),
        (ending(29), Level.WARN, "/etc/etcd/peer.crt: 29 days left (R17)"),
        (ending(-3), Level.CRITICAL, "/etc/etcd/peer.crt: expired 2 days ago (R17)"),
        (of_another_ca, Level.WARN, "365 days left; not of the CA in /etc/etcd/ca.crt: unable to"),
        (for_another, Level.WARN, "365 days left; not for demo-1.invalid (R17)"),
        (missing, Level.WARN, "/etc/etcd/peer.crt is missing or no certificate"),
        (spoilt, Level.WARN, "/etc/etcd/peer.crt is missing or no certificate"),
    ],
)
async def test_certificates_in_files(
    happens: Callable[[FakeMachine], None], level: Level, words: str
) -> None:
    """Days left, whose they are, and for which address (R17)."""
    sight = a_furnished_sight()
    happens(machine(sight))
    report = await final(sight)
    (found,) = figures(report, "peer certificate file", "demo-1")
    assert found.level is level
    assert words in found.text
    (other,) = figures(report, "server certificate file", "demo-1")
    assert other.level in GOOD


async def test_the_files_that_etcd_is_told_to_use() -> None:
    """Not those that usually lie there."""
    sight = a_furnished_sight()
    at = machine(sight)
    elsewhere = Pair("/etc/etcd/mine.crt", "/etc/etcd/mine.key")
    show(at, elsewhere, issued(at.name, "10.0.0.1", days=5, at_s=NOW_MS // 1_000))
    configure(at, ETCD_PEER_CERT_FILE=elsewhere.cert)
    (found,) = figures(await final(sight), "peer certificate file", "demo-1")
    assert found.text.startswith("/etc/etcd/mine.crt: 5 days left")


async def test_a_host_without_openssl() -> None:
    """Then nobody can tell."""
    sight = a_furnished_sight()
    del machine(sight).programs["openssl"]
    (found,) = figures(await final(sight), "peer certificate file", "demo-1")
    assert (found.level, found.text) == (
        Level.UNKNOWN,
        "demo-1: openssl is not installed there",
    )
