"""Names with spaces, shell characters and leading hyphens: refused, or one word of one command."""

import asyncio
import re
import shlex

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.config_model import ClusterConfig
from bot.targets.ssh.fake_files import FakeFile
from commands.catalogue import REGISTRY
from commands.grammar import Ask, parse
from commands.registry import Command, Kind, Parameter
from procedures.catalogue import INQUIRIES, PROCEDURES
from procedures.engine.draft import draft
from procedures.model import envfile
from procedures.model.errors import QuorumbotError, Refused, UsageError
from procedures.model.ids import MemberName
from procedures.model.plan import Plan
from tests.support.lost_cluster import lose
from tests.support.noting import Argv, carried_out
from tests.support.theatre import Theatre, a_theatre
from tests.unit.procedures.engine.cases import CASES

AWKWARD = (
    "a b",
    "$(touch /x)",
    "${HOME}",
    "`id`",
    "a;reboot",
    "a|b",
    "a&b",
    "*",
    "-rf",
    "--force",
    "--",
    "../../etc",
    "it's",
    'say "x"',
    "a\\b",
    "a\nb",
    "x,y",
    "x=https://10.0.0.66:2380",
    "äöü",
    "成员",
    "\u202eab",
    "demo-2 ",
    "%s",
)
some_name = st.sampled_from(AWKWARD) | st.text(
    st.sampled_from("ab-. $;|&*'\"`\\(){}<>=,:/ä"), max_size=9
)

GIVEN = {
    "member": "demo-2",
    "host": "demo-4",
    "name": "demo-9",
    "peer_url": "https://10.0.0.9:2380",
    "url": "https://10.0.0.9:2380",
}
TYPED = [
    (command, parameter)
    for group in REGISTRY.groups.values()
    for command in group.commands
    if command.procedure
    for parameter in command.parameters
    if parameter.kind in {Kind.MEMBER, Kind.TEXT} or (parameter.kind is Kind.CLUSTER)
]


def typed(command: Command, parameter: Parameter, text: str) -> str:
    """The command as somebody types it, with a text in quotes for one of its arguments."""
    words = list(command.words[1:])
    for each in command.parameters:
        value = text if each is parameter else GIVEN.get(each.name, "") if each.required else ""
        if each is parameter or value:
            flag = [f"--{each.spelt}"] if each.flag else []
            words += [*flag, f'"{value}"']
    return " ".join(words)


async def answered(text: str, slash: str) -> Plan | None:
    """Go as far as a plan, or the answer to a question."""
    theatre = a_theatre("etcd health", {})
    lose(theatre)
    asked = parse(REGISTRY, theatre.sight.inventory, slash, text, None)
    if not isinstance(asked, Ask) or asked.command.procedure is None:
        return None
    args = {name: value for name, value in asked.args.items() if name not in {"reason", "plan"}}
    name = asked.command.procedure
    if name in INQUIRIES:
        inquiry = INQUIRIES[name]
        [None async for _ in inquiry.ask(inquiry.args(**args), theatre.sight)]
        return None
    theatre = a_theatre(name, {key: str(value) for key, value in args.items() if value is not None})
    lose(theatre)
    return await draft(PROCEDURES[name], theatre.run.request, theatre.sight)


@pytest.mark.parametrize(
    ("command", "parameter"), TYPED, ids=[f"{c.name} {p.shown}" for c, p in TYPED]
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some_name)
@example("$(touch /x)")
@example("--force")
@example("a b")
def test_whatever_is_typed_for_an_argument(
    command: Command, parameter: Parameter, text: str
) -> None:
    """It ends in words that say so, or in a plan in which it is one word of each command."""
    try:
        plan = asyncio.run(answered(typed(command, parameter, text), command.words[0]))
    except QuorumbotError:
        return
    for step in plan.steps if plan and parameter.name != "reason" else ():
        for line in step.command.split("\n"):
            if text.strip() and text in line and re.match(r"(\S+: )?[a-z/]+ ", line):
                assert any(text in word for word in shlex.split(line)), line
                assert len(shlex.split(line)) == len(shlex.split(line.replace(text, "plain")))


def named(name: str, case: str) -> Theatre:
    """A procedure on a cluster in which a member was started under a name."""
    wanted = CASES[case]
    theatre = a_theatre(wanted.procedure, wanted.args)
    wanted.ready(theatre)
    theatre.sight.demo.members[MemberName("demo-2")].name = MemberName(name)
    return theatre


async def told(name: str, case: str) -> list[Argv] | None:
    """All that machines are told; None where that is refused."""
    try:
        found = await carried_out(named(name, case))
    except (Refused, UsageError):
        return None
    for machine in found.hosts.machines.values():
        if text := machine.files.nodes.get("/etc/etcd/etcd.conf"):
            assert believed(text) <= {"demo-1", "demo-2", "demo-3", "demo-4", name}
    return [tuple(word.replace(name, "it") for word in each.argv) for each in found.hosts.told]


def believed(node: object) -> set[str]:
    """Whom etcd would read as members there: it cuts at commas, then at the first sign."""
    assert isinstance(node, FakeFile)
    value = envfile.read(node.content.decode()).get("ETCD_INITIAL_CLUSTER", "")
    return {pair.partition("=")[0] for pair in value.split(",") if pair}


@pytest.mark.parametrize("case", CASES)
async def test_a_member_that_bears_such_a_name(case: str) -> None:
    """etcd lets anybody choose. No command is another for it, and no file is written wrongly.

    Of several alike the first by name is chosen: what is compared begins with the same letter.
    """
    for plain, names in {
        "0plain": ("$(touch /x)", "--yes", "*"),
        "aplain": ("a;reboot", "a|b"),
        "zplain": ("x=https://10.0.0.66:2380", "成员"),
    }.items():
        wanted = await told(plain, case)
        for name in names:
            assert await told(name, case) in (wanted, None), name


@pytest.mark.parametrize("name", [each for each in AWKWARD if each])
def test_the_configuration_takes_no_such_name(name: str) -> None:
    """Neither for a host nor for a member, nor as an address."""
    good = {"endpoints": {"demo-1": "http://10.0.0.1:2379"}, "platform": "etcd"}
    host = {"address": "10.0.0.1"}
    ClusterConfig.model_validate({**good, "hosts": {"demo-1": host}})
    for bad in (
        {**good, "hosts": {name: host}},
        {**good, "endpoints": {name: "http://10.0.0.1:2379"}},
        {**good, "hosts": {"demo-1": {"address": name}}},
        {**good, "masters": [name]},
    ):
        with pytest.raises(ValidationError):
            ClusterConfig.model_validate(bad)
