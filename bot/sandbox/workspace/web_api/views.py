"""`views.*`: modals and Home tabs."""

from bot.sandbox.workspace.blocks.report import Surface
from bot.sandbox.workspace.view_rules import checked_view
from bot.sandbox.workspace.web_api.call import Call
from bot.sandbox.workspace.wire import ApiError, Wire


def open_view(call: Call) -> Wire:
    """Open a modal for the person behind a trigger id."""
    view = _view(call, Surface.MODAL)
    user_id = call.workspace.triggers.exchange(call.args.required("trigger_id"))
    return {"ok": True, "view": call.workspace.views.open(user_id, view)}


def push(call: Call) -> Wire:
    """Put a modal on top of the one from which the trigger id came."""
    view = _view(call, Surface.MODAL)
    user_id = call.workspace.triggers.exchange(call.args.required("trigger_id"))
    return {"ok": True, "view": call.workspace.views.push(user_id, view)}


def update(call: Call) -> Wire:
    """Replace an open view, found by its id or external id."""
    found = call.workspace.views.find(
        view_id=call.args.text("view_id"), external_id=call.args.text("external_id")
    )
    if found is None:
        raise ApiError("not_found")
    user_id, old = found
    view = _view(call, Surface(old["type"]))
    made = call.workspace.views.update(user_id, old, view, call.args.text("hash") or None)
    return {"ok": True, "view": made}


def publish(call: Call) -> Wire:
    """Set a person's Home tab."""
    view = _view(call, Surface.HOME)
    user = call.user("user_id")
    made = call.workspace.views.publish(user.id, view, call.args.text("hash") or None)
    return {"ok": True, "view": made}


def _view(call: Call, surface: Surface) -> Wire:
    return checked_view(call.args.structure("view"), surface)
