"""Values of interactive elements in the wire form of actions and view states."""

from collections.abc import Iterator

from bot.sandbox.workspace.wire import Wire, as_object, as_objects

_PICKED = {
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "multi_users_select": "selected_users",
    "multi_conversations_select": "selected_conversations",
    "multi_channels_select": "selected_channels",
}
_ONE_OPTION = frozenset({"static_select", "external_select", "radio_buttons", "overflow"})
_SOME_OPTIONS = frozenset({"multi_static_select", "multi_external_select", "checkboxes"})


def elements_of(blocks: list[Wire]) -> Iterator[tuple[Wire, Wire]]:
    """Yield each interactive element with the top-level or nested block that holds it."""
    for block in blocks:
        yield from elements_of(as_objects(block.get("child_blocks")))
        held = [as_object(block.get("accessory")), as_object(block.get("element"))]
        held += as_objects(block.get("elements")) + as_objects(block.get("actions"))
        for element in held:
            if "action_id" in element:
                yield block, element
        if block.get("type") == "carousel":
            yield from elements_of(as_objects(block.get("elements")))


def chosen(element: Wire, value: object) -> Wire:
    """Return what the element's type makes of `value`; an object is passed on as it is."""
    kind = str(element.get("type", ""))
    if isinstance(value, dict):
        return {"type": kind, **value}
    if kind in _ONE_OPTION:
        return {"type": kind, "selected_option": _option(element, value)}
    if kind in _SOME_OPTIONS:
        values = value if isinstance(value, list) else [value]
        return {"type": kind, "selected_options": [_option(element, one) for one in values]}
    return {"type": kind, _PICKED.get(kind, "value"): value}


def initial(element: Wire) -> Wire:
    """Return the state of an element that nobody touched."""
    kind = str(element.get("type", ""))
    if kind in _ONE_OPTION:
        return {"type": kind, "selected_option": element.get("initial_option")}
    if kind in _SOME_OPTIONS:
        return {"type": kind, "selected_options": element.get("initial_options") or []}
    picked = _PICKED.get(kind)
    if picked is None:
        return {"type": kind, "value": element.get("initial_value")}
    return {"type": kind, picked: element.get(picked.replace("selected", "initial", 1))}


def _option(element: Wire, value: object) -> Wire | None:
    if value is None:
        return None
    groups = as_objects(element.get("option_groups")) or [element]
    options = [option for group in groups for option in as_objects(group.get("options"))]
    text: Wire = {"type": "plain_text", "text": str(value)}
    return next((o for o in options if o.get("value") == value), {"text": text, "value": value})
