"""The check of a modal or Home tab."""

from bot.sandbox.workspace.blocks.check import checked_blocks, refuse
from bot.sandbox.workspace.blocks.report import PLAIN, Report, Surface
from bot.sandbox.workspace.wire import ApiError, Wire

_LABEL = 24


def checked_view(view: object, surface: Surface) -> Wire:
    """Return `view` with block ids filled in, or raise what Slack answers to a bad one."""
    if not isinstance(view, dict) or view.get("type") != surface.value:
        raise ApiError(
            "invalid_arguments",
            response_metadata={"messages": [f"[ERROR] must be a {surface.value} view"]},
        )
    report = Report(surface)
    if surface is Surface.MODAL:
        report.text(view, "title", "/view", most=_LABEL, kinds=PLAIN)
        report.text(view, "submit", "/view", most=_LABEL, kinds=PLAIN, required=False)
        report.text(view, "close", "/view", most=_LABEL, kinds=PLAIN, required=False)
    report.string(view, "private_metadata", "/view", most=3_000, required=False)
    report.string(view, "callback_id", "/view", most=255, required=False)
    report.string(view, "external_id", "/view", most=255, required=False)
    refuse(report)
    blocks = checked_blocks(view.get("blocks"), surface)
    has_input = any(block["type"] == "input" for block in blocks)
    if surface is Surface.MODAL and has_input and not view.get("submit"):
        report.fault("missing required field: submit", "/view")
        refuse(report)
    return view | {"blocks": blocks}
