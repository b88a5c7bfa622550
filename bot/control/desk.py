"""What the answers are made from, and which runs somebody may hear of."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from redis.asyncio import Redis

from bot.deciding import Decisions
from bot.gate import StoreGate
from bot.ports import Caller
from bot.store.pauses import Pauses
from commands.grammar import Ask
from procedures.model.errors import Refused
from procedures.model.ids import ClusterName, RunId
from procedures.model.inventory import Inventory
from procedures.model.run import Run

_HANDS = 20
"""So many runs are read at once."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The store, the configuration, and the time."""

    redis: Redis
    gate: StoreGate
    decisions: Decisions
    inventory: Inventory
    now_ms: Callable[[], int]

    @property
    def pauses(self) -> Pauses:
        """Which clusters are paused."""
        return Pauses(self.redis)

    def clusters(self, caller: Caller) -> frozenset[ClusterName]:
        """The clusters whose runs may be spoken of where the caller is."""
        return frozenset(each.name for each in self.inventory.in_channel(caller.channel))

    async def find(self, wanted: Ask, caller: Caller) -> Run:
        """The run that is meant. Raises Refused where the caller may not hear of it."""
        name = RunId(str(wanted.args["run"]))
        for run in await self.read([name], caller):
            return run
        message = f"There is no run {name} here."
        raise Refused(message)

    async def read(self, names: Iterable[RunId], caller: Caller) -> list[Run]:
        """Read those runs of which the caller may hear, in order."""
        hands = asyncio.Semaphore(_HANDS)

        async def one(name: RunId) -> Run | None:
            async with hands:
                return await self.gate.run(name)

        runs = await asyncio.gather(*(one(name) for name in names))
        allowed = self.clusters(caller)
        return [run for run in runs if run is not None and run.request.cluster in allowed]
