"""Certificates of a host that is to get a member: what is made in the same run, and refused."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import pytest

from bot.targets.etcd.model import Condition
from bot.targets.ssh.model import FakeMachine, Say
from procedures.catalogue import INQUIRIES
from procedures.etcd.preflight import Args
from procedures.model import certificate
from procedures.model.errors import Refused
from procedures.model.ids import ClusterName, MemberName
from procedures.model.inventory import Platform
from procedures.model.report import HostsReport, Level
from procedures.model.run import State
from tests.support import openssl_ca
from tests.support.certified import certified, certify, give
from tests.support.furnishing import at_home
from tests.support.openssl_ca import Wanted, ca, cert, key_of, pem
from tests.support.sight import FakeSight
from tests.support.theatre import Theatre, a_theatre
from tests.unit.procedures.plans.case import planned

PEER, CA_KEY = "/etc/etcd/peer", "/etc/etcd/ca/ca.key"
NAMES = ("10.0.0.4", "demo-4", "127.0.0.1")
Spoil = Callable[[FakeSight], None]


def made(
    procedure: str, args: Mapping[str, str], *spoil: Spoil, platform: Platform = Platform.ETCD
) -> Theatre:
    """A cluster with a CA that can sign, and a spare without certificates."""
    theatre = a_theatre(procedure, args)
    certified(platform)(theatre)
    for each in spoil:
        each(theatre.sight)
    return theatre


async def succeeded(theatre: Theatre) -> Theatre:
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    return theatre


def spare(sight: FakeSight) -> FakeMachine:
    return sight.hosts.machines["demo-4"]


def has_peer(
    wanted: Wanted, seed: str = "demo-4 /etc/etcd/peer.key", by: str = "etcd-signer"
) -> Spoil:
    """Let the spare have certificates that fit, and this peer certificate."""

    def act(sight: FakeSight) -> None:
        give(spare(sight), Platform.ETCD, "10.0.0.4")
        spare(sight).files.put(f"{PEER}.crt", cert(wanted, seed, by=by))

    return act


def has_key(content: bytes, mode: int = 0o600) -> Spoil:
    """Let the spare have certificates that fit, and this in the place of a key."""

    def act(sight: FakeSight) -> None:
        give(spare(sight), Platform.ETCD, "10.0.0.4")
        spare(sight).files.put(f"{PEER}.key", content, mode)

    return act


def lacks_key(sight: FakeSight) -> None:
    give(spare(sight), Platform.ETCD, "10.0.0.4")
    spare(sight).files.remove(f"{PEER}.key")


def copied_as(owner: str, mode: int = 0o600) -> Spoil:
    """Let etcd run as a user of its own, and a key be somebody's."""

    def act(sight: FakeSight) -> None:
        give(spare(sight), Platform.ETCD, "10.0.0.4")
        spare(sight).units["etcd.service"].user = "etcd"
        spare(sight).files.folder("/var/lib/etcd").owner = "etcd"
        key = spare(sight).files.file(f"{PEER}.key")
        key.owner, key.mode = owner, mode

    return act


def nobody_signs(sight: FakeSight) -> None:
    sight.hosts.machines["demo-1"].files.remove(CA_KEY)


def down(sight: FakeSight) -> None:
    sight.demo.members[MemberName("demo-3")].condition = Condition.STOPPED


OWN_KEY = pem(key_of("demo-4 /etc/etcd/peer.key"))
WRONG: dict[str, tuple[Spoil, str]] = {
    "another's key": (has_key(pem(key_of("other"))), r"/etc/etcd/peer\.key is another's key"),
    "half a key": (has_key(OWN_KEY[:60]), r"openssl there cannot read /etc/etcd/peer\.key"),
    "an empty key": (has_key(b""), r"openssl there cannot read /etc/etcd/peer\.key"),
    "no key": (lacks_key, r"/etc/etcd/peer\.key is missing"),
    "no name": (has_peer(Wanted("demo-4", NAMES[:1])), r"peer\.crt: not for demo-4 \(R17\)"),
    "no address": (has_peer(Wanted("demo-4", NAMES[1:])), r"peer\.crt: not for 10\.0\.0\.4 \(R17"),
    "a server's only": (
        has_peer(Wanted("demo-4", NAMES, ("server",))),
        r"peer\.crt: not good as client",
    ),
    "a client's only": (
        has_peer(Wanted("demo-4", NAMES, ("client",))),
        r"peer\.crt: not good as server",
    ),
    "another's certificate": (
        has_peer(Wanted("demo-40", ("10.0.0.40", "demo-40")), "demo-40"),
        r"not for 10\.0\.0\.4, not for demo-4, /etc/etcd/peer\.key is another's key",
    ),
    "a key that etcd may not read": (
        copied_as("root"),
        r"etcd, as whom etcd runs, may not read /etc/etcd/peer\.key \(0600, root\) \(R17\)",
    ),
    "another CA's": (
        has_peer(Wanted("demo-4", NAMES), by="another"),
        r"peer\.crt: not of the CA in /etc/etcd/ca\.crt",
    ),
    "one that ends soon": (
        has_peer(Wanted("demo-4", NAMES, ends=datetime(2023, 12, 1, tzinfo=UTC))),
        r"peer\.crt: ends 2023-12-01, and 30 days are needed \(R17",
    ),
    "one that has ended": (
        has_peer(Wanted("demo-4", NAMES, ends=datetime(2023, 1, 1, tzinfo=UTC))),
        r"peer\.crt: ends 2023-01-01 \(R17\)",
    ),
    "none at all": (lambda _: None, r"it has no certificates for a member"),
}


@pytest.mark.parametrize("procedure", ["etcd scale-up", "etcd replace"])
@pytest.mark.parametrize("name", WRONG)
async def test_what_is_refused_where_nobody_signs(name: str, procedure: str) -> None:
    """Before anybody is asked, and before a member goes: with what is wrong, and what helps."""
    spoil, words = WRONG[name]
    args = {"member": "demo-3"} if procedure == "etcd replace" else {}
    theatre = made(procedure, args, spoil, nobody_signs)
    with pytest.raises(Refused, match=words) as refused:
        await planned(theatre)
    assert "a new CA is never made (R17)" in str(refused.value)
    assert "/etcd certs issue demo-4" in str(refused.value)


@pytest.mark.parametrize("name", WRONG)
async def test_what_is_wrong_is_made_anew_where_somebody_signs(name: str) -> None:
    """In the same run, before the old member goes; the new one can use them."""
    theatre = await succeeded(made("etcd replace", {"member": "demo-3"}, WRONG[name][0], down))
    files = spare(theatre.sight).files
    leaf = certificate.read(files.file(f"{PEER}.crt").content)
    assert leaf is not None
    assert {"10.0.0.4", "demo-4"} <= leaf.names
    assert leaf.purposes == {"client", "server"}
    assert certificate.key_belongs(leaf, files.file(f"{PEER}.key").content)
    assert set(theatre.members()) == {"demo-1", "demo-2", "demo-4"}


GOOD: dict[str, Spoil] = {
    "all that is needed": has_peer(Wanted("demo-4", NAMES)),
    "a key of the user that runs etcd": copied_as("etcd"),
    "a key that a group can read": copied_as("root", 0o640),
    "a key that others can read": has_key(OWN_KEY, 0o644),
}


@pytest.mark.parametrize("name", GOOD)
async def test_what_is_fit_stays(name: str) -> None:
    """Nothing is made, and nobody has to sign."""
    plan = await planned(made("etcd scale-up", {}, GOOD[name], nobody_signs))
    assert not any("key" in each.title or "certificates" in each.title for each in plan.steps)


def test_a_wildcard_stands_for_one_part() -> None:
    """As TLS has it: no more, and never for an address."""
    leaf = certificate.read(cert(Wanted("x", ("*.example.com", "::1", "10.0.0.4")), "x"))
    assert leaf is not None
    fits = [leaf.is_for(each) for each in ("a.example.com", "0:0::1", "10.0.0.4")]
    others = [leaf.is_for(each) for each in ("a.b.example.com", "example.com", "com", "1.0.0.4")]
    assert (fits, others) == ([True] * 3, [False] * 4)


@pytest.mark.parametrize("healthy", [True, False])
async def test_they_come_before_anything_is_removed_or_added(*, healthy: bool) -> None:
    """What cannot be signed must not leave a cluster with one member less."""
    theatre = made("etcd replace", {"member": "demo-3"}, *([] if healthy else [down]))
    kinds = [each.action for each in (await planned(theatre)).steps]
    placed = kinds.index("host.place-certificates/1")
    assert kinds.index("host.make-keys/1") < kinds.index("host.sign-certificates/1") < placed
    assert placed < min(kinds.index("etcd.add-member/1"), kinds.index("etcd.remove-member/1"))


async def test_what_is_signed_wrongly_costs_no_member() -> None:
    """The run ends with all members that there were, and nothing in place."""

    async def forgetful(at: FakeMachine, argv: Sequence[str], stdin: bytes, say: Say) -> int:
        words = ["SAN=DNS:demo-9" if each.startswith("SAN=") else each for each in argv]
        return await openssl_ca.openssl(at, words, stdin, say)

    theatre = made("etcd replace", {"member": "demo-3"}, down)
    theatre.sight.hosts.machines["demo-1"].programs["env"] = forgetful
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "is not used: it is not for 10.0.0.4" in str(theatre.run.error)
    assert set(theatre.members()) == {"demo-1", "demo-2", "demo-3"}
    assert f"{PEER}.crt" not in spare(theatre.sight).files.nodes


async def test_a_machine_that_was_set_up_anew_under_its_old_name() -> None:
    """The dead member's own host is no model for itself; its names are its own again."""

    def anew(sight: FakeSight) -> None:
        down(sight)
        sight.hosts.machines["demo-3"].units["etcd.service"].active = "inactive"
        for path in ("ca.crt", "peer.crt", "peer.key", "server.crt", "server.key", "etcd.conf"):
            sight.hosts.machines["demo-3"].files.remove(f"/etc/etcd/{path}")

    args = {"member": "demo-3", "with_": "demo-3"}
    theatre = made("etcd replace", args)
    at_home(theatre)
    certify(theatre.sight)
    anew(theatre.sight)
    await succeeded(theatre)
    files = theatre.sight.hosts.machines["demo-3"].files
    leaf = certificate.read(files.file(f"{PEER}.crt").content)
    assert leaf is not None
    assert leaf.names >= {"10.0.0.3", "demo-3"}


async def test_a_spare_of_another_ca_gets_that_of_the_members() -> None:
    """Its own fit each other, and no member would trust them."""

    def foreign(sight: FakeSight) -> None:
        give(spare(sight), Platform.ETCD, "10.0.0.4", by="another")

    theatre = await succeeded(made("etcd scale-up", {}, foreign))
    assert spare(theatre.sight).files.file("/etc/etcd/ca.crt").content == ca()


async def test_they_go_where_the_members_have_theirs() -> None:
    """The configuration is made from a member's, and so are the places of files."""

    def elsewhere(sight: FakeSight) -> None:
        for name in ("demo-1", "demo-2", "demo-3"):
            files = sight.hosts.machines[name].files
            files.folder("/etc/etcd/tls")
            for each in ("peer.crt", "peer.key", "server.crt", "server.key"):
                files.copy(f"/etc/etcd/{each}", f"/etc/etcd/tls/{each}")
            text = files.text("/etc/etcd/etcd.conf")
            lines = "".join(
                f"ETCD_{prefix}{kind.upper()}_FILE=/etc/etcd/tls/{stem}.{end}\n"
                for prefix, stem in (("", "server"), ("PEER_", "peer"))
                for kind, end in (("cert", "crt"), ("key", "key"))
            )
            files.put("/etc/etcd/etcd.conf", f"{text}{lines}")
        spare(sight).files.folder("/etc/etcd/tls")

    theatre = await succeeded(made("etcd scale-up", {}, elsewhere))
    files = spare(theatre.sight).files
    assert files.get("/etc/etcd/tls/peer.key") is not None
    assert "/etc/etcd/tls/peer.key" in files.text("/etc/etcd/etcd.conf")
    assert files.get(f"{PEER}.key") is None


def keeper_off(sight: FakeSight) -> None:
    sight.hosts.machines["demo-1"].power_off()
    sight.demo.members[MemberName("demo-1")].condition = Condition.OFF


def ends_first(sight: FakeSight) -> None:
    short = ca(ends=datetime(2024, 11, 14, tzinfo=UTC))
    sight.hosts.machines["demo-1"].files.put("/etc/etcd/ca/ca.crt", short)


def lacks(program: str) -> Spoil:
    async def nobody(_: FakeMachine, __: Sequence[str], ___: bytes, ____: Say) -> int:
        return 127

    def act(sight: FakeSight) -> None:
        spare(sight).programs[program] = nobody

    return act


UNSIGNED: dict[str, tuple[str, Spoil, str]] = {
    "a dead keeper of the CA": (
        "demo-1",
        keeper_off,
        r"\(R17\)\. demo-1 cannot be reached\. Put the CA's certificate and key on one of the",
    ),
    "a CA that ends first": ("demo-3", ends_first, r"Ask for --days 36\d at most, .* takes --days"),
    "no such user": ("demo-3", lacks("id"), "demo-4 has no user etcd, .* install etcd there first"),
    "no openssl": ("demo-3", lacks("openssl"), "demo-4 has no openssl, which makes the keys"),
}


@pytest.mark.parametrize("name", UNSIGNED)
async def test_why_none_can_be_made(name: str) -> None:
    """It is said beside what is wrong."""
    member, spoil, words = UNSIGNED[name]
    with pytest.raises(Refused, match=f"no certificates for a member .*{words}"):
        await planned(made("etcd replace", {"member": member}, spoil))


async def test_what_could_not_be_seen_is_not_made_anew() -> None:
    """A host that falls silent has no wrong certificates."""

    def silent(sight: FakeSight) -> None:
        give(spare(sight), Platform.ETCD, "10.0.0.4")

        async def cut(at: FakeMachine, _: Sequence[str], __: bytes, ___: Say) -> int:
            at.reachable = False
            return 0

        spare(sight).programs["df"] = cut

    with pytest.raises(Refused, match="demo-4"):
        await planned(made("etcd scale-up", {}, silent))


@pytest.mark.parametrize("signs", [True, False])
async def test_what_preflight_says(*, signs: bool) -> None:
    """That they are made, or what stands against it."""
    theatre = made("etcd scale-up", {}, *([] if signs else [nobody_signs]))
    ask = INQUIRIES["etcd preflight"].ask
    (report,) = [each async for each in ask(Args(ClusterName("demo")), theatre.sight)]
    assert isinstance(report, HostsReport)
    (figure,) = (each for each in report.figures if each.name == "certificates")
    if signs:
        assert figure.level is Level.INFO
        assert figure.text.endswith("; a scale-up makes new ones, signed on demo-1")
    else:
        assert figure.level is Level.CRITICAL
        assert "a new CA is never made (R17)" in figure.text
