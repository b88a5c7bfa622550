"""A changing procedure: two functions and a declaration. It reads like a runbook."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from procedures.actions.person import Ask, Check
from procedures.model.errors import Refused
from procedures.model.ids import ClusterName
from procedures.model.plan import Action, Plan, Ref, Risk, Step, Undo, plain
from procedures.model.quorum import Ruling

Args = Mapping[str, str | int | bool | None]
"""Arguments as a request carries them."""


class Runbook:
    """Records steps; does nothing else. `plan` functions write into it."""

    def __init__(self) -> None:
        self.title = ""
        self.facts: list[str] = []
        self.steps: list[Step] = []
        self.risk: Risk | None = None
        """What this plan is, where it is worse than what the procedure declares."""

    def require(self, ruling: Ruling, instead: str = "") -> None:
        """Go on only where a rule allows it; `instead` says what would satisfy it.

        Raises Refused with the rule and its figures.
        """
        if not ruling.allowed:
            message = f"{ruling.because} ({ruling.rule}). {instead}"
            raise Refused(message.strip())

    def fact(self, line: str) -> None:
        """Tell people something that the plan rests on; it is part of what they approve."""
        self.facts.append(line)

    def step(self, title: str, action: Action, *, gives: str = "", undo: Undo | None = None) -> Ref:
        """Record a step; `gives` names its result for those steps that use it."""
        number = len(self.steps) + 1
        self.steps.append(
            Step(number, title, action.KIND, plain(action), action.command, action.waits, undo)
        )
        return Ref(number, gives or "result")

    def ask(
        self,
        title: str,
        *,
        how: str,
        check: str,
        by: Action | None = None,
        gives: str = "",
        undo: Undo | None = None,
    ) -> Ref:
        """Record a step that a person does: the run waits until somebody says that it is done.

        `how` says what to do, `check` in a sentence what is looked at then, `by` the action that
        looks, which changes nothing; its result is the step's. Without it a person's word is taken.
        """
        looks = Check(by.KIND, plain(by)) if by else None
        return self.step(title, Ask(how, check, looks), gives=gives, undo=undo)


@dataclass(frozen=True, slots=True)
class Procedure:
    """A procedure: its name as people type it, its arguments, how it looks and how it plans.

    `observe(args, look)` can only look; `plan(args, view, run)` is pure. `lock` is a template
    over the arguments, e.g. `etcd/{cluster}`: one change at a time of what it names.
    """

    name: str
    args: type
    observe: Callable[[Any, Any], Awaitable[Any]]
    plan: Callable[[Any, Any, Runbook], None]
    risk: Risk
    lock: str
    about: str = field(default="")

    def planned(self, args: object, given: Args, cluster: ClusterName, view: object) -> Plan:
        """Plan for what was seen. Raises Refused."""
        run = Runbook()
        self.plan(args, view, run)
        return Plan(
            procedure=self.name,
            args=dict(given),
            cluster=cluster,
            title=run.title,
            risk=run.risk or self.risk,
            lock=self.lock.format(**given),
            facts=tuple(run.facts),
            steps=tuple(run.steps),
        )
