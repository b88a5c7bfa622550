"""Making certificates: what is refused, what comes out, and what becomes of what does not fit."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import pytest

from bot.targets.etcd.model import Condition
from bot.targets.ssh.model import FakeMachine, Say
from procedures.model import certificate
from procedures.model.certificate import Leaf
from procedures.model.errors import QuorumbotError, Refused, UsageError
from procedures.model.events import CancelAsked
from procedures.model.ids import MemberName
from procedures.model.inventory import Cluster, Platform
from procedures.model.probe import Certificates
from procedures.model.run import State
from tests.support import openssl_ca
from tests.support.certified import ReadingFiles, certified, give, keep_authority
from tests.support.openssl_ca import RECORD, Wanted, ca, cert, key_of, pem
from tests.support.sight import FakeSight
from tests.support.theatre import BOB, Theatre, a_theatre
from tests.unit.procedures.plans.case import planned

RENEW, ISSUE = "etcd certs renew", "etcd certs issue"
ALL = ("demo-1", "demo-2", "demo-3")
SERVER, PEER = "/etc/etcd/server", "/etc/etcd/peer"
Spoil = Callable[[FakeSight], None]


def made(
    procedure: str,
    args: Mapping[str, str],
    spoil: Spoil = lambda _: None,
    platform: Platform = Platform.ETCD,
) -> Theatre:
    theatre = a_theatre(procedure, args)
    certified(platform, spoil)(theatre)
    return theatre


async def carried_out(theatre: Theatre) -> Theatre:
    await theatre.approved()
    await theatre.work()
    return theatre


def leaf(theatre: Theatre, name: str, path: str = f"{PEER}.crt") -> Leaf:
    found = certificate.read(theatre.sight.hosts.machines[name].files.file(path).content)
    assert found is not None
    return found


def machine(sight: FakeSight, name: str) -> FakeMachine:
    return sight.hosts.machines[name]


def no_key(sight: FakeSight) -> None:
    machine(sight, "demo-1").files.remove("/etc/etcd/ca/ca.key")


def keeper_off(sight: FakeSight) -> None:
    machine(sight, "demo-1").power_off()
    sight.demo.members[MemberName("demo-1")].condition = Condition.OFF


def two_keys(sight: FakeSight) -> None:
    keep_authority(machine(sight, "demo-3"), Platform.ETCD)


def anothers_key(sight: FakeSight) -> None:
    machine(sight, "demo-1").files.put("/etc/etcd/ca/ca.key", pem(key_of("another")), 0o600)


def key_with_password(sight: FakeSight) -> None:
    machine(sight, "demo-1").files.put("/etc/etcd/ca/ca.key", "locked", 0o600)


def another_ca(sight: FakeSight) -> None:
    keep_authority(machine(sight, "demo-1"), Platform.ETCD, "another")


def one_trusts_another(sight: FakeSight) -> None:
    machine(sight, "demo-3").files.put("/etc/etcd/ca.crt", ca("another"))


def ends_first(sight: FakeSight) -> None:
    short = ca(ends=datetime(2024, 11, 14, tzinfo=UTC))
    machine(sight, "demo-1").files.put("/etc/etcd/ca/ca.crt", short)


def no_settings(sight: FakeSight) -> None:
    machine(sight, "demo-1").files.remove("/etc/etcd/ca/openssl.cnf")


def no_name_twice(sight: FakeSight) -> None:
    machine(sight, "demo-1").files.put("/etc/etcd/ca/index.txt.attr", "unique_subject = yes\n")


def no_word(sight: FakeSight) -> None:
    machine(sight, "demo-1").files.put("/etc/etcd/ca/openssl.cnf", "# unique_subject = no\n")


def one_down(sight: FakeSight) -> None:
    sight.demo.members[MemberName("demo-3")].condition = Condition.STOPPED


def host_off(sight: FakeSight) -> None:
    machine(sight, "demo-2").power_off()
    sight.demo.members[MemberName("demo-2")].condition = Condition.RUNNING


def is_anothers(sight: FakeSight) -> None:
    wanted = Wanted("demo-20", ("10.0.0.20", "demo-20", "127.0.0.1"))
    machine(sight, "demo-2").files.put(f"{PEER}.crt", cert(wanted, "another"))


def is_none(sight: FakeSight) -> None:
    machine(sight, "demo-2").files.put(f"{SERVER}.crt", "-")


def strange_name(sight: FakeSight) -> None:
    wanted = Wanted("demo-2", ("10.0.0.2", "a$(reboot)"))
    machine(sight, "demo-2").files.put(f"{PEER}.crt", cert(wanted, "demo-2 /etc/etcd/peer.key"))


def elsewhere(sight: FakeSight) -> None:
    files = machine(sight, "demo-2").files
    files.put(
        "/etc/etcd/etcd.conf",
        f"{files.text('/etc/etcd/etcd.conf')}ETCD_PEER_CERT_FILE=/opt/peer.crt\n",
    )
    files.copy(f"{PEER}.crt", "/opt/peer.crt")


def with_opt(sight: FakeSight) -> None:
    machine(sight, "demo-2").files.folder("/opt")
    elsewhere(sight)


REFUSALS: dict[str, tuple[Spoil, str]] = {
    "no key": (no_key, r"has /etc/etcd/ca/ca\.key, so nothing .* a new CA is never made \(R17\)"),
    "two keys": (two_keys, r"is on demo-1 and demo-3, .* Move /etc/etcd/ca away from the others"),
    "another's key": (anothers_key, r"ca\.key on demo-1 is not the key of /etc/etcd/ca/ca\.crt"),
    "a key with a password": (key_with_password, r"ca\.key on demo-1 cannot be read beside"),
    "another CA": (another_ca, r"/etc/etcd/ca\.crt on demo-1 does not trust the CA in"),
    "one trusts another": (one_trusts_another, r"ca\.crt on demo-3 does not trust the CA in"),
    "a CA that ends first": (
        ends_first,
        r"ends 2024-11-14, before a certificate of 1825 days would \(R17\)\. Ask for --days 36",
    ),
    "no settings of the CA": (no_settings, r"/etc/etcd/ca/openssl\.cnf is missing on demo-1"),
    "no name twice": (no_name_twice, r"signs no name twice: set unique_subject = no"),
    "no word on names": (no_word, "signs no name twice"),
    "a member that is down": (one_down, r"demo-3 must be healthy first \(R10\)"),
    "a host that is off": (host_off, "demo-2 cannot be reached, so nothing can be done there"),
    "another's certificate": (is_anothers, r"peer\.crt is another's: it is for 10\.0\.0\.20, "),
    "no certificate": (is_none, r"/etc/etcd/server\.crt is missing or unreadable"),
    "a name that is none": (strange_name, r"'a\$\(reboot\)' is no name for a certificate"),
    "in another folder": (with_opt, r"lie in several folders; /opt/peer\.crt is not written by"),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_what_is_not_renewed(name: str) -> None:
    """Before anybody is asked, with what stands against it."""
    spoil, words = REFUSALS[name]
    with pytest.raises(Refused, match=words):
        await planned(made(RENEW, {}, spoil))


@pytest.mark.parametrize("days", ["0", "-1", "many", "1e3", "100000"])
async def test_days_that_are_none(days: str) -> None:
    """They are refused as what they are."""
    with pytest.raises(UsageError, match="--days takes a number of days"):
        await planned(made(RENEW, {"days": days}))


async def test_all_have_new_ones() -> None:
    """Of new keys, for what the former ones were for, with their owner; the CA has a record."""
    theatre = made(RENEW, {})
    before = {name: leaf(theatre, name) for name in ALL}
    await carried_out(theatre)
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    for name in ALL:
        files, now = machine(theatre.sight, name).files, leaf(theatre, name)
        assert now.key != before[name].key
        assert (now.common_name, now.issuer) == (before[name].common_name, before[name].issuer)
        assert now.names >= before[name].names
        assert certificate.key_belongs(now, files.file(f"{PEER}.key").content)
        key = files.file(f"{PEER}.key")
        assert (key.mode, key.owner, key.group) == (0o600, "etcd", "etcd")
        kept = files.file("/etc/etcd/quorumbot-r-00000001/old/peer.crt").content
        assert certificate.read(kept) == before[name]
    record = machine(theatre.sight, "demo-1").files.text(RECORD)
    assert record.count("\n") == 6
    starts = [unit[1] for name, unit in theatre.units().items() if name in ALL]
    assert starts == [1, 1, 1]


async def test_keys_stay_on_their_hosts() -> None:
    """None is on another machine, in the plan, or in what was said."""
    theatre = made(RENEW, {})
    await theatre.approved()
    pen = await theatre.work()
    for name in ALL:
        key = machine(theatre.sight, name).files.file(f"{PEER}.key").content
        for other, at in theatre.sight.hosts.machines.items():
            nodes = (getattr(node, "content", b"") for node in at.files.nodes.values())
            assert (key in nodes) is (other == name)
    assert "PRIVATE KEY" not in repr(theatre.entries) + "".join(pen.said)


async def test_the_ca_of_kubespray_may_be_on_several_hosts() -> None:
    """Its key alone signs: the first host that has it does."""

    def on_all(sight: FakeSight) -> None:
        for name in ("demo-2", "demo-3"):
            keep_authority(machine(sight, name), Platform.KUBESPRAY)

    theatre = made(RENEW, {"host": "demo-3"}, on_all, Platform.KUBESPRAY)
    assert "signed on demo-1" in (await planned(theatre)).steps[1].title
    await carried_out(theatre)
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error


async def test_a_key_that_a_group_may_read_stays_so() -> None:
    """Where it is root's, whoever runs etcd has no other way; nobody else gets one."""

    def open_keys(sight: FakeSight) -> None:
        for path, owner, mode in ((SERVER, "root", 0o640), (PEER, "etcd", 0o644)):
            key = machine(sight, "demo-2").files.file(f"{path}.key")
            key.owner, key.mode = owner, mode

    theatre = await carried_out(made(RENEW, {"host": "demo-2"}, open_keys))
    files = machine(theatre.sight, "demo-2").files
    assert (files.file(f"{SERVER}.key").mode, files.file(f"{PEER}.key").mode) == (0o640, 0o600)


async def test_what_etcd_cannot_use_is_put_back() -> None:
    """Its ports show it before anything is restarted; the former files are there again."""
    theatre = made(RENEW, {"host": "demo-2"})
    files = machine(theatre.sight, "demo-2").files
    before = {path: files.file(path).content for path in (f"{PEER}.crt", f"{PEER}.key")}
    theatre.sight.etcd = StuckToItsFiles(theatre.sight)
    await carried_out(theatre)
    assert theatre.run.state is State.FAILED
    assert "The former ones are in place again, and nothing was restarted" in str(theatre.run.error)
    assert {path: files.file(path).content for path in before} == before
    assert theatre.units()["demo-2"] == ("active", 0)


async def test_an_end_that_is_asked_for_meanwhile_leaves_no_bad_files() -> None:
    """While its ports are looked at: what etcd cannot use is put back all the same."""
    theatre = made(RENEW, {"host": "demo-2"})
    files = machine(theatre.sight, "demo-2").files
    before = files.file(f"{PEER}.crt").content
    theatre.sight.etcd = StuckToItsFiles(theatre.sight)
    await theatre.approved()

    def ask() -> None:
        if theatre.run.cancel_asked is None and files.file(f"{PEER}.crt").content != before:
            theatre.append(CancelAsked(BOB))

    theatre.sight.clock.on_sleep = ask
    await theatre.work()
    assert theatre.run.cancel_asked is not None
    assert files.file(f"{PEER}.crt").content == before
    assert "The former ones are in place again" in str(theatre.run.error)


class StuckToItsFiles(ReadingFiles):
    """Members that show what they had at first."""

    async def certificates(
        self, cluster: Cluster, ports: Mapping[str, str | None]
    ) -> Mapping[str, Certificates]:
        return await super(ReadingFiles, self).certificates(cluster, ports)


async def test_a_certificate_that_was_signed_for_another_is_not_used() -> None:
    """What the CA makes of a request is looked at before anything is replaced."""

    async def forgetful(at: FakeMachine, argv: Sequence[str], stdin: bytes, say: Say) -> int:
        words = ["SAN=DNS:demo-9" if each.startswith("SAN=") else each for each in argv]
        return await openssl_ca.openssl(at, words, stdin, say)

    theatre = made(RENEW, {})
    machine(theatre.sight, "demo-1").programs["env"] = forgetful
    before = {name: leaf(theatre, name) for name in ALL}
    await carried_out(theatre)
    assert theatre.run.state is State.FAILED
    assert "demo-1-server.crt, which demo-1 has signed, is not used: it is not for 10.0.0.1" in str(
        theatre.run.error
    )
    assert {name: leaf(theatre, name) for name in ALL} == before


async def test_what_was_replaced_meanwhile_stays() -> None:
    """Somebody was quicker: his certificate is not overwritten."""
    theatre = made(RENEW, {"host": "demo-2"})
    await theatre.approved()
    wanted = Wanted("demo-2", ("10.0.0.2", "demo-2", "demo-2.invalid"))
    theirs = cert(wanted, "demo-2 /etc/etcd/peer.key")
    machine(theatre.sight, "demo-2").files.put(f"{PEER}.crt", theirs)
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "/etc/etcd/peer.crt on demo-2 is another one than when" in str(theatre.run.error)
    assert machine(theatre.sight, "demo-2").files.file(f"{PEER}.crt").content == theirs


async def test_a_spare_gets_what_it_needs() -> None:
    """Of the same CA and owner as members' ones; it is fit for a member then."""
    theatre = await carried_out(made(ISSUE, {"host": "demo-4"}))
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    now = leaf(theatre, "demo-4")
    assert now.names == {"10.0.0.4", "127.0.0.1", "demo-4", "localhost"}
    key = machine(theatre.sight, "demo-4").files.file(f"{PEER}.key")
    assert (key.mode, key.owner) == (0o600, "etcd")
    with pytest.raises(Refused, match="has certificates that are fit for a member"):
        await planned(theatre)


def lacks_user(sight: FakeSight) -> None:
    async def nobody(_: FakeMachine, __: Sequence[str], ___: bytes, ____: Say) -> int:
        return 1

    machine(sight, "demo-4").programs["id"] = nobody


def runs(sight: FakeSight) -> None:
    machine(sight, "demo-4").units["etcd.service"].active = "active"


NOT_ISSUED: dict[str, tuple[str, Spoil, str]] = {
    "a member's host": ("demo-2", lambda _: None, r"made anew by /etcd certs renew demo-2"),
    "no host": ("demo-9", lambda _: None, "There is no host 'demo-9'. The hosts are demo-1, "),
    "an etcd runs": ("demo-4", runs, "An etcd runs on demo-4"),
    "no such user": ("demo-4", lacks_user, "demo-4 has no user etcd"),
    "no key of the CA": ("demo-4", no_key, r"a new CA is never made \(R17\)"),
    "the CA's host is off": ("demo-4", keeper_off, r"\(R17\)\. demo-1 cannot be reached\. Put"),
}


@pytest.mark.parametrize("name", NOT_ISSUED)
async def test_what_is_not_issued(name: str) -> None:
    """With the reason, and the other command where there is one."""
    host, spoil, words = NOT_ISSUED[name]
    with pytest.raises(QuorumbotError, match=words):
        await planned(made(ISSUE, {"host": host}, spoil))


async def test_a_spare_in_the_place_of_a_dead_member() -> None:
    """What could not be seen of the dead one's host is said, and does not keep it from one."""

    def dead(sight: FakeSight) -> None:
        machine(sight, "demo-3").power_off()
        sight.demo.members[MemberName("demo-3")].condition = Condition.OFF

    facts = "\n".join((await planned(made(ISSUE, {"host": "demo-4"}, dead))).facts)
    assert "Whether demo-3 trusts that CA could not be seen" in facts


async def test_a_spare_of_another_ca_gets_new_ones() -> None:
    """Its certificates fit its own CA, which no member trusts."""

    def foreign(sight: FakeSight) -> None:
        give(machine(sight, "demo-4"), Platform.ETCD, "10.0.0.4", by="another")

    theatre = await carried_out(made(ISSUE, {"host": "demo-4"}, foreign))
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert leaf(theatre, "demo-4").issuer == "CN=etcd-signer"
    files = machine(theatre.sight, "demo-4").files
    assert files.file("/etc/etcd/ca.crt").content == ca()
