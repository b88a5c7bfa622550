"""What keeps a run that is ready from beginning: a pause, or another run."""

from bot.moments import time_of_day
from bot.store.runs import Runs
from procedures.model.run import Run


async def obstacle(run: Run, runs: Runs, now_ms: int) -> str | None:
    """Why a change may not begin yet, for people; None when nothing keeps it.

    What has begun goes on, and what only plans is let be. One that is too late is not kept, so
    that it comes to its end.
    """
    if run.plan is None or run.steps or run.request.plan_only or run.cancel_asked is not None:
        return None
    if run.decided is not None and now_ms > run.decided.not_after_ms:
        return None
    late = f", or expires at {time_of_day(run.decided.not_after_ms)}" if run.decided else ""
    if await runs.pause(run.request.cluster) is not None:
        return f"The cluster is paused: this begins when the pause has ended{late}."
    holder = await runs.holder(run.plan.lock)
    if holder is not None and holder != run.id:
        return f"Run {holder} is changing the cluster: this begins when that has ended{late}."
    return None
