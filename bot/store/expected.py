"""The record of expected members: one for each cluster, signed by the worker whose run set it.

It is written by the script that writes all state, under the run's lease, in place of the very
bytes that were read. So a worker that lost its run changes nothing, and nobody overwrites what he
has not seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal, NoReturn

from pydantic import Field, TypeAdapter
from redis.asyncio import Redis

from bot.store import keys
from bot.store.connection import translated
from bot.store.signing import Keyring, Signer
from procedures.model.canonical import Json, canonical, digest
from procedures.model.events import Role
from procedures.model.expected import Expected
from procedures.model.ids import ClusterName, MemberName, RunId

_KIND: Literal["expected-members"] = "expected-members"


@dataclass(frozen=True, slots=True)
class _Record:
    """What is signed. `kind` keeps it apart from all else that a worker signs."""

    kind: Literal["expected-members"]
    v: Literal[1]
    cluster: ClusterName
    version: Annotated[int, Field(ge=1)]
    members: Annotated[Mapping[MemberName, str], Field(min_length=1)]
    run: RunId
    at_ms: int
    writer: str


_RECORD: TypeAdapter[_Record] = TypeAdapter(_Record)


@dataclass(frozen=True, slots=True)
class Found:
    """What is stored of a cluster, as bytes, and what of it is believed."""

    cluster: ClusterName
    raw: bytes
    expected: Expected


@dataclass(frozen=True, slots=True)
class Swap:
    """One stored value in place of another; `was` is empty where there is none."""

    key: str
    was: bytes
    to: bytes


class ExpectedMembers:
    """Reads and seals the records of one store, and remembers what this process has read.

    A version that is lower than one it has believed before is not believed: somebody has put an
    old record back. `signer` is None for who only reads.
    """

    def __init__(self, redis: Redis, keyring: Keyring, signer: Signer | None = None) -> None:
        self._redis = redis
        self._keyring = keyring
        self._signer = signer
        self._seen: dict[ClusterName, tuple[int, str]] = {}

    async def read(self, cluster: ClusterName) -> Found:
        """Read and verify the record of a cluster."""
        key = keys.expected(cluster)
        async with translated():
            is_text = await self._redis.type(key) in {b"string", b"none"}
            stored: Any = await self._redis.get(key) if is_text else b""
        raw = stored or b""
        try:
            if not is_text:
                _not("it is not a value of the kind that Quorumbot writes")
            expected = self._believed(cluster, raw)
        except ValueError as error:
            why = str(error).splitlines()[0]
            return Found(cluster, raw, Expected(fault=why))
        return Found(cluster, raw, expected)

    def sealed(
        self, found: Found, members: Mapping[MemberName, str], run: RunId, at_ms: int
    ) -> Swap:
        """Sign the record that follows on what was found."""
        assert self._signer is not None  # noqa: S101 (who has none does not ask for this)
        newest, _ = self._seen.get(found.cluster, (0, ""))
        record = _Record(
            kind=_KIND,
            v=1,
            cluster=found.cluster,
            version=max(newest, found.expected.version) + 1,
            members=members,
            run=run,
            at_ms=at_ms,
            writer=self._signer.id,
        )
        plain: Json = _RECORD.dump_python(record, mode="json")
        sealed = self._signer.sign(canonical(plain))
        return Swap(keys.expected(found.cluster), found.raw, sealed)

    def _believed(self, cluster: ClusterName, raw: bytes) -> Expected:
        """Read a record in its place. Raises ValueError, with why it does not count."""
        newest, head = self._seen.get(cluster, (0, ""))
        if not raw:
            if newest:
                _not(f"it is gone, and version {newest} was there before")
            return Expected()
        record = self._verified(cluster, raw)
        if record.version < newest:
            _not(f"it is version {record.version}, and version {newest} was there before")
        if record.version == newest and digest(raw) != head:
            _not(f"its version {newest} is another than the one that was there before")
        self._seen[cluster] = (record.version, digest(raw))
        return Expected(MappingProxyType(dict(record.members)), record.version, record.run)

    def _verified(self, cluster: ClusterName, raw: bytes) -> _Record:
        try:
            record = _RECORD.validate_json(raw.partition(b" ")[2])
        except ValueError:
            _not("it cannot be read")
        writer = self._keyring.signed_by(record.writer, raw)
        if writer.role is not Role.WORKER:
            _not(f"it was written by a {writer.role}, and only a worker may")
        if record.cluster != cluster:
            _not(f"it is that of {record.cluster}, moved here")
        return record


def _not(why: str) -> NoReturn:
    raise ValueError(why)
