"""Acks that are awaited, matched by envelope id."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bot.sandbox.workspace.faults import FaultKind, Faults
from bot.sandbox.workspace.wire import Wire


@dataclass(slots=True)
class _Awaited:
    future: asyncio.Future[Wire | None]
    lost: bool = False


class Acks:
    """Resolves each envelope once; later and unknown acks are ignored."""

    def __init__(self, faults: Faults) -> None:
        """Let `faults` decide which acks get lost."""
        self._faults = faults
        self._awaited: dict[str, _Awaited] = {}

    @contextmanager
    def expect(self, envelope_id: str) -> Iterator[asyncio.Future[Wire | None]]:
        """Await an ack for the length of the block."""
        awaited = _Awaited(asyncio.get_running_loop().create_future())
        self._awaited[envelope_id] = awaited
        try:
            yield awaited.future
        finally:
            del self._awaited[envelope_id]

    def resolve(self, envelope_id: str, response: Wire | None) -> None:
        """Take an ack; with the fault `drop_ack` every ack of this envelope is lost."""
        awaited = self._awaited.get(envelope_id)
        if awaited is None or awaited.lost or awaited.future.done():
            return
        if self._faults.take(FaultKind.DROP_ACK):
            awaited.lost = True
            return
        awaited.future.set_result(response or None)
