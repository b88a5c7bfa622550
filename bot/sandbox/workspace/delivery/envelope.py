"""A payload on its way to the app, and what came back."""

import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from bot.sandbox.workspace.wire import Wire

ACK_SECONDS = 3.0


class EnvelopeType(StrEnum):
    """What kind of payload an envelope carries."""

    SLASH = "slash_commands"
    INTERACTIVE = "interactive"
    EVENT = "events_api"


@dataclass(frozen=True, slots=True)
class Envelope:
    """One payload; its id stays the same however often it is delivered."""

    type: EnvelopeType
    payload: Wire
    accepts_response: bool = False
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def frame(self, attempt: int) -> Wire:
        """Return the Socket Mode frame of delivery number `attempt`, counted from 0."""
        frame: Wire = {
            "envelope_id": self.id,
            "type": self.type.value,
            "accepts_response_payload": self.accepts_response,
            "payload": self.payload,
        }
        if attempt or self.type is EnvelopeType.EVENT:
            frame |= {
                "retry_attempt": attempt,
                "retry_reason": "timeout" if attempt else "",
            }
        return frame


@dataclass(frozen=True, slots=True)
class Ack:
    """The outcome of a delivery; `response` is what the app answered, None when nothing."""

    acked: bool
    ms: float
    response: Wire | None = None
    sent: bool = True
    """Whether there was anything to send it to."""

    def wire(self) -> Wire:
        """Return the answer of the control API."""
        return {"acked": self.acked, "ack_ms": round(self.ms, 2), "response": self.response}


class Transport(Protocol):
    """A way to the app."""

    async def send(self, envelope: Envelope, attempt: int) -> bool:
        """Send once without waiting for the ack; False when the app cannot be reached."""
        ...
