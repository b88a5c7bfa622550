"""Running openshift-ansible's playbook that adds an etcd host. (catalogue P52; R3, R5, R21, R22)

The playbook adds a voter and then starts it. One that fails in between leaves a member that never
started, and fails at once when it is run again: so it is run once, and the member list tells.
"""

import shlex
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import JsonValue

from procedures.actions.host.pieces import Piece, do, holds, reach, settled
from procedures.engine.ports import Finding, Happened, Look, NotHappened, Unclear, Work, World
from procedures.etcd.observe import listed, observe, observed
from procedures.etcd.view import Seen, View
from procedures.model import quorum
from procedures.model.ansible import PLAYBOOK_RUNS
from procedures.model.errors import Permanent, Refused, Retryable
from procedures.model.host import At, Ended, NeverStarted
from procedures.model.ids import ClusterName, MemberId
from procedures.model.probe import ListedMember
from procedures.model.quorum import Health

LIMIT_S = 3_600
WITHIN_S = 60
_POLL_MS = 1_000


@dataclass(frozen=True, slots=True)
class RunPlaybook:
    """Run it, and wait until `new`, which is `called` so, has the one member that came besides.

    `members` were there before. A late duplicate is harmless: it bears a mark, under which it runs
    once. Where an attempt began and did not end well, nobody runs it again but on a person's word.
    """

    KIND: ClassVar[str] = "host.run-playbook/1"

    cluster: ClusterName
    at: At
    inventory: str
    playbook: str
    config: str | None
    new: At
    called: tuple[str, ...]
    members: tuple[MemberId, ...]

    @property
    def command(self) -> str:
        """The exact command."""
        return f"{self.at.host}: {shlex.join(self._piece.argv)}"

    @property
    def waits(self) -> str | None:
        """Until it ends, and the member is well."""
        return (
            f"until the playbook ends, at most {LIMIT_S // 60} min; then until the new member is "
            f"healthy, at most {WITHIN_S} s"
        )

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Run it, if the cluster may grow still. Raises Permanent and Refused."""
        cluster = world.inventory.clusters[self.cluster]
        host = await reach(world, cluster, self.at)
        await reach(world, cluster, self.new)
        await self._allow(world)
        if await holds(world, cluster, host, PLAYBOOK_RUNS):
            message = f"Another playbook runs on {host.name} (R22). Ask again when it has ended."
            raise Refused(message)
        try:
            await do(world, work, cluster, host, self._piece)
        except Permanent as error:
            message = f"{error} {await self._left(world)}"
            raise Permanent(message) from error
        for _ in range(WITHIN_S * 1_000 // _POLL_MS):
            if await self._is_well(world):
                await work.say(f"{self.new.host} has a member, which is healthy")
                return None
            await work.rest(_POLL_MS)
        message = f"The playbook ended with status 0. {await self._left(world)}"
        raise Permanent(message)

    async def probe(self, world: World, work: Work) -> Finding:
        """Follow it to its end where it runs still; else the member list tells."""
        cluster = world.inventory.clusters[self.cluster]
        try:
            host = await reach(world, cluster, self.at)
        except (Retryable, Permanent) as error:
            return Unclear(str(error))
        trace = await settled(world, work, cluster, host, self._piece)
        if isinstance(trace, Unclear):
            return trace
        if isinstance(trace, NeverStarted):
            return NotHappened()
        if trace == Ended(0) and await self._is_well(world):
            return Happened()
        how = f"ended with status {trace.status}" if isinstance(trace, Ended) else "was cut off"
        left = await self._left(world)
        return Unclear(f"The playbook {how}, and is not run again unasked. {left}")

    @property
    def _piece(self) -> Piece:
        settings = ["ANSIBLE_NOCOLOR=1", "ANSIBLE_RETRY_FILES_ENABLED=0"]
        if self.config is not None:
            settings.insert(0, f"ANSIBLE_CONFIG={self.config}")
        argv = ("env", *settings, "ansible-playbook", "-i", self.inventory, self.playbook)
        return Piece("playbook", argv, LIMIT_S * 1_000)

    async def _allow(self, look: Look) -> None:
        """Refuse unless all are well, and the same as before (R3, R5, R7)."""
        view = await observed(self.cluster, look)
        now = {row.id for _, row in listed(view)}
        if now != set(self.members):
            message = (
                f"The members are {', '.join(sorted(now))} now, and were "
                f"{', '.join(self.members)} when this was approved. The playbook was not run."
            )
            raise Permanent(message)
        ruling = quorum.may_add(view.members, learner=False)
        if not ruling.allowed:
            message = f"{ruling.because} ({ruling.rule}). The playbook was not run."
            raise Refused(message)

    async def _view(self, look: Look) -> View:
        return await observe(look.inventory.clusters[self.cluster], look)

    def _new(self, view: View) -> list[tuple[Seen, ListedMember]]:
        return [(seen, row) for seen, row in listed(view) if row.id not in self.members]

    async def _is_well(self, look: Look) -> bool:
        new = self._new(await self._view(look))
        return (
            len(new) == 1
            and new[0][0].health is Health.HEALTHY
            and not new[0][1].learner
            and self._is_ours(new[0][1])
        )

    def _is_ours(self, row: ListedMember) -> bool:
        names = {row.name, *(urlsplit(url).hostname or "" for url in row.peer_urls)}
        return any(each.lower() in self.called for each in names)

    async def _left(self, look: Look) -> str:
        """Say what became of the member list, and what to do."""
        view = await self._view(look)
        if not (view.quorum_proven and view.listed):
            return (
                f"No member of {self.cluster} has quorum behind it now, so that nobody can tell "
                "whether one was added."
            )
        new = self._new(view)
        if not new:
            return (
                f"No member was added. Read what it printed; {self.new.host} stays in [new_etcd], "
                "and you may ask again."
            )
        seen, row = new[0]
        peer = ", ".join(row.peer_urls)
        if not self._is_ours(row):
            return f"A member is there that was not asked for: {seen.name} ({row.id}), peer {peer}."
        if not row.started:
            return (
                f"It has added member {row.id}, peer {peer}, which has never started (R5): take it "
                f"back with /etcd member remove {row.id}, and ask again."
            )
        return (
            f"It has added {seen.name} ({row.id}), {seen.why or 'which is healthy'}. "
            "What the playbook had left to do is not done."
        )
