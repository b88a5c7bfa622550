"""Talks with a machine: a verb for the wrapper and its answers, again where that is harmless."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.targets.ssh import faults, words
from bot.targets.ssh.exchange import BrokenError, Exchange
from bot.targets.ssh.links import Links, way_to
from bot.targets.ssh.words import FaultError
from bot.targets.ssh.wrapper import command, installation, place
from procedures.model.errors import InDoubt
from procedures.model.inventory import Cluster, Host
from procedures.model.paths import STATE
from procedures.model.probe import FaultKind

PATIENCE_MS = 20_000
"""So long a machine that was reached, and is not any more, is tried again."""

_BEGIN_S = 30.0
_AGAIN_S = 0.5


@dataclass(frozen=True, slots=True)
class Verb:
    """What the wrapper is to do. `data` goes to its stdin; it may take `limit_ms`."""

    name: str
    arguments: tuple[str, ...] = ()
    data: bytes = b""
    limit_ms: int = 30_000


@dataclass(slots=True)
class Talker:
    """Talks with machines. `state` is the folder that is kept on them."""

    links: Links
    state: str = STATE
    patience_ms: int = PATIENCE_MS

    @asynccontextmanager
    async def begin(
        self, cluster: Cluster, host: Host, verb: Verb, *, lasts: bool = False
    ) -> AsyncIterator[Exchange]:
        """Let the wrapper begin with a verb; where it is not there yet, it is put there.

        Raises FaultError where it did not begin, BrokenError where nobody knows.
        """
        sudo = cluster.ssh is not None and cluster.ssh.sudo
        for installed in (False, True):
            spelt = command(verb.name, *verb.arguments, sudo=sudo, state=self.state)
            async with self.links.exchange(cluster, host, spelt, lasts=lasts) as exchange:
                if await _begins(exchange):
                    if verb.data:
                        await exchange.feed(verb.data)
                    yield exchange
                    return
            if installed or place(self.state).encode() not in exchange.errors:
                raise _not_begun(cluster, host, exchange)
            await self._install(cluster, host)

    async def once(self, cluster: Cluster, host: Host, verb: Verb) -> list[str]:
        """Do it and give the wrapper's answer; raises as `begin`, and TimeoutError."""
        async with (
            asyncio.timeout(verb.limit_ms / 1000),
            self.begin(cluster, host, verb) as exchange,
        ):
            exchange.feed_end()
            await exchange.until_over()
            return await exchange.answer()

    async def surely(self, cluster: Cluster, host: Host, what: str, verb: Verb) -> list[str]:
        """Do what is harmless to do twice, on as many connections as it takes.

        Raises Retryable or Permanent where it never began, InDoubt where it may have.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + self.patience_ms / 1000
        sent, fault = False, words.overdue(host, verb.name, verb.limit_ms).fault
        while True:
            try:
                return await self.once(cluster, host, verb)
            except FaultError as error:
                if not sent:
                    raise words.not_begun(what, error.fault) from error
                fault = error.fault
            except (BrokenError, TimeoutError):
                sent = True
            if loop.time() > until:
                raise words.lost_sight(host, what, fault)
            await asyncio.sleep(_AGAIN_S)

    async def _install(self, cluster: Cluster, host: Host) -> None:
        what = installation()
        sizes = (str(len(what.act)), str(len(what.work)))
        verb = Verb("install", (what.name, *sizes), what.act + what.work)
        answer = await self.once(cluster, host, verb)
        if answer == ["installed"]:
            return
        if answer == ["short"]:
            raise BrokenError
        why = " ".join(answer[1:]) or "nobody says why"
        message = f"{self.state} on {words.label(host)} cannot be used: {why}."
        kind = FaultKind.SERVER if words.NO_SPACE in why else FaultKind.DENIED
        raise FaultError(kind, message)


def unexpected(host: Host, what: str, answer: list[str]) -> InDoubt:
    """The wrapper said what it never says, or nothing."""
    said = " ".join(answer) or "nothing"
    return InDoubt(f"{what} on {words.label(host)}: its wrapper answered {said!r}.")


async def _begins(exchange: Exchange) -> bool:
    try:
        async with asyncio.timeout(_BEGIN_S):
            return await exchange.until_begun()
    except TimeoutError as error:
        raise BrokenError from error


def _not_begun(cluster: Cluster, host: Host, exchange: Exchange) -> FaultError:
    if cluster.ssh is None:
        return words.no_access(cluster)
    way = way_to(host, cluster.ssh)
    return faults.from_login(way, cluster.ssh, exchange.errors, exchange.status)
