"""Every command that no worker answers has an answer, and only those."""

import pytest

from bot.control.table import CONTROLS
from commands.catalogue import REGISTRY
from commands.grammar import Ask, parse
from procedures.model.errors import UsageError
from procedures.model.ids import ALPHABET, read_run_id, run_id
from procedures.model.inventory import Inventory


def test_the_table_is_the_declarations() -> None:
    """Nothing is declared that nobody answers, and nothing answered that nobody can type."""
    commands = [command for group in REGISTRY.groups.values() for command in group.commands]
    assert {command.name for command in commands if command.procedure is None} == set(CONTROLS)


def test_what_reads() -> None:
    """The rest is refused to whoever may only read."""
    acts = {name for name, control in CONTROLS.items() if not control.reads}
    assert {"ops cancel", "ops resume", "ops undo", "ops pause"} <= acts
    reads = {"ops runs", "ops run", "ops approvals", "ops clusters"}
    assert not reads & acts


@pytest.mark.parametrize("typed", ["r-7K2M9QXD", "R-7k2m9qxd", "'r-7K2M9QXD'", "r-7K2m9Qxd"])
def test_run_ids_as_people_type_them(typed: str) -> None:
    """In either case; the id is the same."""
    wanted = parse(REGISTRY, Inventory({}), "/ops", f"run {typed}", None)
    assert isinstance(wanted, Ask)
    assert wanted.args == {"run": "r-7K2M9QXD"}


@pytest.mark.parametrize(
    "typed", ["7K2M9QXD", "r-7K2M9QX", "r-7K2M9QXDD", "r-7K2M9QXU", "r-é234567"]
)
def test_what_is_no_run_id(typed: str) -> None:
    """It is said before anything is looked up."""
    with pytest.raises(UsageError) as caught:
        parse(REGISTRY, Inventory({}), "/ops", f"cancel {typed}", None)
    assert str(caught.value) == (
        f"{typed} is no run id. One is r- and eight letters or digits, e.g. r-7K2M9QXD."
    )


def test_letters_that_look_like_digits() -> None:
    """An id that was read aloud is understood; every id that is made is."""
    assert read_run_id("r-ILOilo12") == "r-11011012"
    made = run_id(bytes(range(5)))
    assert read_run_id(made.lower()) == made
    assert read_run_id(f"r-{ALPHABET[:8]}") == f"r-{ALPHABET[:8]}"
