"""A key of Quorumbot's own, written, read back and deleted: the cluster takes writes."""

import asyncio
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import grpc

from bot.targets.etcd import faults, outcomes, python_etcd3
from bot.targets.etcd.python_etcd3 import DataClient
from procedures.model.errors import Permanent
from procedures.model.inventory import Cluster
from procedures.model.probe import Fault, FaultKind

_PREFIX = "/quorumbot/canary/"
_LIFETIME_S = 60
"""The key hangs on a lease, so that it goes by itself when its deletion gets lost."""


async def write_and_read(
    cluster: Cluster, endpoint: str, who: str, value: str, limit_ms: int
) -> None:
    """Do all of it within `limit_ms`, on a thread, as python-etcd3 blocks.

    Raises Retryable where nothing was sent, and Permanent where etcd refused, or gave something
    else than what was written. Raises InDoubt where an answer is missing; the key may be there
    then, for a minute.
    """
    await asyncio.to_thread(_round, cluster, endpoint, value, _Limit.of(who, limit_ms))


@dataclass(frozen=True, slots=True)
class _Limit:
    """One limit for several calls. `at_s` is on the monotonic clock."""

    who: str
    duration_ms: int
    at_s: float

    @classmethod
    def of(cls, who: str, duration_ms: int) -> "_Limit":
        return cls(who, duration_ms, time.monotonic() + duration_ms / 1000)

    @property
    def left_s(self) -> float:
        return max(0.0, self.at_s - time.monotonic())

    @contextmanager
    def call(self, client: DataClient, what: str) -> Iterator[None]:
        """Give a call the time that is left, and judge its error."""
        client.timeout = self.left_s
        try:
            yield
        except python_etcd3.errors() as error:
            code, details = python_etcd3.status(error)
            raise outcomes.after_sending(self.who, what, self.duration_ms, code, details) from error


def _round(cluster: Cluster, endpoint: str, value: str, limit: _Limit) -> None:
    key = f"{_PREFIX}{uuid.uuid4().hex}"
    try:
        client = python_etcd3.data_client(cluster, endpoint)
    except OSError as error:
        fault = Fault(FaultKind.FILES, f"The TLS files cannot be read ({error.strerror}).")
        raise outcomes.not_sent(outcomes.CANARY, fault) from error
    with closing(client):
        try:
            grpc.channel_ready_future(client.channel).result(limit.left_s)
        except grpc.FutureTimeoutError:
            fault = faults.no_connection(limit.who, limit.duration_ms).fault
            raise outcomes.not_sent(outcomes.CANARY, fault) from None
        with limit.call(client, outcomes.CANARY):
            client.put(key, value, client.lease(_LIFETIME_S))
        with limit.call(client, "the read of a canary key"):
            found, _ = client.get(key)
        if found != value.encode():
            there = "nothing there" if found is None else "something else"
            message = (
                f"{limit.who} took the write of {key}, and a linearizable read then found {there}."
                " Trust no data of this cluster before that is understood."
            )
            raise Permanent(message)
        with limit.call(client, "the deletion of a canary key"):
            client.delete(key)
