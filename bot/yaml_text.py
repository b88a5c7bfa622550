"""YAML as people write it: every text ends in plain values or in a fault in words."""

from dataclasses import dataclass

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import Node, ScalarNode


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands where YAML takes a text for a date or a number, and it is none: `2020-99-99`.

    It is of no type that a configuration has, so its fault is found with all the others.
    """

    text: str

    def __str__(self) -> str:
        """As it is written, cut where it is long."""
        return repr(self.text if len(self.text) <= 40 else f"{self.text[:40]}…")


class _Constructor(SafeConstructor):
    def construct_non_recursive_object(self, node: Node, tag: str | None = None) -> object:
        try:
            return super().construct_non_recursive_object(node, tag)
        except (ArithmeticError, LookupError, ValueError):
            if not isinstance(node, ScalarNode):
                raise
            return Unreadable(node.value)


def read_yaml(text: str) -> object:
    """Read one document. Raises ValueError in words, with the line where there is one."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    try:
        return yaml.load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        message = f"line {line}: {error.problem}"
        raise ValueError(message) from error
    except RecursionError as error:
        message = "is nested too deeply"
        raise ValueError(message) from error
    except (YAMLError, ArithmeticError, LookupError, ValueError) as error:
        message = f"is not YAML: {error}"
        raise ValueError(message) from error
