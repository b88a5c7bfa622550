"""Taking away what a run has left on hosts, when it ends and nothing of it is under way.

A run that failed may be resumed: what it has left stays, until it is a week old and cleared away
at the next use, and so does that of a host which cannot be reached now.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields

from pydantic import JsonValue

from procedures.engine.pen import Pen
from procedures.engine.ports import Cancelling, World
from procedures.model.errors import QuorumbotError
from procedures.model.host import At
from procedures.model.inventory import Cluster, Host

_WITHIN_S = 20.0
_AT = {each.name for each in fields(At)}


async def clear(pen: Pen, world: World) -> None:
    """Forget the run on all hosts of the steps that were begun; nothing of it starts late then."""
    plan, begun = pen.run.plan, pen.run.steps
    if plan is None or not begun:
        return
    cluster = world.inventory.clusters[plan.cluster]
    names = {name for step in plan.steps if step.number in begun for name in _named(step.args)}
    hosts = [each for each in cluster.hosts if each.name in names]
    if not hosts:
        return
    with suppress(Cancelling):
        await pen.work(max(begun)).guard()
    await asyncio.gather(*(_forget(pen, world, cluster, each) for each in hosts))


async def _forget(pen: Pen, world: World, cluster: Cluster, host: Host) -> None:
    try:
        async with asyncio.timeout(_WITHIN_S):
            await world.on_hosts.forget(cluster, host, pen.run.id)
    except TimeoutError:
        why = f"it takes longer than {_WITHIN_S:.0f} s."
    except QuorumbotError as error:
        why = str(error)
    else:
        return
    work = pen.work(max(pen.run.steps))
    await work.say(f"{host.name}: what is kept there of this run is cleared away later: {why}")


def _named(value: JsonValue | Mapping[str, JsonValue]) -> Iterator[str]:
    """The hosts that a step's arguments name."""
    if isinstance(value, Mapping):
        if set(value) == _AT:
            yield str(value["host"])
        for each in value.values():
            yield from _named(each)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for each in value:
            yield from _named(each)
