"""What goes wrong is told in the words of others: no event keeps a secret that is in them."""

import pytest

from bot.redacting import redacted
from procedures.model.events import (
    Asked,
    Cancelled,
    Doubted,
    Event,
    Expired,
    Failed,
    PutOff,
    RefusedBy,
)
from procedures.model.redaction.redactor import Redactor

SECRET = "correct horse battery staple"  # noqa: S105 - of the test's own
SAID = f"it said {SECRET}"
REDACTOR = Redactor({"store-key": SECRET.encode()})
EVENTS: tuple[Event, ...] = (
    Failed(SAID, 1),
    Doubted(1, SAID),
    RefusedBy(SAID),
    Cancelled(SAID),
    Expired(SAID),
    PutOff(1, 1, 3, 1_000, SAID),
    Asked(1, 2, SAID),
)


@pytest.mark.parametrize("event", EVENTS, ids=[event.kind for event in EVENTS])
def test_it_is_left_out(event: Event) -> None:
    """And its name is put there; the rest stays."""
    after = redacted(event, REDACTOR)
    assert type(after) is type(event)
    assert SECRET not in repr(after)
    assert "it said [secret store-key]" in repr(after)


@pytest.mark.parametrize("event", [Asked(1, 1), Failed("it is down.", 1)], ids=["asked", "failed"])
def test_what_holds_none_stays(event: Event) -> None:
    """To the letter."""
    assert redacted(event, REDACTOR) == event
