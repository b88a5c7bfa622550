"""The check of all blocks of a message or view."""

import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.workspace.blocks import data, layout
from bot.sandbox.workspace.blocks.report import Report, Surface
from bot.sandbox.workspace.wire import ApiError, Wire

_ALL = frozenset(Surface)
_MESSAGE = frozenset({Surface.MESSAGE})
_MODAL = frozenset({Surface.MODAL})
_NOT_MODAL = frozenset({Surface.MESSAGE, Surface.HOME})
_MOST_BLOCKS = {Surface.MESSAGE: 50, Surface.MODAL: 100, Surface.HOME: 100}
_MOST_CHARACTERS = 13_000
_MOST_MARKDOWN = 12_000
_VISIBLE = frozenset({"text", "title", "caption", "alt_text", "label", "name", "description"})


@dataclass(frozen=True, slots=True)
class _Kind:
    rule: Callable[[Wire, str, Report], None]
    surfaces: frozenset[Surface] = _ALL
    most: int | None = None
    """How many of them one message or view may hold."""


_KINDS: dict[str, _Kind] = {
    "section": _Kind(layout.section),
    "header": _Kind(layout.header),
    "divider": _Kind(layout.divider),
    "image": _Kind(layout.image),
    "context": _Kind(layout.context),
    "actions": _Kind(layout.actions),
    "context_actions": _Kind(layout.context_actions, _MESSAGE),
    "input": _Kind(layout.input_block),
    "markdown": _Kind(layout.markdown, _MESSAGE),
    "rich_text": _Kind(layout.rich_text),
    "alert": _Kind(layout.alert, _MODAL),
    "card": _Kind(layout.card),
    "carousel": _Kind(layout.carousel),
    "table": _Kind(data.table, _NOT_MODAL, most=1),
    "data_table": _Kind(data.data_table, _NOT_MODAL),
    "data_visualization": _Kind(data.data_visualization, _NOT_MODAL, most=2),
    "plan": _Kind(data.plan, _MESSAGE),
    "task_card": _Kind(data.task_card, _MESSAGE),
}


def checked_blocks(blocks: object, surface: Surface) -> list[Wire]:
    """Return `blocks` with every block id filled in, or raise what Slack answers to bad ones."""
    if not isinstance(blocks, list):
        raise ApiError("invalid_blocks_format")
    report = Report(surface)
    if len(blocks) > _MOST_BLOCKS[surface]:
        report.fault(f"no more than {_MOST_BLOCKS[surface]} items allowed", "/blocks")
    for index, block in enumerate(blocks):
        _check_block(block, f"/blocks/{index}", report)
    if not report.faults:
        _check_together(blocks, report)
    refuse(report)
    if surface is Surface.MESSAGE and visible_length(blocks) > _MOST_CHARACTERS:
        raise ApiError("msg_blocks_too_long")
    return [block | {"block_id": block.get("block_id") or _new_id()} for block in blocks]


def refuse(report: Report) -> None:
    """Raise `invalid_blocks` when the report has faults."""
    if report.faults:
        raise ApiError(
            "invalid_blocks",
            errors=report.faults,
            response_metadata={"messages": [f"[ERROR] {fault}" for fault in report.faults]},
        )


def visible_length(value: object) -> int:
    """Count the characters that people see in blocks."""
    if isinstance(value, list):
        return sum(map(visible_length, value))
    if not isinstance(value, dict):
        return 0
    return sum(
        len(item) if isinstance(item, str) and key in _VISIBLE else visible_length(item)
        for key, item in value.items()
    )


def _check_block(block: object, pointer: str, report: Report) -> None:
    if not isinstance(block, dict):
        report.fault("must be an object", pointer)
        return
    kind = block.get("type")
    if kind == "container":
        _check_container(block, pointer, report)
        return
    known = _KINDS.get(kind) if isinstance(kind, str) else None
    if known is None:
        report.fault(f"unsupported type: {kind}", f"{pointer}/type")
        return
    if report.surface not in known.surfaces:
        report.fault(f"{kind} is not allowed in a {report.surface.value}", f"{pointer}/type")
    report.string(block, "block_id", pointer, most=255, required=False)
    report.action_ids = set()
    known.rule(block, pointer, report)


def _check_container(block: Wire, pointer: str, report: Report) -> None:
    """Check a titled group of up to ten blocks, which may not hold another group."""
    if report.surface not in _NOT_MODAL:
        report.fault(f"container is not allowed in a {report.surface.value}", f"{pointer}/type")
    report.text(block, "title", pointer, most=150, required=False)
    report.text(block, "subtitle", pointer, most=150, required=False)
    for place, child in report.objects(block, "child_blocks", pointer, most=10):
        if child.get("type") == "container":
            report.fault("a container may not hold a container", f"{place}/type")
        else:
            _check_block(child, place, report)


def _check_together(blocks: list[Wire], report: Report) -> None:
    ids = Counter(block["block_id"] for block in blocks if block.get("block_id"))
    for block_id, count in ids.items():
        if count > 1:
            report.fault(f"`block_id` {block_id} already exists for another block", "/blocks")
    kinds = Counter(block["type"] for block in blocks)
    for name, kind in _KINDS.items():
        if kind.most is not None and kinds[name] > kind.most:
            report.fault(f"no more than {kind.most} {name} blocks allowed", "/blocks")
    markdown = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    if markdown > _MOST_MARKDOWN:
        report.fault(f"no more than {_MOST_MARKDOWN} characters of markdown allowed", "/blocks")


def _new_id() -> str:
    return secrets.token_urlsafe(4)
