"""The sandbox accepts and refuses blocks as Slack does."""

from typing import Any

import pytest

from bot.sandbox.workspace.blocks.check import checked_blocks
from bot.sandbox.workspace.blocks.report import Surface
from bot.sandbox.workspace.wire import ApiError

Block = dict[str, Any]


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text}


def button(**more: object) -> Block:
    return {"type": "button", "text": plain("Go"), "action_id": "go"} | more


def actions(*elements: Block) -> Block:
    return {"type": "actions", "elements": list(elements)}


def options(count: int) -> list[Block]:
    return [{"text": plain(str(n)), "value": str(n)} for n in range(count)]


def cells(*texts: str) -> list[Block]:
    return [{"type": "raw_text", "text": text} for text in texts]


def chart(**more: object) -> Block:
    series = [{"name": "etcd-0", "data": [{"label": "12:00", "value": 5}]}]
    body = {"type": "line", "series": series, "axis_config": {"categories": ["12:00"]}}
    return {"type": "data_visualization", "title": "DB size", "chart": body | more}


RICH = {
    "type": "rich_text",
    "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}],
}
TASK = {"type": "task_card", "task_id": "t", "title": "Stop etcd", "status": "complete"}
TABLE = {"type": "table", "rows": [cells("a", "b")]}
DATA_TABLE = {"type": "data_table", "caption": "Members", "rows": [cells("a"), cells("b")]}
INPUT = {
    "type": "input",
    "label": plain("Why"),
    "element": {"type": "plain_text_input", "action_id": "why"},
}


@pytest.mark.parametrize(
    "block",
    [
        {"type": "header", "text": plain("x" * 150)},
        {"type": "section", "text": mrkdwn("x" * 3_000)},
        {"type": "section", "fields": [mrkdwn("x")] * 10, "accessory": button()},
        {"type": "context", "elements": [mrkdwn("x")] * 10},
        {"type": "divider"},
        {"type": "image", "image_url": "http://h/i.png", "alt_text": "a chart"},
        {"type": "markdown", "text": "x" * 12_000},
        {"type": "card", "title": mrkdwn("t"), "body": mrkdwn("b"), "actions": [button()]},
        {"type": "carousel", "elements": [{"type": "card", "title": mrkdwn("t")}]},
        {"type": "container", "title": plain("t"), "child_blocks": [{"type": "divider"}]},
        {"type": "plan", "title": "Plan", "tasks": [TASK | {"details": RICH}]},
        {
            "type": "data_visualization",
            "title": "t",
            "chart": {"type": "pie", "segments": [{"label": "a", "value": 1}]},
        },
        actions(*(button(action_id=str(n)) for n in range(25))),
        actions({"type": "overflow", "action_id": "o", "options": options(5)}),
        {
            "type": "section",
            "text": mrkdwn("x"),
            "accessory": {"type": "static_select", "action_id": "s", "options": options(100)},
        },
        RICH,
        TASK,
        TABLE,
        DATA_TABLE,
        INPUT,
        chart(),
    ],
    ids=lambda block: block["type"],
)
def test_blocks_at_their_limits_pass(block: Block) -> None:
    """What is just inside a limit is accepted and gets a block id."""
    (checked,) = checked_blocks([block], Surface.MESSAGE)
    assert checked["block_id"]
    assert checked.items() >= block.items()


@pytest.mark.parametrize(
    ("block", "pointer"),
    [
        ({"type": "alert", "text": plain("x")}, "/blocks/0/type"),
        ({"type": "nonsense"}, "/blocks/0/type"),
        ({}, "/blocks/0/type"),
        ({"type": "section"}, "/blocks/0"),
        ({"type": "section", "text": mrkdwn("")}, "/blocks/0/text/text"),
        ({"type": "section", "text": "bare"}, "/blocks/0/text"),
        ({"type": "section", "fields": [mrkdwn("x")] * 11}, "/blocks/0/fields"),
        ({"type": "section", "fields": [mrkdwn("x" * 2_001)]}, "/blocks/0/fields/0/text"),
        ({"type": "header", "text": plain("x" * 151)}, "/blocks/0/text/text"),
        ({"type": "header", "text": mrkdwn("x")}, "/blocks/0/text/type"),
        ({"type": "context", "elements": [mrkdwn("x")] * 11}, "/blocks/0/elements"),
        ({"type": "context", "elements": [button()]}, "/blocks/0/elements/0"),
        ({"type": "image", "image_url": "http://h/i.png"}, "/blocks/0"),
        ({"type": "divider", "block_id": "x" * 256}, "/blocks/0/block_id"),
        (actions(), "/blocks/0/elements"),
        (actions(button(), button()), "/blocks/0/elements/1/action_id"),
        (actions(button(text=plain("x" * 76))), "/blocks/0/elements/0/text/text"),
        (actions(button(value="x" * 2_001)), "/blocks/0/elements/0/value"),
        (actions(button(style="loud")), "/blocks/0/elements/0/style"),
        (
            actions(button(confirm={"title": plain("x" * 101), "text": plain("x")})),
            "/blocks/0/elements/0/confirm/title/text",
        ),
        (actions({"type": "overflow", "options": options(6)}), "/blocks/0/elements/0/options"),
        ({"type": "plan", "title": "p", "tasks": [TASK] * 51}, "/blocks/0/tasks"),
        (TASK | {"output": {"type": "rich_text", "elements": []}}, "/blocks/0/output"),
        (TASK | {"status": "sleeping"}, "/blocks/0/status"),
        ({"type": "table", "rows": [cells("a")] * 101}, "/blocks/0/rows"),
        ({"type": "table", "rows": [cells(*"abcdefghijklmnopqrstu")]}, "/blocks/0/rows/0"),
        ({"type": "data_table", "rows": [cells("a")]}, "/blocks/0"),
        (DATA_TABLE | {"rows": [cells("a"), cells("a", "b")]}, "/blocks/0/rows"),
        (chart(type="radar"), "/blocks/0/chart/type"),
        (chart(axis_config={"categories": ["x"]}), "/blocks/0/chart/series/0/data"),
        (INPUT | {"element": button()}, "/blocks/0/element"),
        (
            {"type": "container", "child_blocks": [{"type": "container"}]},
            "/blocks/0/child_blocks/0/type",
        ),
    ],
)
def test_faults_are_placed(block: Block, pointer: str) -> None:
    """What is outside a limit is refused with a pointer to the place."""
    with pytest.raises(ApiError) as caught:
        checked_blocks([block], Surface.MESSAGE)
    assert caught.value.error == "invalid_blocks"
    assert any(pointer in fault for fault in caught.value.body["errors"])


@pytest.mark.parametrize(
    "blocks",
    [
        [{"type": "divider", "block_id": "same"}] * 2,
        [TABLE, TABLE],
        [chart(), chart(), chart()],
        [{"type": "markdown", "text": "x" * 6_001}] * 2,
    ],
)
def test_limits_over_the_whole_message(blocks: list[Block]) -> None:
    """Ids are unique, and some blocks are limited over the whole message."""
    with pytest.raises(ApiError, match="invalid_blocks"):
        checked_blocks(blocks, Surface.MESSAGE)


@pytest.mark.parametrize(
    ("block", "surface"),
    [
        (TABLE, Surface.MODAL),
        (DATA_TABLE, Surface.MODAL),
        (chart(), Surface.MODAL),
        (TASK, Surface.HOME),
        ({"type": "container", "child_blocks": [{"type": "divider"}]}, Surface.MODAL),
        ({"type": "markdown", "text": "x"}, Surface.HOME),
        ({"type": "alert", "text": plain("x")}, Surface.HOME),
    ],
)
def test_blocks_have_their_surfaces(block: Block, surface: Surface) -> None:
    """A block that a surface cannot show is refused there."""
    with pytest.raises(ApiError, match="invalid_blocks"):
        checked_blocks([block], surface)


def test_an_alert_is_for_modals() -> None:
    """A modal shows alerts of up to 200 characters."""
    checked_blocks([{"type": "alert", "text": plain("x" * 200)}], Surface.MODAL)
    with pytest.raises(ApiError, match="invalid_blocks"):
        checked_blocks([{"type": "alert", "text": plain("x" * 201)}], Surface.MODAL)
