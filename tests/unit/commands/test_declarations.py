"""Commands and the typed arguments of what they run do not drift apart."""

from dataclasses import fields

import pytest

from bot.slack.text import MESSAGE, escaped
from commands.catalogue import REGISTRY
from commands.grammar import Help
from commands.help import render
from commands.registry import Command
from procedures.catalogue import INQUIRIES, PROCEDURES

ALL = [command for group in REGISTRY.groups.values() for command in group.commands]
WITH_PROCEDURE = [command for command in ALL if command.procedure]


@pytest.mark.parametrize("command", WITH_PROCEDURE, ids=lambda c: c.name)
def test_parameters_are_the_arguments(command: Command) -> None:
    """Each parameter is a field of the procedure's arguments, and each field can be given."""
    assert command.procedure is not None
    changes = command.procedure in PROCEDURES
    known = PROCEDURES[command.procedure] if changes else INQUIRIES[command.procedure]
    arguments = {field.name for field in fields(known.args)}
    if changes:
        arguments |= {"reason", "plan"}
    assert {parameter.name for parameter in command.parameters} == arguments


def test_every_procedure_can_be_asked_for() -> None:
    """Nothing is in the catalogue that nobody can reach."""
    assert {command.procedure for command in WITH_PROCEDURE} == {*INQUIRIES, *PROCEDURES}


@pytest.mark.parametrize("command", ALL, ids=lambda c: c.name)
def test_help_tells_every_parameter(command: Command) -> None:
    """The help of one command names its usage and each of its parameters."""
    text = render(REGISTRY, Help(command.words), lambda _: True)
    assert command.usage in text
    assert all(parameter.about in text for parameter in command.parameters)


def test_help_shows_only_what_the_asker_may_do() -> None:
    """What is not allowed is not advertised; where nothing is, that is said."""
    help_on_etcd = Help(("etcd",))
    shown = render(REGISTRY, help_on_etcd, lambda command: command.name == "etcd members")
    assert "/etcd members" in shown
    assert "/etcd health" not in shown
    assert render(REGISTRY, help_on_etcd, lambda _: False) == (
        "There is nothing here that you may ask for."
    )


@pytest.mark.parametrize("word", REGISTRY.groups)
def test_help_on_a_group_fits_into_one_message(word: str) -> None:
    """Nothing of it is cut off, however many commands there are."""
    text = render(REGISTRY, Help((word,)), lambda _: True)
    assert len(escaped(text)) <= MESSAGE
    assert "COMMAND help` has the options" in text
