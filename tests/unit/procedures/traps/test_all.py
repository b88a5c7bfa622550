"""No trap is without its test."""

import ast
import re
from pathlib import Path

TESTS = Path("tests/unit")


def test_every_trap_has_a_test() -> None:
    """X1 to X21, as the catalogue counts them: in the name of a test, or in what it says."""
    found: set[int] = set()
    for path in TESTS.rglob("test_*.py"):
        if path == TESTS / "procedures/traps/test_all.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                said = f"{node.name.partition('_')[2].upper()} {ast.get_docstring(node)}"
                found |= {int(number) for number in re.findall(r"\bX(\d+)(?=\b|_)", said)}
    assert found == set(range(1, 22))
