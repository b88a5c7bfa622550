"""What procedures need from the world. Adapters implement these; tests use in-memory twins."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from procedures.model.inventory import Cluster, Inventory
from procedures.model.probe import (
    Certificates,
    Fault,
    HashKv,
    Metrics,
    OwnCertificates,
    Sample,
    Versions,
)


class EtcdLook(Protocol):
    """Reading from etcd.

    Endpoints are asked in parallel, each call with a deadline of `cluster.deadline_ms`, so a
    method returns within one deadline (plus scheduling), however many members hang. No method
    raises for a fault of a member or of the way to it: the fault is in the answer.
    """

    async def sample(self, cluster: Cluster, extra: Sequence[str] = ()) -> Sample:
        """Ask each configured endpoint, and each client URL in `extra`, for its core figures."""
        ...

    async def hashes(
        self, cluster: Cluster, endpoints: Sequence[str], revision: int
    ) -> Mapping[str, HashKv | Fault]:
        """Hash the key space up to a revision, by endpoint. Shared for 30 s among askers."""
        ...

    async def metrics(
        self, cluster: Cluster, endpoints: Sequence[str]
    ) -> Mapping[str, Metrics | Fault]:
        """Scrape each endpoint's `/metrics`."""
        ...

    async def versions(
        self, cluster: Cluster, endpoints: Sequence[str]
    ) -> Mapping[str, Versions | Fault]:
        """Read each endpoint's `/version`."""
        ...

    async def certificates(
        self, cluster: Cluster, ports: Mapping[str, str | None]
    ) -> Mapping[str, Certificates]:
        """Read the certificates shown on client ports and peer ports.

        `ports` maps an endpoint (client URL) to the member's peer URL, None if not known.
        """
        ...

    async def own_certificates(self, cluster: Cluster) -> OwnCertificates:
        """Read the certificates in the cluster's own TLS files."""
        ...


class Clock(Protocol):
    """Time, handed in."""

    def now_ms(self) -> int:
        """Unix time in ms."""
        ...

    async def sleep_ms(self, duration_ms: int) -> None:
        """Wait."""
        ...


class Look(Protocol):
    """All that a procedure may look at; looking changes nothing."""

    @property
    def inventory(self) -> Inventory:
        """Where things are."""
        ...

    @property
    def etcd(self) -> EtcdLook:
        """Reading from etcd."""
        ...

    @property
    def clock(self) -> Clock:
        """The time, and waiting."""
        ...
