"""Changing one list of texts in a YAML file; all other bytes stay, comments and order too.

The file is read as YAML to find the list, never written anew: what a writer makes of thousands of
lines nobody would read in a diff.
"""

from collections.abc import Sequence

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode


def items(text: str, path: Sequence[str]) -> tuple[str, ...]:
    """Read the list at a path of keys. Raises ValueError where there is no list of texts."""
    return tuple(each.value for each in _list(text, path))


def text_at(text: str, path: Sequence[str]) -> str | None:
    """Read the text at a path of keys; None where there is none. Raises ValueError for no YAML."""
    node: Node | None = _parsed(text)
    for key in path:
        node = _value(node, key)
    return str(node.value) if isinstance(node, ScalarNode) else None


def relisted(text: str, path: Sequence[str], wanted: Sequence[str]) -> str:
    """Make it this list: what stays keeps its place and its line, what is new comes after.

    Raises ValueError where that cannot be done by lines.
    """
    nodes = _list(text, path)
    if not nodes or not wanted:
        message = f"{'.'.join(path)} is empty, or would be"
        raise ValueError(message)
    spans = [_line(text, node) for node in nodes]
    starts = {
        text[start : node.start_mark.index] for node, (start, _) in zip(nodes, spans, strict=True)
    }
    before = min(starts)
    if len(starts) > 1 or before.strip() != "-":
        message = f"{'.'.join(path)} is not written with one item on each line"
        raise ValueError(message)
    have = [node.value for node in nodes]
    parts, at = [], 0
    for number, (start, end) in enumerate(spans):
        stays = have[number] in wanted and have[number] not in have[:number]
        parts += [text[at:start], text[start:end] if stays else ""]
        at = end
    new = [f"{before}{each}\n" for each in wanted if each not in have]
    made = "".join([*parts, *new, text[at:]])
    _same_but(text, made, path, wanted)
    return made


def _line(text: str, node: Node) -> tuple[int, int]:
    """Where the line of an item starts, and where the next one does."""
    start = text.rfind("\n", 0, node.start_mark.index) + 1
    end = text.find("\n", node.end_mark.index)
    if end < 0:
        message = "the list ends the file without an end of line"
        raise ValueError(message)
    return start, end + 1


def _list(text: str, path: Sequence[str]) -> list[ScalarNode]:
    node: Node | None = _parsed(text)
    for key in path:
        node = _value(node, key)
    if not isinstance(node, SequenceNode) or not all(
        isinstance(each, ScalarNode) for each in node.value
    ):
        message = f"it has no list {'.'.join(path)}"
        raise ValueError(message)
    return list(node.value)


def _value(node: Node | None, key: str) -> Node | None:
    if not isinstance(node, MappingNode):
        return None
    found = [value for name, value in node.value if name.value == key]
    return found[0] if len(found) == 1 else None


def _parsed(text: str) -> Node:
    try:
        node: Node | None = YAML(typ="rt", pure=True).compose(text)
    except (YAMLError, ValueError) as error:
        message = "it is not YAML that can be read"
        raise ValueError(message) from error
    if node is None:
        message = "it is empty"
        raise ValueError(message)
    return node


def _same_but(text: str, made: str, path: Sequence[str], wanted: Sequence[str]) -> None:
    """Read both again: nothing but the list may differ."""
    if set(items(made, path)) != set(wanted):
        message = "the list does not read as it was to be written"
        raise ValueError(message)
    if _plain(_parsed(text), tuple(path)) != _plain(_parsed(made), tuple(path)):
        message = "something else than the list would change"
        raise ValueError(message)


def _plain(node: Node, without: tuple[str, ...] | None) -> object:
    """What a file says, as nested tuples, with None in the place of what is not compared."""
    if without == ():
        return None
    if isinstance(node, MappingNode):
        return tuple(
            (
                _plain(name, None),
                _plain(value, without[1:] if without and name.value == without[0] else None),
            )
            for name, value in node.value
        )
    if isinstance(node, SequenceNode):
        return tuple(_plain(each, None) for each in node.value)
    return node.tag, node.value
