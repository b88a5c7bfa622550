"""The in-memory twin of `EtcdReader` and `EtcdActor`, over a cluster that tests script."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

import grpc

from bot.targets.etcd import faults, model_changes, outcomes
from bot.targets.etcd.core import unasked
from bot.targets.etcd.faults import FaultError
from bot.targets.etcd.look import unix_ms
from bot.targets.etcd.model import Condition, FakeCluster, FakeMember, certificate
from bot.targets.etcd.model_changes import RefusedError, UnansweredError
from bot.targets.etcd.peer_urls import checked
from bot.targets.etcd.scrapes import Scrapes
from bot.targets.etcd.snapshot import broken
from bot.targets.etcd.target import label, named
from procedures.model.ids import ClusterName, MemberId, MemberName
from procedures.model.inventory import Cluster
from procedures.model.probe import (
    Alarm,
    Certificates,
    Fault,
    FaultKind,
    HashKv,
    ListedMember,
    MemberProbe,
    Metrics,
    OwnCertificates,
    Read,
    Sample,
    Versions,
)

T = TypeVar("T")


class FakeEtcd:
    """Implements `EtcdLook` and `EtcdAct` of `procedures.engine.ports` over clusters in memory.

    It never waits: where the real one would use up the deadline, the fault is there at once.
    `files_fault` makes the asker's own TLS files unusable. A hash is not shared among askers, so
    that a test may change it. A change of the members that was sent without quorum is in doubt,
    and is carried out once there is quorum again, at the next question or call.
    """

    def __init__(
        self, clusters: Mapping[ClusterName, FakeCluster], now_ms: Callable[[], int] = unix_ms
    ) -> None:
        self.clusters = dict(clusters)
        self.files_fault: Fault | None = None
        self._now_ms = now_ms
        self._scrapes = Scrapes()

    async def sample(self, cluster: Cluster, extra: Sequence[str] = ()) -> Sample:
        """Ask each configured endpoint, and each client URL in `extra`, for its core figures."""
        at_ms = self._now_ms()
        probes = [self._probe(cluster, url, member) for member, url in cluster.endpoints.items()]
        known = set(cluster.endpoints.values())
        probes += [
            self._probe(cluster, url, None) for url in dict.fromkeys(extra) if url not in known
        ]
        return Sample(at_ms, tuple(probes))

    async def hashes(
        self,
        cluster: Cluster,
        endpoints: Sequence[str],
        revision: int,
        *,
        fresh: bool = False,  # noqa: ARG002 (it always is)
    ) -> Mapping[str, HashKv | Fault]:
        """Hash the key space up to a revision, by endpoint."""
        model = self._model(cluster)

        def hash_kv(member: FakeMember, who: str) -> HashKv:
            if member.learner:
                raise faults.learner(who, "a request to hash its data")
            if revision > model.revision:
                text = "mvcc: required revision is a future revision"
                raise faults.server_error(who, "a request to hash its data", text)
            return HashKv(revision, model.compact_revision, member.hash)

        return self._each(cluster, endpoints, hash_kv)

    async def metrics(
        self, cluster: Cluster, endpoints: Sequence[str]
    ) -> Mapping[str, Metrics | Fault]:
        """Scrape each endpoint's `/metrics`."""
        at_ms = self._now_ms()
        peers = self.clusters[cluster.name].members.values()

        def scrape(member: FakeMember, _: str) -> Metrics:
            others = [peer for peer in peers if peer is not member]
            return replace(
                member.metrics,
                at_ms=at_ms,
                active_peers={peer.id: peer.works for peer in others},
                received={peer.id: at_ms if peer.works else 0 for peer in others},
                addressed={peer.id: at_ms for peer in others},
            )

        answers = self._each(cluster, endpoints, scrape)
        self._scrapes.keep(cluster.name, answers, at_ms)
        return answers

    def scraped(self, cluster: Cluster, endpoint: str) -> Sequence[Metrics]:
        """Give what an endpoint's `/metrics` said in the last minute, oldest first."""
        return self._scrapes.of(cluster.name, endpoint)

    async def versions(
        self, cluster: Cluster, endpoints: Sequence[str]
    ) -> Mapping[str, Versions | Fault]:
        """Read each endpoint's `/version`."""
        lowest = min(
            (member.version for member in self._model(cluster).members.values()),
            key=lambda version: [int(part) for part in version.split(".")],
        )
        agreed = f"{lowest.rpartition('.')[0]}.0"
        return self._each(cluster, endpoints, lambda member, _: Versions(member.version, agreed))

    async def certificates(
        self, cluster: Cluster, ports: Mapping[str, str | None]
    ) -> Mapping[str, Certificates]:
        """Read the certificates shown on client ports and peer ports."""
        return {
            url: self._shown(cluster, url, known=peer is not None) for url, peer in ports.items()
        }

    async def own_certificates(self, cluster: Cluster) -> OwnCertificates:
        """Read the certificates in the cluster's own TLS files."""
        if cluster.tls is None:
            fault = Fault(FaultKind.SKIPPED, "No TLS files are configured for the cluster.")
            return OwnCertificates(fault, fault)
        now_s = self._now_ms() // 1000
        ca, client = certificate("fake CA", now_s, days=3650), certificate("quorumbot", now_s)
        return OwnCertificates((ca,), self.files_fault or client)

    async def remove_member(self, cluster: Cluster, endpoint: str, member: MemberId) -> None:
        """Take a member out of the cluster for good: its id never returns."""
        self._call(
            cluster,
            endpoint,
            outcomes.removal(member),
            lambda model, _: model_changes.remove(model, member),
        )

    async def update_peer_urls(
        self, cluster: Cluster, endpoint: str, member: MemberId, peer_urls: Sequence[str]
    ) -> None:
        """Tell the cluster where a member's peers reach it."""
        what = outcomes.new_peer_urls(member)
        urls = checked(peer_urls, what)
        self._call(
            cluster, endpoint, what, lambda model, _: model_changes.update(model, member, urls)
        )

    async def move_leader(self, cluster: Cluster, endpoint: str, to: MemberId) -> None:
        """Hand leadership over; `endpoint` is the leader's own."""
        self._call(
            cluster,
            endpoint,
            outcomes.handover(to),
            lambda model, asked: model_changes.move_leader(model, asked, to),
        )

    async def add_member(
        self, cluster: Cluster, endpoint: str, peer_urls: Sequence[str], *, learner: bool
    ) -> MemberId:
        """Make room for a member that has not started yet, and give its id."""
        what = outcomes.addition(peer_urls)
        urls = checked(peer_urls, what)
        return self._call(
            cluster,
            endpoint,
            what,
            lambda model, _: model_changes.add(model, urls, learner=learner),
        )

    async def promote_member(self, cluster: Cluster, endpoint: str, member: MemberId) -> None:
        """Give a learner a vote."""
        self._call(
            cluster,
            endpoint,
            outcomes.promotion(member),
            lambda model, _: model_changes.promote(model, member),
        )

    async def compact(
        self,
        cluster: Cluster,
        endpoint: str,
        revision: int,
        *,
        limit_ms: int,  # noqa: ARG002
    ) -> None:
        """Drop what was overwritten or deleted before a revision."""
        with suppress(outcomes.AlreadyDoneError):
            self._call(
                cluster,
                endpoint,
                outcomes.compaction(revision),
                lambda model, _: model_changes.compact(model, revision),
            )

    async def defragment(self, cluster: Cluster, endpoint: str, *, limit_ms: int) -> None:  # noqa: ARG002
        """Write a member's data file anew, without free pages."""
        self._call(
            cluster,
            endpoint,
            outcomes.DEFRAGMENTATION,
            lambda _, asked: model_changes.defragment(asked),
        )

    async def disarm(self, cluster: Cluster, endpoint: str, alarm: Alarm) -> None:
        """Take an alarm back; no error where it is not on."""
        self._call(
            cluster,
            endpoint,
            outcomes.disarming(alarm),
            lambda model, _: model_changes.disarm(model, alarm),
        )

    async def snapshot(self, cluster: Cluster, endpoint: str) -> AsyncGenerator[bytes, None]:
        """Stream a snapshot; it breaks off when the member is no longer there."""
        asked = self._voter(cluster, endpoint, outcomes.SNAPSHOT)
        who, received = label(cluster, endpoint), 0
        for chunk in model_changes.snapshot(self._model(cluster), asked):
            try:
                self._reach(cluster, endpoint, who)
            except FaultError as error:
                raise broken(who, error.fault.message, received) from error
            received += len(chunk)
            yield chunk

    async def write_and_read(self, cluster: Cluster, endpoint: str, value: str) -> None:  # noqa: ARG002
        """Write a canary key of Quorumbot's own, read it back linearizably, and delete it."""
        self._call(cluster, endpoint, outcomes.CANARY, model_changes.write_and_delete)

    async def close(self) -> None:
        """Nothing is open."""

    def _call(
        self,
        cluster: Cluster,
        endpoint: str,
        what: str,
        change: Callable[[FakeCluster, FakeMember], T],
    ) -> T:
        who = label(cluster, endpoint)
        asked = self._voter(cluster, endpoint, what)
        try:
            return change(self._model(cluster), asked)
        except RefusedError as error:
            text = f"etcdserver: {error}"
            raise outcomes.after_sending(who, what, 0, grpc.StatusCode.UNKNOWN, text) from error
        except UnansweredError as error:
            late = grpc.StatusCode.DEADLINE_EXCEEDED
            raise outcomes.in_doubt(who, what, cluster.deadline_ms, late) from error

    def _voter(self, cluster: Cluster, endpoint: str, what: str) -> FakeMember:
        who = label(cluster, endpoint)
        try:
            asked = self._reach(cluster, endpoint, who)
        except FaultError as error:
            raise outcomes.not_sent(what, error.fault) from error
        if asked.learner:
            raise outcomes.refused(who, what, "rpc not supported for learner")
        return asked

    def _model(self, cluster: Cluster) -> FakeCluster:
        model = self.clusters[cluster.name]
        model_changes.settle(model)
        return model

    def _probe(self, cluster: Cluster, url: str, expected: MemberName | None) -> MemberProbe:
        who = named(url, expected)
        try:
            member = self._reach(cluster, url, who)
        except FaultError as error:
            return unasked(url, expected, error.fault)
        model = self._model(cluster)
        return MemberProbe(
            endpoint=url,
            expected=expected,
            status=model.status(member),
            read=_read(model, member, who, cluster.deadline_ms),
            members=_members(model, member, who),
            alarms=tuple(model.alarms),
        )

    def _reach(self, cluster: Cluster, url: str, who: str) -> FakeMember:
        if self.files_fault is not None:
            raise FaultError.of(self.files_fault)
        member = self._connect(cluster, url, who)
        if member.fault is not None:
            raise FaultError.of(member.fault)
        return member

    def _connect(self, cluster: Cluster, url: str, who: str) -> FakeMember:
        members = self._model(cluster).members.values()
        member = next((member for member in members if member.client_url == url), None)
        refusing = {Condition.STOPPED, Condition.BARRED}
        if member is None or not member.started or member.condition in refusing:
            raise faults.refused(who)
        if member.condition in {Condition.BLACKHOLED, Condition.OFF}:
            raise faults.no_connection(who, cluster.deadline_ms)
        if member.condition is Condition.FROZEN:
            raise faults.silent(who, cluster.deadline_ms)
        return member

    def _each(
        self,
        cluster: Cluster,
        endpoints: Sequence[str],
        answer: Callable[[FakeMember, str], T],
    ) -> Mapping[str, T | Fault]:
        answers: dict[str, T | Fault] = {}
        for url in endpoints:
            who = label(cluster, url)
            try:
                answers[url] = answer(self._reach(cluster, url, who), who)
            except FaultError as error:
                answers[url] = error.fault
        return answers

    def _shown(self, cluster: Cluster, url: str, *, known: bool) -> Certificates:
        """Trust and own files do not matter: anybody may look at a certificate."""
        who = label(cluster, url)
        unknown = Fault(FaultKind.SKIPPED, f"The peer port of {who} is not known.")
        try:
            member = self._connect(cluster, url, who)
        except FaultError as error:
            return Certificates(error.fault, error.fault if known else unknown)
        return Certificates(
            member.client_certificate, member.peer_certificate if known else unknown
        )


def _read(model: FakeCluster, member: FakeMember, who: str, deadline_ms: int) -> Read | Fault:
    if member.learner:
        return Read(member.latency_us, linearizable=False)
    if not (model.quorum and member.works):
        return faults.unanswered(who, "a linearizable read", deadline_ms).fault
    return Read(member.latency_us, linearizable=True)


def _members(model: FakeCluster, member: FakeMember, who: str) -> tuple[ListedMember, ...] | Fault:
    if member.learner:
        return faults.learner(who, "a question for the member list").fault
    return model.listed()
