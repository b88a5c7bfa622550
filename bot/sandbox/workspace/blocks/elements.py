"""Elements inside blocks: buttons, selects, inputs and their options."""

from collections.abc import Callable

from bot.sandbox.workspace.blocks.report import PLAIN, Report
from bot.sandbox.workspace.wire import Wire

ElementRule = Callable[[Wire, str, Report], None]


def check_element(element: Wire, pointer: str, report: Report, allowed: frozenset[str]) -> None:
    """Check one element, whose type must be among `allowed`."""
    kind = element.get("type")
    if not isinstance(kind, str) or kind not in allowed:
        report.fault(f"unsupported element type: {kind}", pointer)
        return
    if kind != "image":
        _identify(element, pointer, report)
    _RULES.get(kind, _no_more_rules)(element, pointer, report)


def check_image(image: Wire, pointer: str, report: Report) -> None:
    """Check an image block or element: described, and with one source."""
    report.string(image, "alt_text", pointer, most=2_000)
    if ("image_url" in image) == ("slack_file" in image):
        report.fault("exactly one of image_url and slack_file is required", pointer)
    report.string(image, "image_url", pointer, most=3_000, required=False)


def _identify(element: Wire, pointer: str, report: Report) -> None:
    report.string(element, "action_id", pointer, most=255, required=False)
    action_id = element.get("action_id")
    if isinstance(action_id, str):
        if action_id in report.action_ids:
            report.fault(f"`action_id` {action_id} already exists", f"{pointer}/action_id")
        report.action_ids.add(action_id)
    if "confirm" in element:
        _confirm(element["confirm"], f"{pointer}/confirm", report)


def _confirm(confirm: object, pointer: str, report: Report) -> None:
    if not isinstance(confirm, dict):
        report.fault("must be an object", pointer)
        return
    report.text(confirm, "title", pointer, most=100, kinds=PLAIN, required=False)
    report.text(confirm, "text", pointer, most=300)
    for key in ("confirm", "deny"):
        report.text(confirm, key, pointer, most=30, kinds=PLAIN, required=False)
    report.choice(confirm, "style", pointer, _STYLES, required=False)


def _button(button: Wire, pointer: str, report: Report) -> None:
    report.text(button, "text", pointer, most=75, kinds=PLAIN)
    report.string(button, "value", pointer, most=2_000, required=False)
    report.string(button, "url", pointer, most=3_000, required=False)
    report.string(button, "accessibility_label", pointer, most=75, required=False)
    report.choice(button, "style", pointer, _STYLES, required=False)


def _options(most: int, least: int = 1) -> ElementRule:
    def rule(element: Wire, pointer: str, report: Report) -> None:
        report.text(element, "placeholder", pointer, most=150, kinds=PLAIN, required=False)
        if "option_groups" in element:
            groups = report.objects(element, "option_groups", pointer, most=100)
            for place, group in groups:
                report.text(group, "label", place, most=75, kinds=PLAIN)
        else:
            groups = [(pointer, element)]
        for group_place, group in groups:
            for place, option in report.objects(
                group, "options", group_place, most=most, least=least
            ):
                _option(option, place, report)

    return rule


def _option(option: Wire, pointer: str, report: Report) -> None:
    report.text(option, "text", pointer, most=75)
    report.string(option, "value", pointer, most=150)
    report.text(option, "description", pointer, most=75, required=False)


def _text_input(element: Wire, pointer: str, report: Report) -> None:
    report.text(element, "placeholder", pointer, most=150, kinds=PLAIN, required=False)
    report.string(element, "initial_value", pointer, most=3_000, required=False)


def _no_more_rules(_element: Wire, _pointer: str, _report: Report) -> None:
    """Accept: only identity and confirmation matter for this type."""


_STYLES = frozenset({"primary", "danger"})
_RULES: dict[str, ElementRule] = {
    "button": _button,
    "image": check_image,
    "overflow": _options(5),
    "static_select": _options(100),
    "multi_static_select": _options(100),
    "checkboxes": _options(10),
    "radio_buttons": _options(10),
    "plain_text_input": _text_input,
    "email_text_input": _text_input,
    "url_text_input": _text_input,
    "number_input": _text_input,
}

_SELECTS = frozenset(
    {
        "static_select",
        "external_select",
        "users_select",
        "conversations_select",
        "channels_select",
    }
)
_CHOICES = frozenset({"checkboxes", "radio_buttons", "datepicker", "timepicker", "datetimepicker"})
BUTTONS = frozenset({"button"})
IN_ACTIONS = _SELECTS | _CHOICES | {"button", "overflow", "workflow_button", "rich_text_input"}
IN_SECTION = (IN_ACTIONS | {f"multi_{select}" for select in _SELECTS} | {"image"}) - {
    "rich_text_input"
}
IN_INPUT = (
    _SELECTS
    | _CHOICES
    | {f"multi_{select}" for select in _SELECTS}
    | {
        "plain_text_input",
        "email_text_input",
        "url_text_input",
        "number_input",
        "rich_text_input",
        "file_input",
    }
)
IN_CONTEXT_ACTIONS = frozenset({"feedback_buttons", "icon_button"})
