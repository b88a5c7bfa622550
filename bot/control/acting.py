"""Answers that do something, in the name of whoever asked."""

from bot.control.desk import Desk
from bot.moments import moment
from bot.ports import Caller, Said
from bot.run_data import run_data
from bot.run_words import headline, title
from bot.store.pauses import Pause
from bot.undoing import undoing
from commands.grammar import Ask
from procedures.catalogue import PROCEDURES
from procedures.model.errors import QuorumbotError, Refused
from procedures.model.ids import ChannelId, RunId
from procedures.model.inventory import Cluster
from procedures.model.run import StepState


async def cancel(desk: Desk, wanted: Ask, caller: Caller) -> Said:
    """End a run: at once where nothing is under way, else at the next safe place."""
    run = await desk.find(wanted, caller)
    if run.request.command not in PROCEDURES:
        message = f"Run {run.id} is a question: it changes nothing, and ends by itself."
        raise Refused(message)
    eligible = caller.eligible(desk.inventory.clusters[run.request.cluster])
    await desk.decisions.cancel(run.id, caller.requester.user, eligible)
    run = await desk.find(wanted, caller)
    if run.state.final:
        return Said((headline(run), *([run.error] if run.error else [])), run_data(run))
    line = f"{title(run)} (run {run.id}) ends at the next safe place; then it says what was done."
    return Said((line,), run_data(run))


async def done(desk: Desk, wanted: Ask, caller: Caller) -> Said:
    """Say that what a step asks people for is done."""
    run = await desk.find(wanted, caller)
    asked = run.asked.id if run.asked else ""
    await desk.decisions.report(
        run.id,
        caller.requester.user,
        caller.eligible(desk.inventory.clusters[run.request.cluster]),
        asked=asked,
        source=caller.source,
    )
    step = asked.partition(".")[0]
    line = f"Step {step} is said to be done: {title(run)} (run {run.id}) goes on."
    return Said((line,), run_data(await desk.find(wanted, caller)))


async def resume(desk: Desk, wanted: Ask, caller: Caller) -> Said:
    """Go on with a failed run."""
    run = await desk.find(wanted, caller)
    eligible = caller.eligible(desk.inventory.clusters[run.request.cluster])
    await desk.decisions.resume(run.id, caller.requester.user, eligible)
    failed = [number for number, step in run.steps.items() if step.state is not StepState.DONE]
    where = f" at step {failed[0]}" if failed else ""
    run = await desk.find(wanted, caller)
    return Said((f"{title(run)} (run {run.id}) goes on{where}.",), run_data(run))


async def undo(desk: Desk, wanted: Ask, caller: Caller) -> Said:
    """Ask for what takes the steps of a run back; each is approved like any other request."""
    run = await desk.find(wanted, caller)
    cluster = desk.inventory.clusters[run.request.cluster]
    plans = undoing(run, caller.requester, caller.channel or _first_channel(cluster))
    asked: list[RunId] = []
    lines: list[str] = []
    for step, typed, request in plans.requests:
        try:
            source = f"{caller.source}:undo:{step.number}"
            asked.append(await desk.gate.accept(request, source=source))
        except QuorumbotError as error:
            if not asked:
                raise
            lines.append(f"Step {step.number}: not asked for. {error}")
            break
        lines.append(f"Step {step.number}: asked for {typed} (run {asked[-1]})")
    return Said(
        (*lines, *plans.advice),
        {"undone": run.id, "runs": list(asked), "advice": list(plans.advice)},
    )


async def pause(desk: Desk, wanted: Ask, caller: Caller) -> Said:
    """Keep a cluster from starting anything new, or end that."""
    cluster = wanted.cluster
    assert cluster is not None  # noqa: S101 (the grammar gives one to a command on a cluster)
    user = caller.requester.user
    if user not in await caller.eligible(cluster)({user}):
        message = f"Only those who may approve changes of {cluster.name} may pause it."
        raise Refused(message)
    if wanted.args.get("off"):
        ended = await desk.pauses.end(cluster.name)
        line = "is not paused any more: what waits begins." if ended else "is not paused."
        return Said((f"{cluster.name} {line}",), {"cluster": cluster.name, "paused": False})
    new = await desk.pauses.begin(cluster.name, Pause(user, desk.now_ms()))
    line = (
        f"{cluster.name} is paused: no more changes of it begin. Runs under way and questions go "
        f"on. To end the pause: /ops pause {cluster.name} --off"
    )
    if not new and (before := await desk.pauses.of(cluster.name)) is not None:
        line = f"{cluster.name} is paused already, by <@{before.user}>, {moment(before.at_ms)}."
    return Said((line,), {"cluster": cluster.name, "paused": True})


def _first_channel(cluster: Cluster) -> ChannelId | None:
    return cluster.channels[0] if cluster.channels else None
