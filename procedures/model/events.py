"""What happens to a run, as one union of events, and which kind of process may write which.

Every process reads the same list of events and folds it (`run.fold`); nothing else is state.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from procedures.model.canonical import Json, canonical
from procedures.model.ids import ChannelId, ClusterName, RunId, Site, TeamId, UserId
from procedures.model.report import Answer


class Role(StrEnum):
    """What a process is trusted with: fronts speak for people, workers for clusters."""

    FRONT = "front"
    WORKER = "worker"


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks. `name` is for words only; identity is user and team."""

    user: UserId
    team: TeamId
    name: str


@dataclass(frozen=True, slots=True)
class Requested:
    """Somebody asked for something. A request from a terminal has no channel."""

    command: str
    args: Mapping[str, str | int | bool | None]
    cluster: ClusterName
    site: Site
    requester: Requester
    channel: ChannelId | None
    kind: Literal["requested"] = "requested"


@dataclass(frozen=True, slots=True)
class Began:
    """A worker took the run up; a second one means that the first was lost."""

    worker: str
    kind: Literal["began"] = "began"


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer to a question; a later one replaces it."""

    answer: Answer
    kind: Literal["answered"] = "answered"


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The run ended as asked."""

    kind: Literal["succeeded"] = "succeeded"


@dataclass(frozen=True, slots=True)
class Failed:
    """The run ended otherwise; `error` says what happened, to what, and what to do next."""

    error: str
    kind: Literal["failed"] = "failed"


@dataclass(frozen=True, slots=True)
class Expired:
    """Nobody took the run up in time; `error` says so."""

    error: str
    kind: Literal["expired"] = "expired"


Event = Annotated[
    Requested | Began | Answered | Succeeded | Failed | Expired, Field(discriminator="kind")
]

WRITERS: Mapping[type, Role] = {
    Requested: Role.FRONT,
    Began: Role.WORKER,
    Answered: Role.WORKER,
    Succeeded: Role.WORKER,
    Failed: Role.WORKER,
    Expired: Role.FRONT,
}
"""Which role may write which event. A reader ignores, and reports, any other."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in its place: the `seq`-th of its run, after the entry whose hash is `prev`."""

    run: RunId
    seq: int
    prev: str
    at_ms: int
    writer: str
    event: Event
    v: Literal[1] = field(default=1)


_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)


def encode(entry: Entry) -> bytes:
    """Write an entry as the bytes that are signed and stored."""
    plain: Json = _ENTRY.dump_python(entry, mode="json")
    return canonical(plain)


def decode(data: bytes) -> Entry:
    """Read an entry. Raises ValueError when the bytes are not one."""
    return _ENTRY.validate_json(data)
