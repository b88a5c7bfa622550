"""What is said in a run's thread, to whom: once each."""

from collections.abc import Iterable

from bot.run_words import headline
from bot.slack.run_views import at, outcome
from bot.slack.task_views import took
from bot.slack.text import MESSAGE, cut, escaped, shortened
from procedures.model.ids import UserId
from procedures.model.inventory import Approvers
from procedures.model.run import Run, State

REMIND_MS = 5 * 60 * 1_000
"""So long before a request expires, its approvers are reminded."""

_MOST = 50
_LONGEST = 1_500


def to_approve(run: Run, approvers: Approvers, until_ms: int) -> str:
    """Ask those who may approve, when a run begins to wait."""
    need = "1 approval is" if run.needed == 1 else f"{run.needed} approvals are"
    return _said(_approvers(run, approvers), f"{need} needed until {at(until_ms)}.", run)


def to_remind(run: Run, approvers: Approvers, until_ms: int) -> str:
    """Ask them once more, shortly before it expires."""
    return _said(_approvers(run, approvers), f"This expires at {at(until_ms)}, undecided.", run)


def to_look(run: Run, approvers: Approvers) -> str:
    """Ask for a person where nobody can tell whether a step happened."""
    who = f"<@{run.request.requester.user}> {_approvers(run, approvers)}"
    return _said(who, _words(run), run)


def to_do(run: Run, approvers: Approvers) -> str:
    """Ask people to do a step."""
    who = f"<@{run.request.requester.user}> {_approvers(run, approvers)}"
    return _said(who, _words(run), run)


def to_do_still(run: Run, user: UserId) -> str:
    """Tell whoever said that a step is done what is still missing."""
    return _said(f"<@{user}>", _words(run), run)


def to_tell(run: Run) -> str:
    """Tell the requester the outcome."""
    words = _words(run)
    if run.state is State.SUCCEEDED and not run.request.plan_only:
        words = f"Finished in {took(run)}."
    if run.state is State.REJECTED and run.votes:
        words = f"{words} Rejected by <@{run.votes[-1].user}>."
    if run.state is State.CANCELLED and run.ended_by is not None:
        words = f"{words} <@{run.ended_by}> asked for it."
    return _said(f"<@{run.request.requester.user}>", words, run)


def _words(run: Run) -> str:
    return shortened(escaped(outcome(run)), _LONGEST)


def _said(who: str, words: str, run: Run) -> str:
    return cut(f"{who} {escaped(headline(run))}\n{words}", MESSAGE)


def _approvers(run: Run, approvers: Approvers) -> str:
    if approvers.group is not None:
        return f"<!subteam^{approvers.group}>"
    return " ".join(_mentions(sorted(approvers.users - {run.request.requester.user})))


def _mentions(users: Iterable[UserId]) -> list[str]:
    return [f"<@{user}>" for user in list(users)[:_MOST]]
