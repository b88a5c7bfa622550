"""Whom a look waits for: not for the host of a member that is gone for good."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from urllib.parse import urlsplit

from bot.targets.etcd.core import unasked
from procedures.model.ids import MemberName
from procedures.model.probe import Fault, FaultKind, MemberProbe, Read, Status

Asked = tuple[str, MemberName | None, Coroutine[object, object, MemberProbe]]


async def in_time(
    asked: Sequence[Asked], hopeless: Callable[[str], bool]
) -> tuple[MemberProbe, ...]:
    """Ask all at once, and wait for all that matter.

    `hopeless` tells of a URL whether connecting was in vain a moment ago. Such a one is not waited
    for once most have answered, as one cluster, and none of their member lists has it.
    """
    tasks = [asyncio.create_task(question) for _, _, question in asked]
    try:
        waiting = set(tasks)
        while waiting and not _enough(asked, tasks, hopeless):
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    return tuple(
        unasked(url, member, _no_member(url)) if task.cancelled() else task.result()
        for (url, member, _), task in zip(asked, tasks, strict=True)
    )


def _enough(
    asked: Sequence[Asked],
    tasks: Sequence[asyncio.Task[MemberProbe]],
    hopeless: Callable[[str], bool],
) -> bool:
    pending = [
        (url, member)
        for (url, member, _), task in zip(asked, tasks, strict=True)
        if not task.done()
    ]
    if not all(hopeless(url) for url, _ in pending):
        return False
    told = [task.result() for task in tasks if task.done()]
    return _in_agreement(told, len(asked)) and not any(_listed(*each, told) for each in pending)


def _in_agreement(told: Sequence[MemberProbe], asked: int) -> bool:
    """More than half are of one cluster, and a list of its has quorum behind it."""
    own = [(probe, probe.status) for probe in told if isinstance(probe.status, Status)]
    clusters = Counter(status.cluster_id for _, status in own)
    most, count = clusters.most_common(1)[0] if clusters else ("", 0)
    return count * 2 > asked and any(
        isinstance(probe.members, tuple)
        and isinstance(probe.read, Read)
        and probe.read.linearizable
        for probe, status in own
        if status.cluster_id == most
    )


def _listed(url: str, member: MemberName | None, told: Sequence[MemberProbe]) -> bool:
    """Whether anybody's list has it: by name, or by a host in one of the URLs."""
    for probe in told:
        for row in probe.members if isinstance(probe.members, tuple) else ():
            hosts = {urlsplit(each).hostname for each in (*row.client_urls, *row.peer_urls)}
            if row.name == member or urlsplit(url).hostname in hosts:
                return True
    return False


def _no_member(url: str) -> Fault:
    message = f"{url} could not be reached a moment ago, and no member list has it."
    return Fault(FaultKind.SKIPPED, message)
