"""Every case: the plans that people are shown, and what is refused before anybody is asked."""

from tests.unit.procedures.plans.cases import data, hosts, members

CASES = {**members.CASES, **data.CASES, **hosts.CASES}
REFUSALS = {**members.REFUSALS, **data.REFUSALS, **hosts.REFUSALS}
