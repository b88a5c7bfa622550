"""Putting new certificates and keys in the place of former ones. (catalogue P66; rule R17)

etcd reads these files at each handshake. So whether it can use the new ones shows at once, before
anything is restarted; where it cannot, the former ones are put back.
"""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.etcd.check_served import SERVED_WITHIN_S, by_port, not_served
from procedures.actions.etcd.target import same
from procedures.actions.host.make_keys import public_key
from procedures.actions.host.pieces import Piece, do, holds, reach
from procedures.actions.host.service import begun
from procedures.engine.ports import Finding, Look, NotHappened, Work, World
from procedures.etcd.observe import observed
from procedures.model import certificate, quorum
from procedures.model.certificate import Leaf
from procedures.model.errors import Permanent, Refused, Retryable
from procedures.model.host import At, FileSeen
from procedures.model.ids import ClusterName, RunId
from procedures.model.inventory import Cluster, Host
from procedures.model.member import Identity
from procedures.model.probe import Fault
from procedures.model.restoring import RUN
from procedures.model.signing import Beside, NewPair


@dataclass(frozen=True, slots=True)
class PlaceCertificates:
    """Give new files their owner and mode, keep the former ones, and put the new ones in place.

    `new` are the SHA-256 sums of the certificates that were signed. With `member`, its ports have
    to show them then, or the former files are put back; `outage` accepts that nobody serves if it
    fails, where no voter can be spared. A late duplicate is harmless: each command
    bears a mark on the host, under which it runs once.
    """

    KIND: ClassVar[str] = "host.place-certificates/1"

    cluster: ClusterName
    at: At
    pairs: tuple[NewPair, ...]
    new: tuple[str, ...]
    member: Identity | None = None
    outage: bool = False

    @property
    def command(self) -> str:
        """The exact commands."""
        beside = Beside(self.pairs, RUN)
        pieces = [*self._attributes(RUN), *self._keep(beside), _swap(beside, beside.paths)]
        lines = [f"{self.at.host}: {shlex.join(each.argv)}" for each in pieces]
        if self.member is not None:
            back = shlex.join(beside.back_argv)
            lines.append(f"{self.at.host}: where its ports do not show them, {back}")
        return "\n".join(lines)

    @property
    def waits(self) -> str | None:
        """Until they are shown."""
        if self.member is None:
            return None
        return f"until the ports show them, at most {SERVED_WITHIN_S} s"

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Do it. Raises Permanent where the new ones do not fit, and the former ones are there."""
        cluster, run = world.inventory.clusters[self.cluster], work.mark("swap").run
        host, beside = await reach(world, cluster, self.at), Beside(self.pairs, run)
        await self._allowed(world)
        if not await self._placed(world, cluster, host):
            await self._place(world, work, cluster, host, beside)
        if not await self._placed(world, cluster, host):
            message = f"A key in {beside.target} on {host.name} is not that of its certificate."
            raise Permanent(message)
        await self._shown(world, work, cluster, host)
        await work.say(
            f"{host.name}: new certificates in {beside.target}, old ones in {beside.old}"
        )
        return None

    async def probe(self, world: World, work: Work) -> Finding:
        """Look whether they are in place, once nothing of the step can run any more."""
        cluster, run = world.inventory.clusters[self.cluster], work.mark("swap").run
        beside = Beside(self.pairs, run)
        pieces = (
            _back(beside),
            _swap(beside, beside.paths),
            *self._keep(beside),
            *reversed(self._attributes(run)),
        )
        last = await begun(world, work, cluster, self.at, *pieces)
        if not isinstance(last, tuple):
            return last
        # Whether its ports show them is looked at again.
        return NotHappened()

    async def _place(
        self, world: World, work: Work, cluster: Cluster, host: Host, beside: Beside
    ) -> None:
        # Nothing of this is left to do where files were replaced already.
        if await self._untouched(world, cluster, host, beside):
            for piece in self._attributes(work.mark("swap").run):
                if await _lacking(world, cluster, host, piece):
                    await do(world, work, cluster, host, piece)
            for piece in self._keep(beside):
                if await _lacks_old(world, cluster, host, beside):
                    await do(world, work, cluster, host, piece)
        left = [
            path
            for path in beside.paths
            if await holds(world, cluster, host, ("test", "-e", beside.made(path)))
        ]
        await do(world, work, cluster, host, _swap(beside, left))

    async def _untouched(self, world: World, cluster: Cluster, host: Host, beside: Beside) -> bool:
        """Tell whether the former certificates are all there still; they are replaced first.

        Raises Permanent where something else is there, or the new ones are not.
        """
        untouched = True
        for pair, new in zip(self.pairs, self.new, strict=True):
            there = await _leaf(world, cluster, host, pair.cert)
            now = there.sha256 if there else None
            if now == new:
                untouched = False
                continue
            if now != pair.was:
                message = (
                    f"{pair.cert} on {host.name} is another one than when this was approved. "
                    "Ask again, to have the plan made anew."
                )
                raise Permanent(message)
            made = await _leaf(world, cluster, host, beside.made(pair.cert))
            key = await public_key(world, cluster, host, beside.made(pair.key))
            if made is None or made.sha256 != new or made.key != key:
                message = (
                    f"{beside.folder} on {host.name} does not hold what was signed. Ask again; "
                    "no file that etcd uses is changed."
                )
                raise Permanent(message)
        return untouched

    async def _placed(self, world: World, cluster: Cluster, host: Host) -> bool:
        """Tell whether all certificates are the new ones, each with its key."""
        for pair, new in zip(self.pairs, self.new, strict=True):
            there = await _leaf(world, cluster, host, pair.cert)
            if there is None or there.sha256 != new:
                return False
            if await public_key(world, cluster, host, pair.key) != there.key:
                return False
        return True

    async def _shown(self, world: World, work: Work, cluster: Cluster, host: Host) -> None:
        """Make sure that etcd can use them, or put the former ones back. Raises Permanent."""
        if self.member is None:
            return
        wanted = by_port(self.pairs, self.new)
        missing = await not_served(world, work, self.cluster, self.member, wanted)
        if missing is None:
            return
        await work.say(f"{self.member.name} does not show them: {missing}")
        back = _back(Beside(self.pairs, work.mark("swap").run))
        await do(world, work, cluster, host, back, finish=True)
        message = (
            f"etcd on {host.name} does not show the new certificates: {missing} The former ones "
            "are in place again, and nothing was restarted."
        )
        raise Permanent(message)

    async def _allowed(self, world: World) -> None:
        """R10, also here: a member may fail by its new files. Raises Refused or Permanent."""
        if self.member is None:
            return
        view = await observed(self.cluster, world)
        if same(view, self.member) is None:
            message = f"{self.member.shown} is not a member any more. Ask again."
            raise Permanent(message)
        ruling = quorum.may_restart(view.members, self.member.id, outage=self.outage)
        if not ruling.allowed:
            message = f"{ruling.because} ({ruling.rule})."
            raise Refused(message)

    def _attributes(self, run: RunId) -> list[Piece]:
        """Owner, mode and label of the new files, those that are alike in one command."""
        beside = Beside(self.pairs, run)
        owners: dict[tuple[str, ...], list[str]] = {}
        for pair in self.pairs:
            cert, key = beside.made(pair.cert), beside.made(pair.key)
            owners.setdefault(("chown", f"{pair.owner}:{pair.group}"), []).extend((cert, key))
        for pair in self.pairs:
            for mode, path in ((pair.cert_mode, pair.cert), (pair.key_mode, pair.key)):
                owners.setdefault(("chmod", f"{mode:o}"), []).append(beside.made(path))
        for pair in self.pairs:
            if pair.context:
                paths = (beside.made(pair.cert), beside.made(pair.key))
                owners.setdefault(("chcon", pair.context), []).extend(paths)
        return [
            Piece(f"{argv[0]}-{number}", (*argv, *paths))
            for number, (argv, paths) in enumerate(owners.items(), 1)
        ]

    def _keep(self, beside: Beside) -> list[Piece]:
        """Nothing to keep where nothing is replaced."""
        return [Piece("keep", beside.keep_argv)] if beside.former else []


def _swap(beside: Beside, paths: Iterable[str]) -> Piece:
    return Piece("swap", beside.swap_argv(tuple(paths)), whole=True)


def _back(beside: Beside) -> Piece:
    return Piece("back", beside.back_argv, whole=True)


async def _lacking(look: Look, cluster: Cluster, host: Host, piece: Piece) -> bool:
    """Tell whether a file lacks what a piece would give to it."""
    form = {"chown": "%U:%G", "chmod": "%a", "chcon": "%C"}[piece.argv[0]]
    _, wanted, *paths = piece.argv
    said = await look.hosts.ask(cluster, host, ("stat", f"--format={form}", "--", *paths))
    if isinstance(said, Fault):
        raise Retryable(said.message)
    return said.status != 0 or set(said.out.split()) != {wanted}


async def _lacks_old(look: Look, cluster: Cluster, host: Host, beside: Beside) -> bool:
    """Tell whether a former file has no second name yet."""
    for path in beside.kept:
        if not await holds(look, cluster, host, ("test", "-e", path)):
            return True
    return False


async def _leaf(look: Look, cluster: Cluster, host: Host, path: str) -> Leaf | None:
    found = await look.hosts.read(cluster, host, path)
    if isinstance(found, Fault):
        raise Retryable(found.message)
    return certificate.read(found.content) if isinstance(found, FileSeen) else None
