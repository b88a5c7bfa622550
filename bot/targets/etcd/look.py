"""Reading from real etcd clusters."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import TypeVar

from bot.targets.etcd import calls, certificates, core, web
from bot.targets.etcd.channel import Link
from bot.targets.etcd.deadline import Deadline
from bot.targets.etcd.faults import FaultError
from bot.targets.etcd.hashes import SharedHashes
from bot.targets.etcd.links import Links
from bot.targets.etcd.proof import Prover
from bot.targets.etcd.scrapes import Scrapes
from bot.targets.etcd.target import Target, aim, label, named
from bot.targets.etcd.tls import Identities, Identity
from bot.targets.etcd.waiting import in_time
from procedures.model.ids import MemberName
from procedures.model.inventory import Cluster
from procedures.model.probe import (
    Certificates,
    Fault,
    FaultKind,
    HashKv,
    MemberProbe,
    Metrics,
    OwnCertificates,
    Sample,
    Versions,
)

T = TypeVar("T")


def unix_ms() -> int:
    """Give Unix time in ms."""
    return time.time_ns() // 1_000_000


class EtcdReader:
    """Implements `procedures.engine.ports.EtcdLook` on gRPC and HTTPS.

    It belongs to one event loop. `now_ms` is Unix time; deadlines run on the loop's own clock.
    """

    def __init__(self, now_ms: Callable[[], int] = unix_ms) -> None:
        self._now_ms = now_ms
        self._identities = Identities()
        self._prover = Prover(now_ms)
        self._links = Links(self._prover)
        self._hashes = SharedHashes(now_ms)
        self._scrapes = Scrapes()

    async def sample(self, cluster: Cluster, extra: Sequence[str] = ()) -> Sample:
        """Ask each configured endpoint, and each client URL in `extra`, for its core figures."""
        at_ms, deadline = self._now_ms(), Deadline.after(cluster.deadline_ms)
        asked: list[tuple[str, MemberName | None]] = [
            (url, member) for member, url in cluster.endpoints.items()
        ]
        known = set(cluster.endpoints.values())
        asked += [(url, None) for url in dict.fromkeys(extra) if url not in known]
        identity = await self._identity(cluster, deadline)
        probes = await in_time(
            [(url, member, self._probe(url, member, identity, deadline)) for url, member in asked],
            hopeless=self._prover.missed,
        )
        return Sample(at_ms, probes)

    async def hashes(
        self, cluster: Cluster, endpoints: Sequence[str], revision: int, *, fresh: bool = False
    ) -> Mapping[str, HashKv | Fault]:
        """Hash the key space up to a revision, by endpoint. Shared for 30 s unless `fresh`."""
        return await self._hashes.get(
            cluster.name, endpoints, revision, partial(self._hash, cluster), fresh=fresh
        )

    async def metrics(
        self, cluster: Cluster, endpoints: Sequence[str]
    ) -> Mapping[str, Metrics | Fault]:
        """Scrape each endpoint's `/metrics`."""
        answers = await self._each(
            cluster,
            endpoints,
            lambda target, deadline: web.metrics(self._prover, target, deadline, self._now_ms),
        )
        self._scrapes.keep(cluster.name, answers, self._now_ms())
        return answers

    def scraped(self, cluster: Cluster, endpoint: str) -> Sequence[Metrics]:
        """Give what an endpoint's `/metrics` said in the last minute, oldest first."""
        return self._scrapes.of(cluster.name, endpoint)

    async def versions(
        self, cluster: Cluster, endpoints: Sequence[str]
    ) -> Mapping[str, Versions | Fault]:
        """Read each endpoint's `/version`."""
        return await self._each(cluster, endpoints, partial(web.versions, self._prover))

    async def certificates(
        self, cluster: Cluster, ports: Mapping[str, str | None]
    ) -> Mapping[str, Certificates]:
        """Read the certificates shown on client ports and peer ports."""
        deadline = Deadline.after(cluster.deadline_ms)
        identity = await self._identity(cluster, deadline)
        show = partial(
            certificates.shown_at,
            self._prover,
            context=certificates.context_for_anyone(identity),
            deadline=deadline,
        )

        async def both(client_url: str, peer_url: str | None) -> Certificates:
            who = label(cluster, client_url)
            if peer_url is None:
                fault = Fault(FaultKind.SKIPPED, f"The peer port of {who} is not known.")
                return Certificates(await show(client_url, who), fault)
            peer = f"The peer port {peer_url} of {who}"
            return Certificates(*await asyncio.gather(show(client_url, who), show(peer_url, peer)))

        shown = await asyncio.gather(*(both(url, peer) for url, peer in ports.items()))
        return dict(zip(ports, shown, strict=True))

    async def own_certificates(self, cluster: Cluster) -> OwnCertificates:
        """Read the certificates in the cluster's own TLS files."""
        return await asyncio.to_thread(certificates.own, cluster.tls)

    async def close(self) -> None:
        """Close all connections."""
        await self._hashes.close()
        await self._links.close()
        self._prover.close()

    async def _probe(
        self,
        url: str,
        member: MemberName | None,
        identity: Identity | Fault | None,
        deadline: Deadline,
    ) -> MemberProbe:
        try:
            target = aim(url, named(url, member), identity)
            return await self._links.ask(
                target, lambda link: core.ask(link, url, member, deadline), deadline
            )
        except FaultError as error:
            return core.unasked(url, member, error.fault)

    async def _hash(self, cluster: Cluster, url: str, revision: int) -> HashKv | Fault:
        deadline = Deadline.after(cluster.deadline_ms)

        async def question(link: Link) -> HashKv:
            """Ask for the status besides: a quick answer shows that the link is alive."""
            _, answer = await asyncio.gather(
                calls.status(link, deadline),
                calls.hash_kv(link, revision, deadline),
                return_exceptions=True,
            )
            if isinstance(answer, BaseException):
                raise answer
            return answer

        identity = await self._identity(cluster, deadline)
        try:
            target = aim(url, label(cluster, url), identity)
            return await self._links.ask(target, question, deadline)
        except FaultError as error:
            return error.fault

    async def _each(
        self,
        cluster: Cluster,
        endpoints: Sequence[str],
        question: Callable[[Target, Deadline], Coroutine[object, object, T]],
    ) -> Mapping[str, T | Fault]:
        deadline = Deadline.after(cluster.deadline_ms)
        identity = await self._identity(cluster, deadline)

        async def one(url: str) -> T | Fault:
            try:
                return await question(aim(url, label(cluster, url), identity), deadline)
            except FaultError as error:
                return error.fault

        answers = await asyncio.gather(*(one(url) for url in endpoints))
        return dict(zip(endpoints, answers, strict=True))

    async def _identity(self, cluster: Cluster, deadline: Deadline) -> Identity | Fault | None:
        if cluster.tls is None:
            return None
        try:
            return await self._identities.get(cluster.tls, deadline)
        except FaultError as error:
            return error.fault
