"""Trying a stored snapshot on the worker's own machine. (catalogue N10; traps X10, X11, X21)"""

import shlex
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.etcd.verify_snapshot import kept
from procedures.engine.ports import Finding, NotHappened, Work, World
from procedures.model.drill import (
    Drill,
    Tried,
    comparable,
    differences,
    restore_argv,
    serve_argv,
    token,
)
from procedures.model.errors import Permanent
from procedures.model.ids import ClusterName
from procedures.model.restoring import RUN, Pinned, tools
from procedures.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class DrillSnapshot:
    """Restore it aside, start etcd on it, compare with its record, remove all, and note it.

    No cluster is touched. A duplicate is harmless: it is one more drill, in a folder of its own.
    """

    KIND: ClassVar[str] = "etcd.drill-snapshot/1"

    cluster: ClusterName
    snapshot: Pinned
    minor: str

    @property
    def command(self) -> str:
        """The exact commands, in the folder that is made for them."""
        reader = " or ".join(tools(self.minor))
        pinned = self.snapshot
        return (
            f"{reader} snapshot status: hash {pinned.hash}, revision {pinned.revision}, "
            f"{pinned.total_keys} keys\n"
            f"{shlex.join(restore_argv(tools(self.minor)[0], token(RUN)))}\n"
            f"{shlex.join(serve_argv('etcd'))}\n"
            "compare its revision, and HashKV where the record has it; end etcd; remove the folder"
        )

    @property
    def waits(self) -> str | None:
        """Until etcd answers."""
        return "until etcd answers, at most 60 s and 1 s for each 5 MiB"

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Try it. Raises Permanent where it is not what its record says, which is noted too."""
        found = await kept(world, self.cluster, self.snapshot)
        assert world.backups is not None  # noqa: S101 (it was found there)
        drills, began_ms = world.backups.drills, world.clock.now_ms()
        await work.guard()
        try:
            tried = await drills.carry_out(found, token(work.mark("drill").run), work.say)
            wrong = "; ".join(differences(found, tried)) or None
        except Permanent as error:
            tried, wrong = None, str(error)
        drill = Drill(
            cluster=self.cluster,
            snapshot=found.name,
            sha256=found.sha256,
            at_ms=began_ms,
            took_ms=world.clock.now_ms() - began_ms,
            revision=tried.served if tried else 0,
            keys=tried.keys if tried else 0,
            hash_compared=tried is not None and comparable(found, tried),
            fault=wrong,
        )
        await work.guard()
        await drills.keep(drill)
        if tried is None or wrong is not None:
            message = f"The drill of {found.name} failed: {wrong}"
            raise Permanent(message if message.endswith(".") else f"{message}.")
        await work.say(_said(found, tried))
        return {"revision": tried.served, "keys": tried.keys, "took_ms": drill.took_ms}

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It is simply tried again: nothing of it has stayed."""
        return NotHappened()


def _said(snapshot: Snapshot, tried: Tried) -> str:
    compared = "HashKV not compared"
    if comparable(snapshot, tried) and tried.hash_kv:
        compared = (
            f"HashKV {tried.hash_kv.hash:08x} at revision {tried.hash_kv.revision}, as "
            f"{snapshot.origin.name} had it"
        )
    return (
        f"etcd {tried.version} serves {snapshot.name}: revision {tried.served}, {tried.keys} keys; "
        f"hash, revision and number of keys as recorded; {compared}"
    )
