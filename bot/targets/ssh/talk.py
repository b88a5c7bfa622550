"""Brief talks with a machine's wrapper: one verb, one answer; again where a connection breaks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.targets.ssh import faults, words
from bot.targets.ssh.exchange import BrokenError, Exchange
from bot.targets.ssh.links import Links, way_to
from bot.targets.ssh.wrapper import command
from procedures.model.errors import InDoubt
from procedures.model.inventory import Cluster, Host
from procedures.model.paths import STATE
from procedures.model.probe import Fault

PATIENCE_MS = 20_000
"""So long a machine that was reached, and is not any more, is tried again."""

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
    """Talks with wrappers. `state` is the folder that they keep on a machine."""

    links: Links
    state: str = STATE
    patience_ms: int = PATIENCE_MS

    @asynccontextmanager
    async def begin(
        self, cluster: Cluster, host: Host, verb: Verb, *, lasts: bool = False
    ) -> AsyncIterator[Exchange]:
        """Send a verb. Raises FaultError where it was not sent, BrokenError where it may be."""
        sudo = cluster.ssh is not None and cluster.ssh.sudo
        spelt = command(verb.name, *verb.arguments, sudo=sudo, state=self.state)
        async with self.links.exchange(cluster, host, spelt, lasts=lasts) as exchange:
            if verb.data:
                await exchange.feed(verb.data)
            yield exchange

    async def once(self, cluster: Cluster, host: Host, verb: Verb) -> list[str]:
        """Do it and give the wrapper's answer; raises as `begin`, and TimeoutError."""
        async with (
            asyncio.timeout(verb.limit_ms / 1000),
            self.begin(cluster, host, verb) as exchange,
        ):
            exchange.feed_end()
            await exchange.until_over()
            check_login(cluster, host, exchange)
            return await exchange.answer()

    async def surely(self, cluster: Cluster, host: Host, what: str, verb: Verb) -> list[str]:
        """Do what is harmless to do twice, on as many connections as it takes.

        Raises Retryable or Permanent where it was never sent, InDoubt where it may have been.
        """
        loop = asyncio.get_running_loop()
        sent, until, fault = False, loop.time() + self.patience_ms / 1000, _silent(host, verb)
        while True:
            try:
                return await self.once(cluster, host, verb)
            except words.FaultError as error:
                if not sent:
                    raise words.not_begun(what, error.fault) from error
                fault = error.fault
            except (BrokenError, TimeoutError):
                sent = True
            if loop.time() > until:
                raise words.lost_sight(host, what, fault)
            await asyncio.sleep(_AGAIN_S)


def check_login(cluster: Cluster, host: Host, exchange: Exchange) -> None:
    """Raise FaultError where the login ended before the wrapper began."""
    if not exchange.begun and cluster.ssh is not None:
        way = way_to(host, cluster.ssh)
        raise faults.from_login(way, cluster.ssh, exchange.errors, exchange.status)


def unexpected(host: Host, what: str, answer: list[str]) -> InDoubt:
    """The wrapper said what it never says, or nothing."""
    said = " ".join(answer) or "nothing"
    return InDoubt(f"{what} on {words.label(host)}: its wrapper answered {said!r}.")


def _silent(host: Host, verb: Verb) -> Fault:
    return words.overdue(host, verb.name, verb.limit_ms).fault
