"""Why a run was not written: what the script answers instead."""

from collections.abc import Sequence

from procedures.model.errors import QuorumbotError
from procedures.model.ids import RunId


class Conflict(QuorumbotError):  # noqa: N818 (an ordinary outcome: read again and decide again)
    """Somebody else appended first, so what was decided may not hold any more."""


class Locked(QuorumbotError):  # noqa: N818 (an ordinary outcome: wait for the other run)
    """Another run changes the same thing, or has changed it meanwhile when `holder` is None."""

    def __init__(self, holder: RunId | None) -> None:
        super().__init__(f"run {holder} is changing it" if holder else "another run has changed it")
        self.holder = holder


class Known(QuorumbotError):  # noqa: N818 (an ordinary outcome: it was delivered twice)
    """The same delivery has been taken in already."""


class LeaseLost(QuorumbotError):  # noqa: N818 (an ordinary outcome: stop working on the run)
    """The run belongs to another worker now, or to none."""


class Stale(QuorumbotError):  # noqa: N818 (an ordinary outcome: read again and decide again)
    """Another value is stored than the one that was to be replaced."""


def refusal(run: RunId, reply: Sequence[object]) -> QuorumbotError:
    """What the script answered instead of writing."""
    said = text(reply[0])
    if said == "locked":
        return Locked(RunId(text(reply[1])))
    if said == "stale":
        message = "What was to be replaced is another meanwhile."
        return Stale(message)
    if said == "known":
        message = "That was taken in already."
        return Known(message)
    if said == "conflict":
        message = f"Run {run} has changed meanwhile."
        return Conflict(message)
    message = f"Run {run} is in other hands ({said})."
    return LeaseLost(message)


def text(value: object) -> str:
    """Give text, whether it is decoded already or not."""
    return value.decode() if isinstance(value, bytes) else str(value)
