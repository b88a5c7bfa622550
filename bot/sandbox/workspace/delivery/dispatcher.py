"""Delivery of payloads: chooses the transport, waits for the ack, applies faults."""

import asyncio
import time

from bot.sandbox.workspace.app import Installation
from bot.sandbox.workspace.delivery.acks import Acks
from bot.sandbox.workspace.delivery.envelope import ACK_SECONDS, Ack, Envelope, Transport
from bot.sandbox.workspace.faults import FaultKind, Faults

# Un-acked events come again at once, after a minute and after five.
_EVENT_RETRIES = (0.0, 60.0, 300.0)


class Dispatcher:
    """Delivers payloads to the app."""

    def __init__(
        self,
        *,
        acks: Acks,
        faults: Faults,
        installation: Installation,
        socket: Transport,
        http: Transport,
    ) -> None:
        """Use `http` while the installation has a Request URL, else `socket`."""
        self._acks = acks
        self._faults = faults
        self._installation = installation
        self._socket = socket
        self._http = http
        self._retries: set[asyncio.Task[None]] = set()

    async def deliver(self, envelope: Envelope, *, attempt: int = 0) -> Ack:
        """Deliver and wait for the ack, three seconds of real time at most."""
        started = time.perf_counter()
        transport = self._http if self._installation.request_url else self._socket
        with self._acks.expect(envelope.id) as future:
            sent = await transport.send(envelope, attempt)
            if sent and self._faults.take(FaultKind.DUPLICATE):
                await transport.send(envelope, attempt + 1)
            if not sent:
                return Ack(acked=False, ms=_since(started), sent=False)
            try:
                response = await asyncio.wait_for(future, ACK_SECONDS)
            except TimeoutError:
                return Ack(acked=False, ms=_since(started))
        return Ack(acked=True, ms=_since(started), response=response)

    async def deliver_event(self, envelope: Envelope) -> Ack:
        """Deliver an event; one that is not acked is tried again in the background."""
        ack = await self.deliver(envelope)
        if not ack.acked:
            task = asyncio.create_task(self._retry(envelope))
            self._retries.add(task)
            task.add_done_callback(self._retries.discard)
        return ack

    async def close(self) -> None:
        """Give up what would be tried again."""
        for task in self._retries:
            task.cancel()
        await asyncio.gather(*self._retries, return_exceptions=True)

    async def _retry(self, envelope: Envelope) -> None:
        for attempt, delay in enumerate(_EVENT_RETRIES, start=1):
            await asyncio.sleep(delay)
            if (await self.deliver(envelope, attempt=attempt)).acked:
                return


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1_000
