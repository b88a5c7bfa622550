"""Whether etcd runs on a host, and waiting until it does or does not."""

import shlex
from dataclasses import dataclass

from procedures.actions.host.pieces import Piece, do, holds, reach, settled
from procedures.engine.ports import Finding, Happened, Look, NotHappened, Unclear, Work, World
from procedures.model.errors import Permanent, Retryable
from procedures.model.host import At, NeverStarted
from procedures.model.inventory import Cluster, Host
from procedures.model.platform import Layout
from procedures.model.probe import Fault

_POLL_MS = 250
_QUIET_MS = 5_000


@dataclass(frozen=True, slots=True)
class Service:
    """etcd on one host, as its platform runs it."""

    cluster: Cluster
    host: Host
    how: Layout

    async def armed(self, look: Look) -> bool:
        """Tell whether there may be something to stop. Raises Retryable."""
        if self.how.armed is None:
            return await self.runs(look)
        return await holds(look, self.cluster, self.host, self.how.armed)

    async def prepare(self, world: World, work: Work) -> None:
        """Make the folder that stopping needs. A late duplicate finds it there."""
        folder, argv = self.how.beside, self.how.before_stop
        if (
            folder
            and argv
            and not await holds(world, self.cluster, self.host, ("test", "-d", folder))
        ):
            await do(world, work, self.cluster, self.host, Piece("folder", argv))

    async def runs(self, look: Look) -> bool:
        """Tell whether an etcd process is there. Raises Retryable where nobody can tell."""
        return await holds(look, self.cluster, self.host, self.how.stopped)

    async def let_go(self, look: Look) -> None:
        """Make sure that nothing makes the host run it again. Raises Permanent.

        Where a file is in its way, `mv --no-clobber` moves nothing and may end with status 0; a
        pod that fails over and over has no process at times.
        """
        if self.how.armed is None or not await self.armed(look):
            return
        message = (
            f"{self.host.name} is still told to run etcd, although `{shlex.join(self.how.stop)}` "
            "ended with status 0: something is in its way. Look at both files, move one of them "
            "elsewhere, and resume."
        )
        raise Permanent(message)

    async def stays_off(self, look: Look) -> None:
        """Make sure that no boot starts it either. Raises Permanent, Retryable."""
        await self.let_go(look)
        if self.how.unit is None:
            return
        argv = ("systemctl", "is-enabled", self.how.unit)
        said = await look.hosts.ask(self.cluster, self.host, argv)
        if isinstance(said, Fault):
            raise Retryable(said.message)
        if said.out.strip() in {"enabled", "enabled-runtime"}:
            message = (
                f"{self.how.unit} on {self.host.name} is still enabled: the next boot would start "
                "it. Look at what `systemctl disable` says there, and resume."
            )
            raise Permanent(message)

    async def found_off(self, look: Look, work: Work) -> Finding:
        """Tell whether what was told to go has gone, for a step that was interrupted."""
        if not await self.ended(look, work):
            return NotHappened()
        try:
            await self.stays_off(look)
        except Permanent:
            return NotHappened()
        except Retryable as error:
            return Unclear(str(error))
        return Happened()

    async def known(self, look: Look) -> bool:
        """Tell whether systemd has ever heard of its unit. Raises Retryable."""
        if self.how.unit is None:
            return True
        argv = ("systemctl", "show", "--property=LoadState", self.how.unit)
        said = await look.hosts.ask(self.cluster, self.host, argv)
        if isinstance(said, Fault):
            raise Retryable(said.message)
        return "LoadState=not-found" not in said.out

    async def given_up(self, look: Look) -> bool:
        """Tell whether something has to be done before it can start. Raises Retryable."""
        if self.how.given_up is None:
            return False
        said = await look.hosts.ask(self.cluster, self.host, self.how.given_up)
        if isinstance(said, Fault):
            raise Retryable(said.message)
        return said.status == 0

    async def gone(self, look: Look, work: Work) -> bool:
        """Wait until no etcd runs; tells whether that came."""
        return await self._comes(look, work, self.how.stop_within_ms, runs=False)

    async def ended(self, look: Look, work: Work) -> bool:
        """Wait until no etcd runs, nor comes back; tells whether that came.

        A static pod that fails over and over has no process for most of the time, and may get one
        more until the kubelet has noticed that its manifest is gone.
        """
        quiet_ms = 0 if self.how.armed is None else _QUIET_MS
        within_ms = self.how.stop_within_ms
        return await self._comes(look, work, within_ms, runs=False, quiet_ms=quiet_ms)

    async def there(self, look: Look, work: Work) -> bool:
        """Wait until an etcd runs; tells whether that came."""
        return await self._comes(look, work, self.how.start_within_ms, runs=True)

    async def _comes(
        self, look: Look, work: Work, within_ms: int, *, runs: bool, quiet_ms: int = 0
    ) -> bool:
        """Wait, also when somebody has asked for the end: first it must be known what is."""
        held = 0
        for _ in range(within_ms // _POLL_MS):
            try:
                held = held + 1 if await self.runs(look) is runs else 0
                if held > quiet_ms // _POLL_MS:
                    return True
            except Retryable as error:
                await work.say(str(error))
            await work.rest(_POLL_MS)
        return False


async def begun(
    world: World, work: Work, cluster: Cluster, at: At, *pieces: Piece
) -> tuple[Host, Piece] | NotHappened | Unclear:
    """Settle the pieces of an interrupted step; gives the first of them that was ever started."""
    try:
        host = await reach(world, cluster, at)
    except (Retryable, Permanent) as error:
        return Unclear(str(error))
    for piece in pieces:
        trace = await settled(world, work, cluster, host, piece)
        if isinstance(trace, Unclear):
            return trace
        if not isinstance(trace, NeverStarted):
            return host, piece
    return NotHappened()
