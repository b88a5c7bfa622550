"""Bringing a copy of v2 and v3 data off its host, into the place for backups. (P23; X2, X17)"""

import shlex
from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, Field, JsonValue, ValidationError

from procedures.actions.etcd.target import same
from procedures.actions.host.command import Command
from procedures.actions.host.copy_config import NO_PLACE
from procedures.actions.host.pieces import Piece, reach
from procedures.actions.host.send_snapshot import sha256_on
from procedures.engine.ports import Finding, NotHappened, Work, World
from procedures.etcd.asking import Asking
from procedures.etcd.observe import observe
from procedures.etcd.v2_store import store_of
from procedures.model.errors import Permanent, Refused, Retryable
from procedures.model.host import At, Machine
from procedures.model.ids import ClusterName, RunId
from procedures.model.inventory import Cluster, Host, Platform
from procedures.model.member import Identity
from procedures.model.plan import Retries
from procedures.model.platform import layout
from procedures.model.restoring import RUN, Tool, folder
from procedures.model.snapshot import Origin, Proof
from procedures.model.v2 import archive_file, copy_folder, pack_argv

_LIMIT_MS = 1_800_000


@dataclass(frozen=True, slots=True)
class PackV2(Command):
    """Make one file of a copy. Where that broke off, it is made anew."""

    KIND: ClassVar[str] = "host.pack-v2/1"

    cluster: ClusterName
    platform: Platform
    at: At

    def _piece(self, run: RunId) -> Piece:
        return Piece("pack", pack_argv(run), _LIMIT_MS)


@dataclass(frozen=True, slots=True)
class RemoveV2(Command):
    """Remove what a run has packed or unpacked: it is kept elsewhere by now."""

    KIND: ClassVar[str] = "host.remove-v2/1"

    cluster: ClusterName
    platform: Platform
    at: At

    def _piece(self, run: RunId) -> Piece:
        own = (copy_folder(run), archive_file(run), folder(layout(self.platform).data, run))
        return Piece("remove", ("rm", "-r", "-f", *own))


@dataclass(frozen=True, slots=True)
class KeepV2:
    """Stream what was packed into the place for backups, and compare what arrived.

    A duplicate is harmless: it is one more backup. So it is tried again where the stream broke, or
    the place is out of reach for the moment.
    """

    KIND: ClassVar[str] = "host.keep-v2/1"
    RETRIES: ClassVar[Retries] = Retries(times=3, wait_ms=10_000)

    cluster: ClusterName
    platform: Platform
    at: At
    member: Identity
    tool: Tool

    @property
    def command(self) -> str:
        """The exact commands."""
        status = self.tool.argv("snapshot", "status", _db(RUN), "--write-out=json")
        commands = (status, ("sha256sum", archive_file(RUN)))
        typed = "; then ".join(shlex.join(each) for each in commands)
        return f"{self.at.host}: {typed}; then it is read, and compared with that SHA-256"

    @property
    def waits(self) -> str | None:
        """Before it is tried again."""
        return (
            f"{self.RETRIES.wait_ms // 1_000} s before it is tried again, {self.RETRIES.times} "
            "times in all, where the stream or the place for backups fails for the moment"
        )

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Keep it. Raises Permanent for what is not what the host has hashed."""
        if world.backups is None:
            raise Permanent(NO_PLACE)
        cluster = world.inventory.clusters[self.cluster]
        host = await reach(world, cluster, self.at)
        run = work.mark("keep").run
        proof = await self._proof(world, cluster, host, run)
        origin = await self._origin(world, cluster, host, proof.revision)
        await work.say(f"{host.name}: {archive_file(run)}, SHA-256 {proof.sha256}")
        await work.guard()
        chunks = world.on_hosts.fetch(cluster, host, archive_file(run))
        saved = await world.backups.save_archive(cluster, origin, chunks, proof)
        await work.say(
            f"kept: {saved.name}, {saved.size} bytes, the same SHA-256 on both sides; revision "
            f"{saved.revision}, and {', '.join(origin.v2)} in the v2 store"
        )
        return {"name": saved.name, "sha256": saved.sha256, "revision": saved.revision}

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It is simply done again: what was cut off is not kept."""
        return NotHappened()

    async def _proof(self, world: World, cluster: Cluster, host: Host, run: RunId) -> Proof:
        """What the host reads of it. Raises Retryable."""
        try:
            asking = Asking(world, cluster, host)
            argv = self.tool.argv("snapshot", "status", _db(run), "--write-out=json")
            said = await asking.said(argv, (0,), 600_000)
            status = Status.model_validate_json(said.out)
            size = await asking.said(("stat", "--format=%s", archive_file(run)), (0,))
        except (Refused, ValidationError) as error:
            message = f"What was copied on {host.name} cannot be read: {error}"
            raise Retryable(message) from error
        length = int(size.out)
        sha256 = await sha256_on(world, cluster, host, archive_file(run), length)
        return Proof(sha256 or "", length, f"{status.hash:x}", status.revision, status.keys)

    async def _origin(self, world: World, cluster: Cluster, host: Host, revision: int) -> Origin:
        """Who it is from, as that is now. Raises Retryable where the member does not tell."""
        view = await observe(cluster, world)
        seen, machine = same(view, self.member), await world.hosts.machine(cluster, host)
        if seen is None or seen.status is None or seen.probe is None:
            message = f"{self.member.shown} does not answer."
            raise Retryable(message)
        if not isinstance(machine, Machine):
            raise Retryable(machine.message)
        asking = Asking(world, cluster, host)
        try:
            store = await store_of(asking, layout(self.platform), machine, seen.probe.endpoint)
        except Refused as error:
            raise Retryable(str(error)) from error
        if store.why_not:
            message = f"{self.member.name} does not serve its v2 store: {store.why_not}."
            raise Retryable(message)
        return Origin(
            member=self.member.id,
            name=self.member.name,
            version=seen.status.version,
            revision=revision,
            quorum=view.quorum_proven,
            db_size=seen.status.db_size,
            v2=store.names,
        )


class Status(BaseModel):
    """What `snapshot status` reads of a data file."""

    hash: int
    revision: int
    keys: int = Field(alias="totalKey")


def _db(run: RunId) -> str:
    return f"{copy_folder(run)}/member/snap/db"
