"""The open links of one asker: which to use, when to make a new one, when to drop one."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TypeVar

from bot.targets.etcd import faults
from bot.targets.etcd.channel import Link
from bot.targets.etcd.deadline import Deadline
from bot.targets.etcd.faults import LinkLostError
from bot.targets.etcd.proof import Prover
from bot.targets.etcd.target import Target
from bot.targets.etcd.tls import Identity

_LIFETIME_S = 60.0
"""Enough for a check and its second sample; too short for a firewall to forget the connection, or
for a name that leads elsewhere by now to matter."""

_PATIENCE = 4
"""Nothing heard on a kept link for one part in this many of the time left: ask on a new one."""

T = TypeVar("T")
Question = Callable[[Link], Coroutine[object, object, T]]


class Links:
    """At most one kept link to a target, shared by all questions to it."""

    def __init__(self, prover: Prover) -> None:
        self._prover = prover
        self._kept: dict[tuple[str, Identity | None], Link] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def ask(self, target: Target, question: Question[T], deadline: Deadline) -> T:
        """Ask on the kept link if it proves alive, else on a new one; raise `FaultError`.

        The question raises `LinkLostError` where the link broke before it learnt anything. The
        way to the member is then proven once more, which names the cause if it lasts.
        """
        self._drop_old()
        kept = self._kept.get(_key(target))
        if kept is not None:
            try:
                return await self._ask_impatiently(kept, question, deadline)
            except LinkLostError:
                self._drop(kept)
        try:
            return await self._ask_anew(target, question, deadline)
        except LinkLostError:
            pass
        try:
            return await self._ask_anew(target, question, deadline)
        except LinkLostError as error:
            raise faults.broken(target.who, str(error)) from error

    async def close(self) -> None:
        """Close all links."""
        closing = [link.close() for link in self._kept.values()]
        self._kept.clear()
        await asyncio.gather(*closing, *self._closing)

    async def _ask_anew(self, target: Target, question: Question[T], deadline: Deadline) -> T:
        address = await self._prover.prove(target, deadline)
        link = Link(target, address)
        try:
            await link.connect(deadline)
            return await self._use(link, question)
        finally:
            if link.heard_at:
                self._keep(link)
            else:
                self._drop(link)

    def _keep(self, link: Link) -> None:
        other = self._kept.get(_key(link.target))
        if other is not None:
            self._drop(other)
        self._kept[_key(link.target)] = link

    async def _ask_impatiently(self, link: Link, question: Question[T], deadline: Deadline) -> T:
        began_at = asyncio.get_running_loop().time()
        answer = asyncio.create_task(self._use(link, question))
        try:
            await asyncio.wait({answer}, timeout=deadline.left_s / _PATIENCE)
            if not answer.done() and link.heard_at < began_at:
                message = "nothing was heard on it"
                raise LinkLostError(message)
            return await answer
        finally:
            answer.cancel()

    async def _use(self, link: Link, question: Question[T]) -> T:
        """Ask a question; a link that was dropped meanwhile is closed by its last user."""
        link.users += 1
        try:
            return await question(link)
        finally:
            link.users -= 1
            if link.dropped and not link.users:
                self._close(link)

    def _drop(self, link: Link) -> None:
        """Keep a link no longer; each call on it has its deadline, so it is closed in time."""
        if self._kept.get(_key(link.target)) is link:
            del self._kept[_key(link.target)]
        link.dropped = True
        if not link.users:
            self._close(link)

    def _close(self, link: Link) -> None:
        task = asyncio.create_task(link.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _drop_old(self) -> None:
        oldest = asyncio.get_running_loop().time() - _LIFETIME_S
        for link in list(self._kept.values()):
            if link.born_at < oldest or not link.ready:
                self._drop(link)


def _key(target: Target) -> tuple[str, Identity | None]:
    return target.url, target.identity
