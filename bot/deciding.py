"""What people decide on a run, written in their name: votes, cancellation, doubts, resumption."""

import time
from collections.abc import Awaitable, Callable, Mapping

from bot.ports import Decision, Eligible, Verdict
from bot.store.refusals import Conflict, Known
from bot.store.runs import Runs, needs
from procedures.model.approval import START_BY_MS, Outcome, Vote, decide, person
from procedures.model.cancelling import cancelled
from procedures.model.errors import Refused, Retryable
from procedures.model.events import (
    CancelAsked,
    Cancelled,
    Decided,
    Event,
    Reported,
    Resumed,
    Settled,
    Voted,
)
from procedures.model.ids import RunId, UserId
from procedures.model.run import Run, State, advance, fold

RESUME_MS = 24 * 3600 * 1_000
"""How long a failed run may be resumed."""

_TRIES = 5


class Decisions:
    """Writes down what people decide, after the journal as it is at that moment.

    Each method gives words for the person who clicked, None where the message itself says it.
    Raises Refused, with why, when the click changes nothing.
    """

    def __init__(
        self,
        runs: Runs,
        people: Mapping[UserId, str],
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._runs = runs
        self._people = people
        self._now_ms = now_ms

    async def vote(
        self,
        name: RunId,
        user: UserId,
        decision: Decision,
        digest: str,
        eligible: Eligible,
        *,
        likely: Eligible | None = None,
    ) -> None:
        """Cast a vote on the plan with this digest; the deciding one decides.

        Before it decides, every voter is read again, by `eligible`; for any other vote `likely`
        will do, which may remember for a minute.
        """

        async def choose(run: Run) -> tuple[Event, ...]:
            voters = {user, *(vote.user for vote in run.votes)}
            _waiting(run, digest)
            self._require_another(run, user)
            events = self._cast(run, user, decision, digest, await (likely or eligible)(voters))
            if likely is None or len(events) == 1:
                return events
            return self._cast(run, user, decision, digest, await eligible(voters))

        await self._write(name, choose)

    def _require_another(self, run: Run, user: UserId) -> None:
        if person(user, self._people) == person(run.request.requester.user, self._people):
            message = "You asked for it, so your own vote does not count."
            raise Refused(message)

    def _cast(
        self, run: Run, user: UserId, decision: Decision, digest: str, may: frozenset[UserId]
    ) -> tuple[Event, ...]:
        """The vote, and the decision where it is the deciding one. Raises Refused."""
        if user not in may:
            message = f"You may not approve changes of {run.request.cluster}."
            raise Refused(message)
        now = self._now_ms()
        question = run.question(self._people)
        if now >= question.expires_at_ms:
            message = "It is too late: nobody decided in time. Ask again."
            raise Refused(message)
        before = decide(question, run.votes, may, now)
        mine = {person(vote.user, self._people) for vote in before.counted}
        if decision == "approve" and person(user, self._people) in mine:
            message = "Your approval counts already."
            raise Refused(message)
        votes = (*run.votes, Vote(user, decision, digest, now))
        tally = decide(question, votes, may, now)
        voted = Voted(user, decision, digest)
        if tally.outcome not in {Outcome.APPROVED, Outcome.REJECTED}:
            return (voted,)
        decided = Decided(
            outcome="approved" if tally.outcome is Outcome.APPROVED else "rejected",
            digest=digest,
            requester=run.request.requester.user,
            cluster=run.request.cluster,
            needed=tally.needed,
            voters=tuple(vote.user for vote in tally.counted),
            not_after_ms=now + START_BY_MS,
        )
        return voted, decided

    async def cancel(self, name: RunId, user: UserId, eligible: Eligible) -> None:
        """Ask for the end: at once where nothing is under way, else at the next safe place."""

        async def choose(run: Run) -> tuple[Event, ...]:
            await self._require_hand(run, user, eligible, "cancel it")
            if run.state.final:
                message = f"It is at its end already: {run.state.lower()}."
                raise Refused(message)
            if run.state is State.IN_DOUBT:
                message = "It is in doubt what happened: decide that first, with its buttons."
                raise Refused(message)
            if run.cancel_asked is not None:
                message = "Somebody asked for its end already."
                raise Refused(message)
            asked = CancelAsked(user)
            if run.state is State.WAITING_FOR_APPROVAL:
                return asked, Cancelled("nothing was done.")
            if run.state is State.WAITING_FOR_A_PERSON:
                return asked, cancelled(run)
            return (asked,)

        await self._write(name, choose)

    async def report(
        self, name: RunId, user: UserId, eligible: Eligible, *, asked: str, source: str
    ) -> None:
        """Take in that a step which people were asked to do is done; `asked` is the id of that
        asking, as it was on the screen. One `source` reports once.
        """

        async def choose(run: Run) -> tuple[Event, ...]:
            await self._require_hand(run, user, eligible, "say that it is done")
            if run.asked is None:
                message = f"Nothing waits for Done there: it is {run.state.lower()}."
                raise Refused(message)
            if asked != run.asked.id:
                message = "It asks for something else by now. Read the message again."
                raise Refused(message)
            return (Reported(run.asked.step, run.asked.attempt, user),)

        try:
            await self._write(name, choose, source=f"{source}:done")
        except Known as error:
            raise Refused(str(error)) from error

    async def settle(
        self,
        name: RunId,
        user: UserId,
        verdict: Verdict,
        digest: str,
        eligible: Eligible,
        *,
        asked: str,
    ) -> None:
        """Say what became of a step in doubt; `asked` names that doubt, as it was on the screen."""

        async def choose(run: Run) -> tuple[Event, ...]:
            if run.state is not State.IN_DOUBT or run.doubt is None or run.plan is None:
                message = "Nothing is in doubt there any more."
                raise Refused(message)
            # The plan is the same at each step: a word on one must not be taken for one on another.
            if (run.plan.digest, run.doubted) != (digest, asked):
                message = "The message has changed meanwhile. Look again."
                raise Refused(message)
            if user not in await eligible({user}):
                message = f"You may not decide on changes of {run.request.cluster}."
                raise Refused(message)
            return (Settled(run.doubt.step, verdict, user),)

        await self._write(name, choose)

    async def resume(self, name: RunId, user: UserId, eligible: Eligible) -> None:
        """Let a failed run go on at its failed step."""

        async def choose(run: Run) -> tuple[Event, ...]:
            await self._require_hand(run, user, eligible, "resume it")
            if run.state is not State.FAILED or run.ended_at_ms is None:
                message = f"Only a failed run can be resumed; this one is {run.state.lower()}."
                raise Refused(message)
            if run.decided is None:
                message = "It needed no approval, so it is not resumed. Ask again instead."
                raise Refused(message)
            if self._now_ms() - run.ended_at_ms > RESUME_MS:
                message = "It failed more than 24 h ago. Ask again instead."
                raise Refused(message)
            return (Resumed(user),)

        await self._write(name, choose)

    async def _require_hand(self, run: Run, user: UserId, eligible: Eligible, what: str) -> None:
        if user == run.request.requester.user or user in await eligible({user}):
            return
        message = f"Only who asked for it, or an approver, may {what}."
        raise Refused(message)

    async def _write(
        self,
        name: RunId,
        choose: Callable[[Run], Awaitable[tuple[Event, ...]]],
        *,
        source: str = "",
    ) -> None:
        """Read, decide, append; when something was appended meanwhile, all of it again."""
        for _ in range(_TRIES):
            journal = await self._runs.read(name)
            run = fold(journal.entries)
            if run is None:
                message = f"There is no run {name}."
                raise Refused(message)
            events = await choose(run)
            after = advance(run, self._runs.foresee(journal, events))
            state = after.state if after else State.FAILED
            then = needs(state)
            try:
                await self._runs.append(
                    name,
                    run.request.site,
                    journal,
                    *events,
                    then=then,
                    wake=then == "open",
                    unlock=run.plan.lock if state.final and run.plan and run.steps else "",
                    source=source,
                )
            except Conflict:
                continue
            return
        message = f"Run {name} changes too fast. Click again."
        raise Retryable(message)


def _waiting(run: Run, digest: str) -> None:
    """Raise Refused where the plan with this digest does not wait for votes."""
    if run.state is not State.WAITING_FOR_APPROVAL or run.plan is None:
        message = f"There is nothing to decide any more: it is {run.state.lower()}."
        raise Refused(message)
    if run.plan.digest != digest:
        message = "The plan has changed meanwhile. Read the message again, then decide."
        raise Refused(message)
