"""What a reader of etcd says, in every condition of the cluster that matters."""

import asyncio
import time
from dataclasses import replace

import pytest

from procedures.model.ids import MemberId, MemberName
from procedures.model.inventory import Cluster
from procedures.model.probe import (
    Certificate,
    Fault,
    FaultKind,
    HashKv,
    MemberProbe,
    Metrics,
    Read,
    Status,
    Versions,
)
from tests.contract.etcd.worlds import DEADLINE_MS, ONE, THREE, TWO, World
from tests.support.waiting import eventually

SLACK_MS = 3_000


async def ask(world: World, cluster: Cluster | None = None) -> dict[MemberName, MemberProbe]:
    """Sample once, and check what holds for every sample: it takes one deadline at most."""
    cluster = cluster or world.cluster
    began = time.monotonic()
    sample = await world.reader.sample(cluster)
    assert (time.monotonic() - began) * 1000 < cluster.deadline_ms + SLACK_MS
    assert [probe.expected for probe in sample.probes] == list(cluster.endpoints)
    assert [probe.endpoint for probe in sample.probes] == list(cluster.endpoints.values())
    return {MemberName(str(probe.expected)): probe for probe in sample.probes}


def is_healthy(probe: MemberProbe) -> bool:
    return (
        isinstance(probe.status, Status)
        and isinstance(probe.read, Read)
        and probe.read.linearizable
        and isinstance(probe.members, tuple)
        and probe.alarms == ()
    )


def fault(probe: MemberProbe) -> Fault:
    """The one fault of a member that could not be asked at all."""
    assert isinstance(probe.status, Fault)
    assert probe.status == probe.read == probe.members == probe.alarms
    assert probe.status.message.endswith(".")
    return probe.status


def status(probe: MemberProbe) -> Status:
    assert isinstance(probe.status, Status), probe.status
    return probe.status


async def test_healthy(world: World) -> None:
    """Three healthy members agree about the cluster, and each speaks for itself."""
    probes = await ask(world)
    assert all(map(is_healthy, probes.values()))
    statuses = [status(probe) for probe in probes.values()]
    assert len({one.member_id for one in statuses}) == 3
    assert len({one.cluster_id for one in statuses}) == 1
    assert len({one.leader for one in statuses}) == 1
    assert statuses[0].leader in {one.member_id for one in statuses}
    for one in statuses:
        assert not one.learner
        assert one.errors == ()
        assert one.version.startswith("3.")
        assert one.db_size >= one.db_size_in_use > 0
        assert one.raft_index >= one.raft_applied_index > 0
    listed = probes[ONE].members
    assert isinstance(listed, tuple)
    assert {row.name for row in listed} == {ONE, TWO, THREE}
    assert {row.client_urls[0] for row in listed} == set(world.cluster.endpoints.values())
    assert {row.id for row in listed} == {one.member_id for one in statuses}


async def test_extra_endpoints(world: World) -> None:
    """Extra client URLs are asked too, once, and only those that are not configured."""
    url = world.cluster.endpoints[THREE]
    configured = {ONE: world.cluster.endpoints[ONE]}
    few = replace(world.cluster, endpoints=configured)
    sample = await world.reader.sample(few, [url, configured[ONE], url])
    assert [(probe.endpoint, probe.expected) for probe in sample.probes] == [
        (configured[ONE], ONE),
        (url, None),
    ]
    assert all(map(is_healthy, sample.probes))


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_stopped_member(world: World, how: str) -> None:
    """A member that does not run refuses; the others stay healthy, and see it in their list."""
    await (world.stop(TWO) if how == "stop" else world.kill(TWO))
    await ask(world)  # the others may need a moment for an election
    probes = await ask(world)
    assert fault(probes[TWO]).kind is FaultKind.REFUSED
    assert "demo-2" in fault(probes[TWO]).message
    listed = probes[ONE].members
    assert isinstance(listed, tuple)
    assert TWO in {row.name for row in listed}


async def test_frozen_member(world: World) -> None:
    """A frozen member costs one deadline, on a new connection and on one that was in use."""
    assert is_healthy((await ask(world))[TWO])
    await world.freeze(TWO)
    for _ in range(2):
        probes = await ask(world)
        assert fault(probes[TWO]).kind is FaultKind.SILENT
    await world.thaw(TWO)
    assert is_healthy((await ask(world))[TWO])


async def test_restarted_member_is_seen_at_once(world: World) -> None:
    """No memory of a failure, nor of a connection that ended, outlives the member's return."""
    assert is_healthy((await ask(world))[TWO])
    await world.stop(TWO)
    await world.start(TWO)
    assert is_healthy((await ask(world))[TWO])
    await world.kill(TWO)
    assert fault((await ask(world))[TWO]).kind is FaultKind.REFUSED
    await world.start(TWO)
    assert is_healthy((await ask(world))[TWO])


async def test_no_quorum(world: World) -> None:
    """The survivor of three answers for itself, but no linearizable read; it knows no leader."""
    await world.kill(TWO)
    await world.kill(THREE)
    await ask(world)  # for one election timeout, the survivor may still believe in its leader
    await ask(world)
    survivor = (await ask(world))[ONE]
    assert isinstance(survivor.read, Fault)
    assert survivor.read.kind in {FaultKind.SILENT, FaultKind.SERVER}
    assert status(survivor).leader is None
    assert isinstance(survivor.members, tuple)
    assert len(survivor.members) == 3
    assert survivor.alarms == ()


async def test_all_down(world: World) -> None:
    """With all members down, each has its own fault."""
    for member in (ONE, TWO, THREE):
        await world.kill(member)
    probes = await ask(world)
    assert {fault(probe).kind for probe in probes.values()} == {FaultKind.REFUSED}


async def test_alarm(private_world: World) -> None:
    """Each member tells of the alarm of one; reads go on."""
    await private_world.fill()
    probes = await ask(private_world)
    raised = probes[THREE].alarms
    assert isinstance(raised, tuple)
    assert {alarm.kind for alarm in raised} == {"NOSPACE"}
    assert status(probes[ONE]).member_id in {alarm.member_id for alarm in raised}
    assert isinstance(probes[ONE].read, Read)
    assert any("NOSPACE" in text for text in status(probes[ONE]).errors)


async def test_alarm_without_quorum(private_world: World) -> None:
    """Alarms that were raised before the quorum was lost are still told."""
    await private_world.fill()
    await private_world.kill(TWO)
    await private_world.kill(THREE)
    survivor = (await ask(private_world))[ONE]
    assert isinstance(survivor.alarms, tuple)
    assert {alarm.kind for alarm in survivor.alarms} == {"NOSPACE"}


async def test_learner(private_world: World) -> None:
    """A learner gets a serializable read, and is not blamed for what learners do not answer."""
    await private_world.replace_by_learner(THREE)
    probes = await ask(private_world)
    learner = probes[THREE]
    assert status(learner).learner
    assert isinstance(learner.read, Read)
    assert not learner.read.linearizable
    assert isinstance(learner.members, Fault)
    assert learner.members.kind is FaultKind.SKIPPED
    assert learner.alarms == ()
    listed = probes[ONE].members
    assert isinstance(listed, tuple)
    assert [row.name for row in listed if row.learner] == [THREE]


async def test_unstarted_member(private_world: World) -> None:
    """A member that was added and never started has no name and no client URL."""
    await private_world.replace_by_unstarted(THREE)
    probes = await ask(private_world)
    assert fault(probes[THREE]).kind is FaultKind.REFUSED
    listed = probes[ONE].members
    assert isinstance(listed, tuple)
    unstarted = [row for row in listed if not row.started]
    assert len(unstarted) == 1
    assert unstarted[0].client_urls == ()
    assert unstarted[0].peer_urls == (private_world.peer_url(THREE),)


async def test_expired_server_certificate(world: World) -> None:
    """An expired certificate is a matter of trust, and the message gives the date."""
    await world.let_certificate_expire(TWO)
    found = fault((await ask(world))[TWO])
    assert found.kind is FaultKind.TRUST
    assert "expired on 20" in found.message


async def test_certificate_for_another_name(world: World) -> None:
    """The message gives the name that the certificate has, and the one that was asked for."""
    await world.give_certificate_for(TWO, "etcd-9")
    found = fault((await ask(world))[TWO])
    assert found.kind is FaultKind.TRUST
    assert "for etcd-9, not for 127.0.0.1" in found.message


async def test_certificate_of_another_ca(world: World) -> None:
    """The message names the CA that is not trusted."""
    await world.sign_by_another_ca(TWO)
    found = fault((await ask(world))[TWO])
    assert found.kind is FaultKind.TRUST
    assert "other CA" in found.message


async def test_missing_client_key(world: World) -> None:
    """A file that is missing on our side says nothing about etcd, and is named."""
    assert is_healthy((await ask(world))[ONE])
    await world.lose_key()
    for probe in (await ask(world)).values():
        assert fault(probe).kind is FaultKind.FILES
        assert "client.key" in fault(probe).message


async def test_hashes(world: World) -> None:
    """Members with the same data have the same hash; one that is down has a fault."""
    await world.kill(THREE)
    probes = await ask(world)
    revision = status(probes[ONE]).revision
    urls = list(world.cluster.endpoints.values())
    answers = await world.reader.hashes(world.cluster, urls, revision)
    assert list(answers) == urls
    one, two, three = answers.values()
    assert isinstance(one, HashKv)
    assert one == two
    assert one.revision == revision
    assert isinstance(three, Fault)
    assert three.kind is FaultKind.REFUSED


async def test_metrics(world: World) -> None:
    """Figures of those that answer, faults of the others, within one deadline."""
    await world.freeze(THREE)
    urls = list(world.cluster.endpoints.values())
    began = time.monotonic()
    answers = await world.reader.metrics(world.cluster, urls)
    assert (time.monotonic() - began) * 1000 < DEADLINE_MS + SLACK_MS
    one, _, three = answers.values()
    assert isinstance(one, Metrics)
    assert one.started_ms is not None
    assert one.started_ms < one.at_ms
    assert one.wal_fsync is not None
    assert one.wal_fsync.count > 0
    assert one.quota
    assert one.grpc_handled
    assert isinstance(three, Fault)
    assert three.kind is FaultKind.SILENT


async def test_metrics_tell_who_is_heard(world: World) -> None:
    """Somebody hears each member that works; nobody hears one that hangs, though spoken to."""
    ids = {name: status(probe).member_id for name, probe in (await ask(world)).items()}
    urls = list(world.cluster.endpoints.values())[:2]

    async def moved() -> tuple[set[MemberId], set[MemberId]]:
        """Whom somebody has heard within half a second, and whom somebody has addressed."""
        befores = await world.reader.metrics(world.cluster, urls)
        await asyncio.sleep(0.5)
        afters = await world.reader.metrics(world.cluster, urls)
        heard, addressed = set(), set()
        for before, after in zip(befores.values(), afters.values(), strict=True):
            assert isinstance(before, Metrics)
            assert isinstance(after, Metrics)
            for peer in ids.values():
                if after.received.get(peer, 0) > before.received.get(peer, 0):
                    heard.add(peer)
                if after.addressed.get(peer, 0) > before.addressed.get(peer, 0):
                    addressed.add(peer)
        return heard, addressed

    async def all_heard() -> bool:
        return (await moved())[0] == set(ids.values())

    async def three_lost() -> bool:
        heard, addressed = await moved()
        return heard == {ids[ONE], ids[TWO]} and ids[THREE] in addressed

    await eventually(all_heard, 20, "all are heard")
    await world.freeze(THREE)
    await eventually(three_lost, 20, "nobody hears the third")


async def test_metrics_are_kept_for_a_while(world: World) -> None:
    """The last pages of each that answers, oldest first; a fault ends what was known before."""
    url = world.cluster.endpoints[THREE]
    pages = []
    for _ in range(2):
        pages.append((await world.reader.metrics(world.cluster, [url]))[url])
        await asyncio.sleep(0.5)
    assert list(world.reader.scraped(world.cluster, url)) == pages
    await world.kill(THREE)
    await world.reader.metrics(world.cluster, [url])
    assert not world.reader.scraped(world.cluster, url)


async def test_versions(world: World) -> None:
    """The server's version, and the lower one that the cluster agreed on."""
    urls = list(world.cluster.endpoints.values())
    answers = await world.reader.versions(world.cluster, urls)
    for answer in answers.values():
        assert isinstance(answer, Versions)
        assert answer.server.startswith("3.")
        assert answer.cluster.endswith(".0")


async def test_certificates(world: World) -> None:
    """Certificates are read even where they are not trusted, and without files of our own."""
    await world.let_certificate_expire(TWO)
    await world.lose_key()
    one, two = (world.cluster.endpoints[member] for member in (ONE, TWO))
    ports = {one: world.peer_url(ONE), two: None}
    shown = await world.reader.certificates(world.cluster, ports)
    client_port, no_peer_port = shown[one].client_port, shown[two].peer_port
    assert isinstance(client_port, Certificate)
    assert client_port.subject == "CN=demo-1"
    assert isinstance(shown[one].peer_port, Certificate)
    assert isinstance(shown[two].client_port, Certificate)
    assert isinstance(no_peer_port, Fault)
    assert no_peer_port.kind is FaultKind.SKIPPED


async def test_certificates_of_a_stopped_member(world: World) -> None:
    """Where nothing listens there is no certificate, on either port."""
    await world.kill(ONE)
    url = world.cluster.endpoints[ONE]
    shown = await world.reader.certificates(world.cluster, {url: world.peer_url(ONE)})
    for port in (shown[url].client_port, shown[url].peer_port):
        assert isinstance(port, Fault)
        assert port.kind is FaultKind.REFUSED


async def test_own_certificates(world: World) -> None:
    """Our own CA and certificate, from the files."""
    own = await world.reader.own_certificates(world.cluster)
    assert isinstance(own.ca, tuple)
    assert len(own.ca) == 1
    assert isinstance(own.client, Certificate)
    assert own.client.issuer == own.ca[0].subject
    assert own.client.not_after_s > own.client.not_before_s
