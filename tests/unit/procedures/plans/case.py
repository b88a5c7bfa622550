"""A request for a plan, and the plan that comes of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from procedures.catalogue import PROCEDURES
from procedures.engine.draft import draft
from procedures.model.plan import Plan
from tests.support.theatre import Theatre, a_theatre

Facts = Callable[[Theatre], None]
"""Lets something be so in a cluster, before anybody asks."""


@dataclass(frozen=True)
class Case:
    """A request, and the cluster as it is when somebody asks."""

    procedure: str
    args: Mapping[str, str | bool] = field(default_factory=dict)
    facts: Facts = field(default=lambda _: None)
    size: int = 3


def made(case: Case) -> Theatre:
    """Let all be as the case has it."""
    theatre = a_theatre(case.procedure, case.args, case.size)
    case.facts(theatre)
    return theatre


async def planned(theatre: Theatre) -> Plan:
    """Make the plan of what was asked."""
    request = theatre.run.request
    return await draft(PROCEDURES[request.command], request, theatre.sight)
