"""What happens to a run, as one union of events, and which kind of process may write which.

Every process reads the same list of events and folds it (`run.fold`); nothing else is state.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, JsonValue, TypeAdapter

from procedures.model.canonical import Json, canonical
from procedures.model.ids import ChannelId, ClusterName, RunId, Site, TeamId, UserId
from procedures.model.plan import Plan
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
    reason: str | None = None
    plan_only: bool = False
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
class Planned:
    """A plan, for people to decide on. A later one voids the votes on the one before it.

    `needed` is the policy's number of approvals; none are needed for what only reads.
    """

    plan: Plan
    needed: int
    kind: Literal["planned"] = "planned"


@dataclass(frozen=True, slots=True)
class Voted:
    """An approver clicked. `digest` is the plan that was on the screen."""

    user: UserId
    decision: Literal["approve", "reject"]
    digest: str
    kind: Literal["voted"] = "voted"


@dataclass(frozen=True, slots=True)
class Decided:
    """People have decided, and the front has read each voter again.

    It repeats all that it is about, so that it fits no other request. An approved run may not
    start after `not_after_ms`.
    """

    outcome: Literal["approved", "rejected"]
    digest: str
    requester: UserId
    cluster: ClusterName
    needed: int
    voters: tuple[UserId, ...]
    not_after_ms: int
    kind: Literal["decided"] = "decided"


@dataclass(frozen=True, slots=True)
class Held:
    """A run that is ready may not begin yet, because of `why`; it is looked at again."""

    why: str
    kind: Literal["held"] = "held"


@dataclass(frozen=True, slots=True)
class Took:
    """The run has the lock of what it changes; `turn` counts who had it."""

    turn: int
    kind: Literal["took"] = "took"


@dataclass(frozen=True, slots=True)
class Started:
    """A step begins, for the `attempt`-th time. What comes next may have happened."""

    step: int
    attempt: int
    kind: Literal["started"] = "started"


@dataclass(frozen=True, slots=True)
class Done:
    """A step was done. `found` tells that it was found done, after its worker was lost."""

    step: int
    value: JsonValue
    found: bool = False
    kind: Literal["done"] = "done"


@dataclass(frozen=True, slots=True)
class PutOff:
    """Nothing happened at the `attempt`-th time, for a passing reason: it is tried again.

    Whoever does so waits first. `last` is the attempt after which it is not tried any more.
    """

    step: int
    attempt: int
    last: int
    wait_ms: int
    error: str
    kind: Literal["put_off"] = "put_off"


@dataclass(frozen=True, slots=True)
class Asked:
    """People are asked to do a step, for the `attempt`-th time.

    `missing` is what was not there when somebody had said that it is done; None the first time.
    """

    step: int
    attempt: int
    missing: str | None = None
    kind: Literal["asked"] = "asked"

    @property
    def id(self) -> str:
        """Names this very asking within its run, e.g. `3.1`."""
        return f"{self.step}.{self.attempt}"


@dataclass(frozen=True, slots=True)
class Reported:
    """Somebody says that a step which people were asked to do, the `attempt`-th time, is done."""

    step: int
    attempt: int
    user: UserId
    kind: Literal["reported"] = "reported"


@dataclass(frozen=True, slots=True)
class Doubted:
    """Nobody can tell whether a step happened; a person has to look."""

    step: int
    error: str
    kind: Literal["doubted"] = "doubted"


@dataclass(frozen=True, slots=True)
class Settled:
    """A person has looked: the step happened, did not, or the run is to end as it is."""

    step: int
    verdict: Literal["happened", "not_happened", "stop"]
    user: UserId
    kind: Literal["settled"] = "settled"


@dataclass(frozen=True, slots=True)
class CancelAsked:
    """Somebody who may wants the run to end; what is under way is brought to a safe stop."""

    user: UserId
    kind: Literal["cancel_asked"] = "cancel_asked"


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The run ended because somebody asked for it; nothing of it is under way any more."""

    error: str
    kind: Literal["cancelled"] = "cancelled"


@dataclass(frozen=True, slots=True)
class RefusedBy:
    """A rule stands against it; nothing was done. `error` says which, with its figures."""

    error: str
    kind: Literal["refused"] = "refused"


@dataclass(frozen=True, slots=True)
class Resumed:
    """Somebody wants a failed run to go on at its failed step."""

    user: UserId
    kind: Literal["resumed"] = "resumed"


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The run ended as asked."""

    kind: Literal["succeeded"] = "succeeded"


@dataclass(frozen=True, slots=True)
class Failed:
    """The run ended otherwise; `error` says what happened, to what, and what to do next.

    `step` is the one that failed, None where the failure was before the first.
    """

    error: str
    step: int | None = None
    kind: Literal["failed"] = "failed"


@dataclass(frozen=True, slots=True)
class Expired:
    """Nobody took the run up in time; `error` says so."""

    error: str
    kind: Literal["expired"] = "expired"


Event = Annotated[
    Requested
    | Began
    | Answered
    | Planned
    | Voted
    | Decided
    | Held
    | Took
    | Started
    | Done
    | PutOff
    | Asked
    | Reported
    | Doubted
    | Settled
    | CancelAsked
    | Cancelled
    | RefusedBy
    | Resumed
    | Succeeded
    | Failed
    | Expired,
    Field(discriminator="kind"),
]

WRITERS: Mapping[type, frozenset[Role]] = {
    Requested: frozenset({Role.FRONT}),
    Began: frozenset({Role.WORKER}),
    Answered: frozenset({Role.WORKER}),
    Planned: frozenset({Role.WORKER}),
    Voted: frozenset({Role.FRONT}),
    Decided: frozenset({Role.FRONT}),
    Held: frozenset({Role.WORKER}),
    Took: frozenset({Role.WORKER}),
    Started: frozenset({Role.WORKER}),
    Done: frozenset({Role.WORKER}),
    PutOff: frozenset({Role.WORKER}),
    Asked: frozenset({Role.WORKER}),
    Reported: frozenset({Role.FRONT}),
    Doubted: frozenset({Role.WORKER}),
    Settled: frozenset({Role.FRONT}),
    CancelAsked: frozenset({Role.FRONT}),
    Cancelled: frozenset({Role.FRONT, Role.WORKER}),
    RefusedBy: frozenset({Role.WORKER}),
    Resumed: frozenset({Role.FRONT}),
    Succeeded: frozenset({Role.WORKER}),
    Failed: frozenset({Role.WORKER}),
    Expired: frozenset({Role.FRONT, Role.WORKER}),
}
"""Which roles may write which event. A reader ignores, and reports, any other."""


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
