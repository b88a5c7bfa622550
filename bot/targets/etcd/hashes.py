"""HashKV, which reads a member's whole key space, once for all who ask within a while."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field

from procedures.model.ids import ClusterName
from procedures.model.probe import Fault, HashKv

_SHARED_MS = 30_000

Hash = Callable[[str, int], Coroutine[object, object, HashKv | Fault]]
"""Hash the data of an endpoint up to a revision."""


@dataclass(slots=True)
class _Round:
    """Hashes at one revision, because only those can be compared."""

    began_ms: int
    revision: int
    answers: dict[str, asyncio.Task[HashKv | Fault]] = field(default_factory=dict)


class SharedHashes:
    """Answers of one asker's clusters. A fault is not shared, once it is known."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._rounds: dict[ClusterName, _Round] = {}

    async def get(
        self,
        cluster: ClusterName,
        endpoints: Sequence[str],
        revision: int,
        hash_kv: Hash,
        *,
        fresh: bool = False,
    ) -> Mapping[str, HashKv | Fault]:
        """Give hashes at the given revision, or at that of others who asked in the last 30 s.

        Where they are to be `fresh`, nobody's answer of before is one: at an endpoint there may be
        another member by now.
        """
        now_ms = self._now_ms()
        current = self._rounds.get(cluster)
        if fresh or current is None or not 0 <= now_ms - current.began_ms < _SHARED_MS:
            current = self._rounds[cluster] = _Round(now_ms, revision)
        for endpoint in endpoints:
            if _to_be_asked(current.answers.get(endpoint)):
                current.answers[endpoint] = asyncio.create_task(hash_kv(endpoint, current.revision))
        waiting = {endpoint: current.answers[endpoint] for endpoint in endpoints}
        if waiting:
            await asyncio.wait(waiting.values())
        return {endpoint: answer.result() for endpoint, answer in waiting.items()}

    async def close(self) -> None:
        """Give up what is under way."""
        tasks = [task for one in self._rounds.values() for task in one.answers.values()]
        self._rounds.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _to_be_asked(answer: asyncio.Task[HashKv | Fault] | None) -> bool:
    if answer is None:
        return True
    if not answer.done():
        return False
    return (
        answer.cancelled() or answer.exception() is not None or isinstance(answer.result(), Fault)
    )
