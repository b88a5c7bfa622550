"""What steps on machines have in common: the machine that is meant, and marked work on it.

A step is one or more pieces of work, each a command that runs once under its mark. An interrupted
one is settled: it has ended, or it is followed to its end, or it can never start any more.
"""

import asyncio
import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from procedures.engine.ports import (
    Cancelling,
    Finding,
    Happened,
    Look,
    NotHappened,
    Unclear,
    Work,
    World,
)
from procedures.model.errors import InDoubt, Permanent, Retryable
from procedures.model.host import At, Ended, Lost, NeverStarted, Running
from procedures.model.inventory import Cluster, Host
from procedures.model.probe import Fault


@dataclass(frozen=True, slots=True)
class Piece:
    """One command of a step, under a name that is its own within the step.

    One that is to be `whole` is not stopped when somebody asks for the end of the run: part of
    it, such as half of the new files, is worse than none and than all.
    """

    name: str
    argv: Sequence[str]
    limit_ms: int = 120_000
    whole: bool = False

    @property
    def stoppable(self) -> bool:
        """Whether what it does ends with it. `systemctl` only asks, and waits: systemd goes on.

        Whoever ended it would be told nothing of what comes, such as an etcd that stops later.
        """
        return not self.whole and self.argv[0] != "systemctl"


async def reach(look: Look, cluster: Cluster, at: At) -> Host:
    """Find the machine that is meant, and make sure that it is still the same installation.

    Raises Retryable where it cannot be reached, Permanent where it is another one.
    """
    host = next((each for each in cluster.hosts if each.name == at.host), None)
    if host is None:
        message = f"{at.host} is not among the hosts of {cluster.name} any more."
        raise Permanent(message)
    machine = await look.hosts.machine(cluster, host)
    if isinstance(machine, Fault):
        raise Retryable(machine.message)
    if machine.machine_id != at.machine_id:
        message = (
            f"{at.host} is another installation than the one that was approved "
            f"({machine.machine_id}, not {at.machine_id}). Ask again, to have the plan made anew."
        )
        raise Permanent(message)
    return host


async def holds(look: Look, cluster: Cluster, host: Host, argv: Sequence[str]) -> bool:
    """Ask a question whose answer is status 0 or 1. Raises Retryable where nobody can tell."""
    said = await look.hosts.ask(cluster, host, argv)
    if isinstance(said, Fault):
        raise Retryable(said.message)
    if said.status not in {0, 1}:
        message = f"`{shlex.join(argv)}` on {host.name} ended with {said.status}: {said.err[:300]}"
        raise Retryable(message)
    return said.status == 0


async def do(
    world: World, work: Work, cluster: Cluster, host: Host, piece: Piece, *, finish: bool = False
) -> None:
    """Run a piece of work to its end. Raises Permanent where it fails.

    When somebody asks for the end of the run meanwhile, it is stopped: raises Cancelling once
    nothing of it is left, InDoubt where nobody can tell. One that is to `finish` what another has
    begun runs to its end also then, and is begun: half of the step, such as an etcd that is
    stopped and not started, is worse than all of it.
    """
    typed = shlex.join(piece.argv)
    await work.say(f"{host.name}: {typed}")
    try:
        await work.guard()
    except Cancelling:
        if not finish:
            raise
    follow = _until_cancelled if piece.stoppable and not finish else _followed
    ended = await follow(world, work, cluster, host, piece)
    if ended.status:
        late = f", over its limit of {piece.limit_ms // 1_000} s" if ended.status == 124 else ""
        message = f"`{typed}` on {host.name} ended with status {ended.status}{late}."
        raise Permanent(message)


async def settled(
    world: World, work: Work, cluster: Cluster, host: Host, piece: Piece
) -> Ended | Lost | NeverStarted | Unclear:
    """Look for a piece of an interrupted attempt; what still runs is followed to its end.

    It is stopped instead where somebody has asked for the end of the run. What it printed and
    nobody has stored is said, also where it is over already.
    """
    try:
        trace = await world.on_hosts.settle(cluster, host, work.mark(piece.name))
        if isinstance(trace, Running) and piece.stoppable:
            return await _until_cancelled(world, work, cluster, host, piece)
        if isinstance(trace, Running | Ended):
            return await _followed(world, work, cluster, host, piece)
        if isinstance(trace, Lost):
            with suppress(InDoubt):  # which says once more that it is lost
                await _followed(world, work, cluster, host, piece)
    except Cancelling:
        return await settled(world, work, cluster, host, piece)
    except (InDoubt, Retryable) as error:
        return Unclear(str(error))
    return trace


async def _until_cancelled(
    world: World, work: Work, cluster: Cluster, host: Host, piece: Piece
) -> Ended:
    """Follow a piece to its end, or end it when somebody asks for that; then raise Cancelling."""
    following = asyncio.create_task(_followed(world, work, cluster, host, piece))
    cancelling = asyncio.create_task(work.cancelling())
    try:
        await asyncio.wait((following, cancelling), return_when=asyncio.FIRST_COMPLETED)
        if not following.done():
            await _stop(world, work, cluster, host, piece)
            await asyncio.wait([following])  # it says the rest; what became of it is looked for
            await work.say(f"{host.name}: nothing of it runs any more")
            raise Cancelling(piece.name)
        return following.result()
    finally:
        following.cancel()
        cancelling.cancel()
        await asyncio.gather(following, cancelling, return_exceptions=True)


async def _stop(world: World, work: Work, cluster: Cluster, host: Host, piece: Piece) -> None:
    """End a piece, and confirm that nothing of it is left. Raises InDoubt."""
    typed = shlex.join(piece.argv)
    await work.say(f"{host.name}: somebody has asked for the end: stopping {typed}")
    with suppress(Cancelling):
        await work.guard()
    trace = await world.on_hosts.stop(cluster, host, work.mark(piece.name))
    if isinstance(trace, Running):
        message = f"`{typed}` on {host.name} was killed, and still runs: it waits for a device."
        raise InDoubt(message)


async def _followed(world: World, work: Work, cluster: Cluster, host: Host, piece: Piece) -> Ended:
    mark = work.mark(piece.name)
    return await world.on_hosts.run(
        cluster,
        host,
        mark,
        piece.argv,
        limit_ms=piece.limit_ms,
        transcript=work.transcript(host.name, mark),
    )


async def ended(world: World, work: Work, cluster: Cluster, at: At, piece: Piece) -> Finding:
    """Look whether a step of one piece came to its end, with status 0.

    For what may be done again where it broke off: a piece that is lost counts as not done.
    """
    try:
        host = await reach(world, cluster, at)
    except (Retryable, Permanent) as error:
        return Unclear(str(error))
    trace = await settled(world, work, cluster, host, piece)
    if isinstance(trace, Unclear):
        return trace
    return Happened() if trace == Ended(0) else NotHappened()
