"""What `/etcd certs` tells of certificates and keys, and that it says what it could not see."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.targets.etcd.model import Condition
from procedures.etcd import certs
from procedures.host.answering import Args
from procedures.model.ids import ClusterName, MemberName
from procedures.model.inventory import Inventory, Platform
from procedures.model.platform import Pair, layout
from procedures.model.report import Figure, HostsReport, Level
from tests.support.certified import certify
from tests.support.furnishing import a_furnished_sight, furnish, load, show
from tests.support.openssl import SIGNER, authority, authority_key, issued
from tests.support.sight import NOW_MS, FakeSight, a_sight

DEMO, NOW_S = ClusterName("demo"), NOW_MS // 1_000
SERVER = Pair("/etc/etcd/server.crt", "/etc/etcd/server.key")
PEER = Pair("/etc/etcd/peer.crt", "/etc/etcd/peer.key")


async def asked(sight: FakeSight) -> HostsReport:
    (report,) = [each async for each in certs.ask(Args(DEMO), sight)]
    return report


def bad(report: HostsReport) -> list[Figure]:
    return [each for each in report.figures if each.level not in {Level.OK, Level.INFO}]


async def test_all_is_well() -> None:
    """Each certificate and each port of each host is there, and good; a spare's lack is said."""
    report = await asked(a_furnished_sight())
    assert bad(report) == []
    names = [each.name for each in report.figures if each.member == "demo-2"]
    assert names == ["server certificate", "peer certificate", "CA", "client port", "peer port"]
    (peer,) = (each for each in report.figures if (each.name, each.member) == (names[1], "demo-2"))
    assert peer.text == (
        "/etc/etcd/peer.crt: 365 days left; CN=demo-2 of CN=etcd-signer, for 10.0.0.2, 127.0.0.1, "
        "demo-2, demo-2.invalid, as client and server; key 0600 root"
    )
    assert report.headline == "demo: certificates of 3 of 3 hosts, nothing is wrong"
    assert report.figures[-1].text.startswith("no host that answered has /etc/etcd/ca/ca.key")


def ends_soon(sight: FakeSight) -> None:
    show(sight.hosts.machines["demo-2"], PEER, issued("demo-2", "10.0.0.2", days=29, at_s=NOW_S))
    load(sight, "demo-2")


def has_ended(sight: FakeSight) -> None:
    show(sight.hosts.machines["demo-2"], PEER, issued("demo-2", "10.0.0.2", days=-2, at_s=NOW_S))
    load(sight, "demo-2")


def is_anothers(sight: FakeSight) -> None:
    show(sight.hosts.machines["demo-2"], PEER, issued("demo-20", "10.0.0.20", at_s=NOW_S))
    load(sight, "demo-2")


def of_another_ca(sight: FakeSight) -> None:
    pair = issued("demo-2", "10.0.0.2", at_s=NOW_S, by="another")
    show(sight.hosts.machines["demo-2"], PEER, pair)
    load(sight, "demo-2")


def with_anothers_key(sight: FakeSight) -> None:
    key = issued("demo-3", "10.0.0.3", at_s=NOW_S).key
    sight.hosts.machines["demo-2"].files.put(PEER.key, key, 0o600)


def with_an_open_key(sight: FakeSight) -> None:
    sight.hosts.machines["demo-2"].files.file(PEER.key).mode = 0o644


def without_key(sight: FakeSight) -> None:
    sight.hosts.machines["demo-2"].files.remove(PEER.key)


def missing(sight: FakeSight) -> None:
    sight.hosts.machines["demo-2"].files.remove(PEER.cert)


def renewed_and_not_loaded(sight: FakeSight) -> None:
    show(sight.hosts.machines["demo-2"], PEER, issued("demo-2", "10.0.0.2", days=900, at_s=NOW_S))


def without_openssl(sight: FakeSight) -> None:
    del sight.hosts.machines["demo-2"].programs["openssl"]


def off(sight: FakeSight) -> None:
    sight.hosts.machines["demo-2"].power_off()


def with_a_key_that_signs(sight: FakeSight, by: str = SIGNER, mode: int = 0o600) -> None:
    place = layout(Platform.ETCD).authority
    files = sight.hosts.machines["demo-2"].files
    files.put(place.cert, authority(by).pem)
    files.put(place.key, authority_key(by), mode)


WRONG: dict[str, tuple[Callable[[FakeSight], None], str, str]] = {
    "ends soon": (ends_soon, "peer certificate", "29 days left (R17)"),
    "has ended": (has_ended, "peer certificate", "expired 1 days ago (R17)"),
    "is another's": (is_anothers, "peer certificate", "not for demo-2.invalid (R17)"),
    "of another CA": (of_another_ca, "peer certificate", "not of the CA in /etc/etcd/ca.crt"),
    "another's key": (with_anothers_key, "peer certificate", "/etc/etcd/peer.key is another's key"),
    "an open key": (with_an_open_key, "peer certificate", "its key has mode 0644, so that others"),
    "no key": (without_key, "peer certificate", "/etc/etcd/peer.key is missing"),
    "no file": (missing, "peer certificate", "/etc/etcd/peer.crt is missing or no certificate"),
    "not loaded": (renewed_and_not_loaded, "peer port", "shows another certificate than /etc/etcd"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_is_wrong(name: str) -> None:
    """It is the only thing, and is said with what it is about."""
    spoil, what, words = WRONG[name]
    sight = a_furnished_sight()
    spoil(sight)
    report = await asked(sight)
    (figure,) = bad(report)
    assert (figure.name, figure.member) == (what, "demo-2")
    assert words in figure.text
    assert figure.level in {Level.WARN, Level.CRITICAL}


async def test_a_spare_without_certificates() -> None:
    """Nothing is wrong with it; what makes them is named."""
    sight = a_sight()
    certify(sight)
    figures = [each for each in (await asked(sight)).figures if each.member == "demo-4"]
    assert [(each.name, each.level) for each in figures] == [("certificates", Level.INFO)]
    assert figures[0].text == "none yet, and no member: /etcd certs issue demo-4 makes them"


async def test_what_could_not_be_seen() -> None:
    """A host that is off, and one without openssl, are unknown and not fine."""
    sight = a_furnished_sight()
    without_openssl(sight)
    figures = bad(await asked(sight))
    assert {each.level for each in figures} == {Level.UNKNOWN}
    assert "openssl there cannot read /etc/etcd/peer.key" in figures[-1].text
    sight = a_furnished_sight()
    off(sight)
    sight.demo.members[MemberName("demo-2")].condition = Condition.OFF
    (figure,) = bad(await asked(sight))
    assert (figure.level, figure.member, figure.name) == (Level.UNKNOWN, "demo-2", "host")


@pytest.mark.parametrize(
    ("by", "mode", "words"),
    [
        (SIGNER, 0o600, "/etc/etcd/ca/ca.key: signs here"),
        (SIGNER, 0o644, "its key has mode 0644"),
        ("another", 0o600, "/etc/etcd/ca/ca.crt is not the CA that is trusted here"),
    ],
)
async def test_the_key_that_signs(by: str, mode: int, words: str) -> None:
    """Where it lies, and what is wrong with it."""
    sight = a_furnished_sight()
    with_a_key_that_signs(sight, by, mode)
    (figure,) = (each for each in (await asked(sight)).figures if each.name == "CA key")
    assert figure.member == "demo-2"
    assert words in figure.text


async def test_clients_certificates_of_kubespray() -> None:
    """They lie in the same folder, and are looked at too; a key need not be there."""
    sight = a_furnished_sight()
    cluster = replace(sight.inventory.clusters[DEMO], platform=Platform.KUBESPRAY)
    sight.inventory = Inventory({DEMO: cluster}, retention=sight.inventory.retention)
    furnish(sight)
    for host in cluster.hosts:
        machine = sight.hosts.machines[host.name]
        admin = layout(Platform.KUBESPRAY).certificates(host.name).admin
        assert admin is not None
        show(machine, admin, issued(host.name, host.address, at_s=NOW_S))
    folder, node = "/etc/ssl/etcd/ssl", issued("node-7", "10.0.0.7", days=3, at_s=NOW_S)
    sight.hosts.machines["demo-1"].files.put(f"{folder}/node-node-7.pem", node.certificate)
    (figure,) = bad(await asked(sight))
    assert figure.name == "node-node-7 certificate"
    assert "3 days left (R17)" in figure.text
