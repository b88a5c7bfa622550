"""What the adapters need of each other, so that none of them knows another."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from commands.grammar import Ask
from procedures.model.audit import Head
from procedures.model.canonical import Json
from procedures.model.events import Requested, Requester
from procedures.model.ids import ChannelId, RunId, UserId
from procedures.model.inventory import Cluster
from procedures.model.run import Run

Decision: TypeAlias = Literal["approve", "reject"]
Verdict: TypeAlias = Literal["happened", "not_happened", "stop"]

Eligible: TypeAlias = Callable[[Iterable[UserId]], Awaitable[frozenset[UserId]]]
"""Which of some accounts may approve now, read anew."""


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the feed: something was appended to a run."""

    id: str
    run: RunId


@dataclass(frozen=True, slots=True)
class Shown:
    """The message that shows a run, and a digest of what it shows."""

    channel: ChannelId
    ts: str
    digest: str


Showing: TypeAlias = Literal["run", "incident"]
"""Which message of a run is meant: its own, or the one in the incident channel."""


class Line(Protocol):
    """One line of a run's output; lines that were not kept leave a gap in the numbers."""

    @property
    def seq(self) -> int:
        """Its number in the run, from 0."""
        ...

    @property
    def step(self) -> int:
        """The step that it belongs to."""
        ...

    @property
    def at_ms(self) -> int:
        """When it was said."""
        ...

    @property
    def text(self) -> str:
        """The line, without secrets."""
        ...


class Output(Protocol):
    """Where the output of runs comes from."""

    async def output(self, run: RunId, first: int = 0) -> Sequence[Line]:
        """All lines that are kept, from a number on; a negative one counts from the end."""
        ...


class Gate(Protocol):
    """Where requests go in."""

    async def accept(self, request: Requested, *, source: str) -> RunId:
        """Store a request once per `source`, within 1.5 s.

        Raises Retryable, with why, when it is not stored; it never will be then. Raises InDoubt
        when the store gave no answer.
        """
        ...


class RunReader(Protocol):
    """Where the state of runs comes from."""

    async def run(self, run: RunId) -> Run | None:
        """Fold the verified events of a run."""
        ...


class Feed(Protocol):
    """What has changed, for the one front at a time that shows runs in Slack."""

    async def open(self) -> None:
        """Make ready what the other calls need."""
        ...

    async def lead(self) -> bool:
        """Become, or stay, that front."""
        ...

    async def resign(self) -> None:
        """Let another front show runs at once."""
        ...

    async def pending(self) -> list[Change]:
        """What was delivered before and never settled."""
        ...

    async def wait(self, timeout_ms: int) -> list[Change]:
        """What is new, waiting `timeout_ms` for the first."""
        ...

    async def settle(self, changes: Sequence[Change]) -> None:
        """Forget changes that are shown."""
        ...

    async def shown(self, run: RunId, what: Showing = "run") -> Shown | None:
        """Where a run is shown."""
        ...

    async def show(self, run: RunId, shown: Shown, what: Showing = "run") -> None:
        """Remember where a run is shown."""
        ...

    async def forget(self, run: RunId, what: Showing = "run") -> None:
        """Forget where a run is shown, because the message is gone."""
        ...

    async def gone(self, run: RunId, what: Showing = "run") -> int:
        """How often the message that showed a run was gone."""
        ...

    async def notes(self, run: RunId) -> Mapping[str, str]:
        """What was noted about a run, by name."""
        ...

    async def note(self, run: RunId, name: str, value: str) -> None:
        """Note what was said about a run, so that it is said once."""
        ...

    async def undecided(self) -> Sequence[RunId]:
        """The runs that wait for a person."""
        ...


class Decisions(Protocol):
    """Where people's decisions on runs go in. Refused, with why, when a click changes nothing."""

    async def vote(
        self,
        name: RunId,
        user: UserId,
        decision: Decision,
        digest: str,
        eligible: Eligible,
        *,
        likely: Eligible | None = None,
    ) -> None:
        """Cast a vote on the plan with this digest; the deciding one decides.

        Before it decides, every voter is read again, by `eligible`; for any other vote `likely`
        will do, which may remember for a minute.
        """
        ...

    async def cancel(self, name: RunId, user: UserId, eligible: Eligible) -> None:
        """Ask for the end: at once where nothing is under way, else at the next safe place."""
        ...

    async def report(
        self, name: RunId, user: UserId, eligible: Eligible, *, asked: str, source: str
    ) -> None:
        """Take in that a step which people were asked to do is done; `asked` is the id of that
        asking, as it was on the screen. One `source` reports once.
        """
        ...

    async def settle(
        self,
        name: RunId,
        user: UserId,
        verdict: Verdict,
        digest: str,
        eligible: Eligible,
        *,
        asked: str,
    ) -> None:
        """Say what became of a step in doubt; `asked` names that doubt, as it was on the screen."""
        ...

    async def resume(self, name: RunId, user: UserId, eligible: Eligible) -> None:
        """Let a failed run go on at its failed step."""
        ...


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks for control of runs, and where; None is the terminal.

    `source` names this very asking, so that its repetition starts nothing twice.
    """

    requester: Requester
    channel: ChannelId | None
    source: str
    eligible: Callable[[Cluster], Eligible]


@dataclass(frozen=True, slots=True)
class Said:
    """An answer: lines for people, with `<@U…>` for accounts, and the same for scripts."""

    lines: tuple[str, ...]
    data: Json


class Controls(Protocol):
    """Commands about runs and clusters that are answered without a worker."""

    async def answer(self, wanted: Ask, caller: Caller) -> Said:
        """Answer a command. Raises InDoubt where nobody can tell whether it was done."""
        ...


class Board(Protocol):
    """Where the heads of the audit log are published."""

    async def post(self, head: Head) -> None:
        """Publish a head, once however often it is called. Raises Retryable, with why."""
        ...
