"""A machine's scripts, in a folder of the test's own."""

from pathlib import Path

import pytest

from tests.support.scripts import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """One that has the scripts."""
    made = Machine(tmp_path / "state", tmp_path / "files", tmp_path / "bin")
    made.files.mkdir()
    made.bin.mkdir()
    assert made.install().answers == [["installed"]]
    return made
