"""What the adapters need of each other, so that none of them knows another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from procedures.model.events import Requested
from procedures.model.ids import ChannelId, RunId
from procedures.model.run import Run


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

    async def shown(self, run: RunId) -> Shown | None:
        """Where a run is shown."""
        ...

    async def show(self, run: RunId, shown: Shown) -> None:
        """Remember where a run is shown."""
        ...

    async def forget(self, run: RunId) -> None:
        """Forget where a run is shown, because the message is gone."""
        ...
