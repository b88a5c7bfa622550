"""Plans carried out in memory, with each command that machines were asked or told to run."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.targets.ssh.memory import FakeHosts
from procedures.engine.hosts import ASK_MS
from procedures.model.host import Mark, Said
from procedures.model.inventory import Cluster, Host
from procedures.model.plan import Plan
from procedures.model.probe import Fault
from procedures.model.restoring import RUN as PLACEHOLDER
from tests.support.theatre import RUN, Pen, Theatre

Argv = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A command that was started, and the step of the plan that did."""

    step: int
    host: str
    argv: Argv

    @property
    def planned(self) -> Argv:
        """As a plan has it, which is made before the run has an id."""
        return tuple(word.replace(RUN, PLACEHOLDER) for word in self.argv)


@dataclass(slots=True)
class NotingHosts(FakeHosts):
    """The same machines. The command of number `instead_of` becomes `instead`."""

    asked: list[Argv] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    instead_of: int | None = None
    instead: Argv = ("false",)

    async def ask(
        self, cluster: Cluster, host: Host, argv: Sequence[str], limit_ms: int = ASK_MS
    ) -> Said | Fault:
        self.asked.append(tuple(argv))
        return await FakeHosts.ask(self, cluster, host, argv, limit_ms)

    def begin(
        self,
        cluster: Cluster,
        host: Host,
        mark: Mark,
        argv: Sequence[str],
        *,
        limit_ms: int,
        stdin: bytes = b"",
    ) -> None:
        if (mark.run, mark.key) not in self.machines[host.name].work:
            self.told.append(Told(mark.step, host.name, tuple(argv)))
            if len(self.told) - 1 == self.instead_of:
                argv = self.instead
        FakeHosts.begin(self, cluster, host, mark, argv, limit_ms=limit_ms, stdin=stdin)


@dataclass(frozen=True, slots=True)
class Carried:
    """A run that was carried on for as long as one worker can."""

    theatre: Theatre
    plan: Plan
    hosts: NotingHosts
    pen: Pen

    @property
    def argvs(self) -> tuple[Argv, ...]:
        """All that reached machines."""
        return (*self.hosts.asked, *(each.argv for each in self.hosts.told))


async def carried_out(
    theatre: Theatre, *, instead_of: int | None = None, instead: Argv = ("false",)
) -> Carried:
    """Plan, approve and carry out; one command may be another than it was told."""
    was = theatre.sight.hosts
    hosts = theatre.sight.hosts = NotingHosts(was.clock, was.machines, was.writable, was.effects)
    await theatre.approved()
    hosts.instead_of, hosts.instead = instead_of, instead
    pen = await theatre.work()
    plan = theatre.run.plan
    assert plan is not None
    return Carried(theatre, plan, hosts, pen)


def written(plan: Plan) -> str:
    """All text of a plan that people read."""
    lines = [plan.title, *plan.facts]
    for step in plan.steps:
        lines += [step.title, step.command, step.waits or "", step.undo.words if step.undo else ""]
    return "\n".join(lines)
