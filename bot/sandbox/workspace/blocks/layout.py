"""Blocks of text, pictures and controls."""

from bot.sandbox.workspace.blocks.elements import (
    BUTTONS,
    IN_ACTIONS,
    IN_CONTEXT_ACTIONS,
    IN_INPUT,
    IN_SECTION,
    check_element,
    check_image,
)
from bot.sandbox.workspace.blocks.report import ANY_TEXT, PLAIN, Report
from bot.sandbox.workspace.wire import Wire


def section(block: Wire, pointer: str, report: Report) -> None:
    """Text of 3,000 characters or ten fields of 2,000, and one element beside them."""
    if "text" not in block and "fields" not in block:
        report.fault("missing required field: text or fields", pointer)
    report.text(block, "text", pointer, most=3_000, required=False)
    if "fields" in block:
        for index, value in enumerate(report.items(block, "fields", pointer, most=10)):
            report.text_object(value, f"{pointer}/fields/{index}", most=2_000)
    if isinstance(accessory := block.get("accessory"), dict):
        check_element(accessory, f"{pointer}/accessory", report, IN_SECTION)


def header(block: Wire, pointer: str, report: Report) -> None:
    """Plain text of 150 characters."""
    report.text(block, "text", pointer, most=150, kinds=PLAIN)


def divider(_block: Wire, _pointer: str, _report: Report) -> None:
    """Nothing to check."""


def image(block: Wire, pointer: str, report: Report) -> None:
    """A described picture with one source."""
    check_image(block, pointer, report)
    report.text(block, "title", pointer, most=2_000, kinds=PLAIN, required=False)


def context(block: Wire, pointer: str, report: Report) -> None:
    """Up to ten texts and pictures."""
    for place, element in report.objects(block, "elements", pointer, most=10):
        if element.get("type") in ANY_TEXT:
            report.text_object(element, place, most=3_000)
        else:
            check_element(element, place, report, frozenset({"image"}))


def actions(block: Wire, pointer: str, report: Report) -> None:
    """Up to 25 controls."""
    for place, element in report.objects(block, "elements", pointer, most=25):
        check_element(element, place, report, IN_ACTIONS)


def context_actions(block: Wire, pointer: str, report: Report) -> None:
    """Up to five feedback or icon buttons."""
    for place, element in report.objects(block, "elements", pointer, most=5):
        check_element(element, place, report, IN_CONTEXT_ACTIONS)


def input_block(block: Wire, pointer: str, report: Report) -> None:
    """A labelled input."""
    report.text(block, "label", pointer, most=2_000, kinds=PLAIN)
    report.text(block, "hint", pointer, most=2_000, kinds=PLAIN, required=False)
    element = block.get("element")
    if isinstance(element, dict):
        check_element(element, f"{pointer}/element", report, IN_INPUT)
    else:
        report.fault("missing required field: element", pointer)


def markdown(block: Wire, pointer: str, report: Report) -> None:
    """Markdown of 12,000 characters; the sum over a message is checked with the message."""
    report.string(block, "text", pointer, most=12_000)


def rich_text(block: Wire, pointer: str, report: Report) -> None:
    """Formatted text in sections, lists, quotes and preformatted parts."""
    for place, element in report.objects(block, "elements", pointer, most=1_000, least=0):
        report.choice(element, "type", place, _RICH_TEXT_PARTS)
        if not isinstance(element.get("elements"), list):
            report.fault("missing required field: elements", place)


def alert(block: Wire, pointer: str, report: Report) -> None:
    """A notice of 200 characters."""
    report.text(block, "text", pointer, most=200)


def card(block: Wire, pointer: str, report: Report) -> None:
    """A card with a title, a body and up to three buttons."""
    report.text(block, "title", pointer, most=150, required=False)
    report.text(block, "subtitle", pointer, most=150, required=False)
    report.text(block, "body", pointer, most=200, required=False)
    if not any(key in block for key in ("title", "body", "hero_image", "actions")):
        report.fault("a card needs a title, body, hero_image or actions", pointer)
    if "actions" in block:
        for place, element in report.objects(block, "actions", pointer, most=3):
            check_element(element, place, report, BUTTONS)


def carousel(block: Wire, pointer: str, report: Report) -> None:
    """Up to ten cards."""
    for place, element in report.objects(block, "elements", pointer, most=10):
        report.choice(element, "type", place, {"card"})
        card(element, place, report)


_RICH_TEXT_PARTS = frozenset(
    {"rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted"}
)
