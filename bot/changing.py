"""A changing run in a worker: plan it, or verify its approval, plan again, and carry it out."""

import logging

from bot.carrying import Hand, InterruptedRun
from bot.store.refusals import Locked
from procedures.catalogue import PROCEDURES
from procedures.engine.draft import draft
from procedures.engine.execute import execute
from procedures.engine.ports import World
from procedures.model.approval import Outcome, decide, needed
from procedures.model.errors import QuorumbotError
from procedures.model.events import (
    Cancelled,
    Doubted,
    Expired,
    Failed,
    Planned,
    RefusedBy,
    Succeeded,
)
from procedures.model.plan import Plan
from procedures.model.run import Run, StepState

_log = logging.getLogger(__name__)

PLANS = 3
"""So often a run is planned, because the cluster changed, before it is given up."""


async def change(hand: Hand, world: World) -> None:
    """Bring a run as far as it goes without a person."""
    run = hand.run
    if run.cancel_asked is not None and not run.steps:
        await hand.write(Cancelled("nothing was done."))
        return
    if run.plan is not None and run.steps:
        await _carry_on(hand, world, run.plan)
        return
    try:
        plan = await draft(PROCEDURES[run.request.command], run.request, world)
    except QuorumbotError as error:
        await hand.write(RefusedBy(str(error)))
        return
    except Exception:  # noqa: BLE001 (whatever it is, people get words, the log the rest)
        _log.exception("run %s was not planned", run.id)
        words = "something went wrong inside the worker. Its log says what. Nothing was done."
        await hand.write(RefusedBy(words))
        return
    if run.plan is None or run.plan.digest != plan.digest:
        await _ask(hand, world, plan)
        run = hand.run
    if run.request.plan_only:
        await hand.write(Succeeded())
    elif not run.state.final and not run.state.waits:
        await _begin(hand, world)


async def _ask(hand: Hand, world: World, plan: Plan) -> None:
    if hand.run.plans >= PLANS:
        error = f"{plan.cluster} changed each time before it began; planned {PLANS} times."
        await hand.write(Failed(f"{error} Ask again when it is quiet."))
        return
    policy = world.inventory.clusters[plan.cluster].policy
    await hand.write(Planned(plan, needed(policy, plan.procedure, plan.risk)))


async def _begin(hand: Hand, world: World) -> None:
    """Decide again from the signed votes, take the lock, and carry out."""
    run = hand.run
    if run.plan is None:
        return
    if (fault := _unapproved(run, world)) is not None:
        await hand.write(fault)
        return
    if await hand.held(world.clock.now_ms()):
        return
    try:
        await hand.lock(run.plan.lock)
    except Locked:
        await hand.release()
        return
    await _execute(run.plan, hand, world)


async def _carry_on(hand: Hand, world: World, plan: Plan) -> None:
    """Go on after a crash, a doubt or a failure; not where another run was at it meanwhile."""
    if (fault := _unapproved(hand.run, world, begun=True)) is not None:
        await hand.write(fault)
        return
    try:
        await hand.lock(plan.lock)
    except Locked as error:
        await hand.write(Failed(f"{error} since this one began, so it cannot go on. Ask again."))
        return
    await _execute(plan, hand, world)


async def _execute(plan: Plan, hand: Hand, world: World) -> None:
    """Carry out; a step in which something happened that nobody foresaw is in doubt."""
    try:
        await execute(plan, hand, world)
    except InterruptedRun:
        raise
    except Exception:
        _log.exception("run %s", hand.run.id)
        under_way = {StepState.STARTED, StepState.REPORTED}
        begun = [number for number, step in hand.run.steps.items() if step.state in under_way]
        if not begun:
            raise
        words = "something went wrong inside the worker. Its log says what."
        await hand.write(Doubted(begun[-1], words))


def _unapproved(run: Run, world: World, *, begun: bool = False) -> Expired | Failed | None:
    """Why a run may not go on, as far as its own journal tells; None when it may."""
    plan, decided = run.plan, run.decided
    assert plan is not None  # noqa: S101 (only a planned run comes here)
    cluster = world.inventory.clusters[plan.cluster]
    least = max(run.needed, needed(cluster.policy, plan.procedure, plan.risk))
    if least == 0:
        return None
    if decided is None or decided.digest != plan.digest:
        return Failed("it is not approved. Ask again.")
    if not begun and world.clock.now_ms() > decided.not_after_ms:
        return Expired("it was approved, and could not start in time. Ask again.")
    question = run.question(world.inventory.people)
    may = {vote.user for vote in run.votes if vote.user in decided.voters}
    if cluster.approvers.users:
        may &= cluster.approvers.users
    tally = decide(question, run.votes, may, run.planned_at_ms)
    named = (decided.requester, decided.cluster)
    if tally.outcome is not Outcome.APPROVED or len(tally.counted) < least:
        return Failed("the approvals in its journal do not suffice. Ask again.")
    if named != (run.request.requester.user, run.request.cluster):
        return Failed("its approval is for another request. Ask again.")
    return None
