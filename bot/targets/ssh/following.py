"""Starting a piece of work, and following it to its end over as many connections as it takes."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from bot.targets.ssh import words
from bot.targets.ssh.exchange import BrokenError, Exchange
from bot.targets.ssh.lines import Lines
from bot.targets.ssh.talk import Talker, Verb, unexpected
from bot.targets.ssh.words import FaultError
from procedures.engine.hosts import Transcript
from procedures.model.errors import QuorumbotError
from procedures.model.host import Ended, Mark
from procedures.model.inventory import Cluster, Host
from procedures.model.probe import Fault, FaultKind

_GIVE_BACK_S = 1.0
"""So often output that is stored is given back to the machine's disk."""

_AGAIN_S = 0.5
_GRACE_S = 60.0
"""So much later than its limit a piece of work may be over: it is given time to end."""


@dataclass(slots=True)
class Follower:
    """One caller's view of one piece of work."""

    talker: Talker
    cluster: Cluster
    host: Host
    mark: Mark
    transcript: Transcript
    what: str
    _said: int = 0
    """So many bytes of the output were said; the transcript may have stored less of it."""
    _given_back: int = 0
    _begun: bool = False

    async def run(self, argv: Sequence[str], limit_ms: int, stdin: bytes) -> Ended:
        """Start it, or find it, and follow it to its end."""
        self._said = self.transcript.stored
        try:
            async with asyncio.timeout(limit_ms / 1000 + _GRACE_S):
                return await self._persist(argv, limit_ms, stdin)
        except TimeoutError as error:
            fault = words.overdue(self.host, self.what.strip("`"), limit_ms).fault
            raise words.lost_sight(self.host, self.what, fault) from error

    async def _persist(self, argv: Sequence[str], limit_ms: int, stdin: bytes) -> Ended:
        loop = asyncio.get_running_loop()
        seen_at = loop.time()
        fault = Fault(FaultKind.UNREACHABLE, "The connection broke.")
        while True:
            said = self._said
            try:
                verb = self._verb(argv, limit_ms, stdin)
                async with self.talker.begin(self.cluster, self.host, verb, lasts=True) as exchange:
                    self._begun = True
                    exchange.feed_end()
                    ended = await self._follow(exchange)
                if ended is not None:
                    return ended
                seen_at = loop.time()
            except FaultError as error:
                if not self._begun:
                    raise words.not_begun(self.what, error.fault) from error
                fault = error.fault
            except BrokenError:
                self._begun = True
                if self._said != said:
                    seen_at = loop.time()
            if loop.time() - seen_at > self.talker.patience_ms / 1000:
                raise words.lost_sight(self.host, self.what, fault)
            await asyncio.sleep(_AGAIN_S)

    def _verb(self, argv: Sequence[str], limit_ms: int, stdin: bytes) -> Verb:
        """The start, or a look for it, from where the output was said."""
        limit = f"{max(limit_ms, 1) / 1000:.3f}"
        size = str(len(stdin))
        place = (self.mark.run, self.mark.key)
        return Verb("run", (*place, limit, size, str(self._said), *argv), stdin)

    async def _follow(self, exchange: Exchange) -> Ended | None:
        """Follow on one connection; None where it goes on, and has to be looked for again."""
        first = await exchange.answer()
        if not first:
            await exchange.until_over()
        if first[:1] != ["from"]:
            raise self._refusal(first)
        lines = Lines(int(first[1]))
        self._said = lines.taken
        giving_back = asyncio.create_task(self._give_back_regularly())
        try:
            async for chunk in exchange.out():
                for line in lines.feed(chunk):
                    await self._hand_on(line, lines)
        finally:
            giving_back.cancel()
            await asyncio.wait([giving_back])
        return await self._ended(exchange.last, lines)

    async def _hand_on(self, line: str, lines: Lines) -> None:
        await self.transcript.say(line, lines.taken)
        self._said = lines.taken

    async def _ended(self, answer: list[str], lines: Lines) -> Ended | None:
        match answer:
            case ["ended", status, size] if int(size) <= lines.taken + lines.waiting:
                for line in lines.end():
                    await self._hand_on(line, lines)
                return Ended(int(status))
            case ["lost", size] if int(size) <= lines.taken + lines.waiting:
                for line in lines.end():
                    await self._hand_on(line, lines)
                raise words.lost(self.host, self.what)
            case ["ended" | "lost", _, *_] | ["running", _]:
                return None
            case _:
                raise unexpected(self.host, self.what, answer)

    def _refusal(self, answer: list[str]) -> QuorumbotError | BrokenError:
        match answer:
            case ["never"]:
                return words.kept(self.host, self.mark)
            case ["forgotten"]:
                return words.forgotten(self.host, self.mark)
            case ["short"]:
                return BrokenError()
            case ["failed", *why]:
                return words.failed(self.host, self.what, " ".join(why))
            case _:
                return unexpected(self.host, self.what, answer)

    async def _give_back_regularly(self) -> None:
        """What is stored nobody reads on the machine again."""
        while True:
            await asyncio.sleep(_GIVE_BACK_S)
            await self._give_back(self.transcript.stored)

    async def _give_back(self, stored: int) -> None:
        if stored <= self._given_back:
            return
        verb = Verb("said", (self.mark.run, self.mark.key, str(stored)), limit_ms=5_000)
        with suppress(FaultError, BrokenError, TimeoutError):
            await self.talker.once(self.cluster, self.host, verb)
            self._given_back = stored
