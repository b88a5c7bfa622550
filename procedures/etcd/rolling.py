"""Restarting members one after another: whether that may be, and who leads meanwhile. (R9, R10)"""

from collections.abc import Sequence
from dataclasses import dataclass

from procedures.actions.etcd.leadership import EnsureNotLeader
from procedures.etcd.observe import listed
from procedures.etcd.view import View
from procedures.model import quorum
from procedures.model.ids import ClusterName
from procedures.model.member import Identity
from procedures.model.procedure import Runbook
from procedures.model.quorum import Health, Member


@dataclass(frozen=True, slots=True)
class Rolling:
    """Some members' turns, in this order. With `outage`, people accept that nobody serves."""

    cluster: ClusterName
    view: View
    order: Sequence[Identity]
    run: Runbook
    outage: bool = False

    def allow(self, members: Sequence[Member], member: Identity) -> None:
        """R10, for members as they are then. Raises Refused with what would satisfy it."""
        ruling = quorum.may_restart(members, member.id, outage=self.outage)
        self.run.require(ruling, _instead(members))
        if not quorum.may_restart(members, member.id).allowed:
            what = f"While {member.shown} restarts, nobody serves {self.cluster}"
            self.run.fact(f"{what}: --outage accepts that (R10).")

    def hand_over(self, member: Identity) -> None:
        """Move leadership away before a member's turn, to the one whose turn is last.

        So the leader comes last (R10) whoever leads when the plan is carried out, and leadership
        moves twice at most.
        """
        if len(self.view.voters) == 1:
            return
        learners = {row.id for _, row in listed(self.view) if row.learner}
        voters = [each for each in self.order if each.id not in learners]
        heir = voters[-1] if voters and voters[-1] != member else None
        title = f"Hand leadership over if {member.name} has it"
        self.run.step(title, EnsureNotLeader(self.cluster, member, heir=heir))


def _instead(members: Sequence[Member]) -> str:
    if not quorum.all_serve_or_none(members):
        return "Bring the others back first."
    unfit = [each.shown for each in quorum.voters(members) if each.health is not Health.HEALTHY]
    if unfit:
        return f"--outage accepts that, once {' and '.join(unfit)} is healthy."
    return "Say --outage to accept that nobody serves meanwhile."
