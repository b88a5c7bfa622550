"""What a submitted modal carries, and what its ack does to it."""

import logging

from bot.sandbox.workspace.blocks.report import Surface
from bot.sandbox.workspace.control.body import BadRequestError
from bot.sandbox.workspace.selections import chosen, elements_of, initial
from bot.sandbox.workspace.view_rules import checked_view
from bot.sandbox.workspace.wire import ApiError, Wire, as_object, as_objects
from bot.sandbox.workspace.workspace import Workspace

_log = logging.getLogger(__name__)


def state_values(view: Wire, given: object) -> Wire:
    """Return `state.values`: the initial values of the view's inputs under what was `given`."""
    values: Wire = {}
    elements: dict[tuple[str, str], Wire] = {}
    for block, element in elements_of(as_objects(view["blocks"])):
        if element["type"] != "button":
            place = (block["block_id"], element["action_id"])
            elements[place] = element
            values.setdefault(place[0], {})[place[1]] = initial(element)
    for block_id, actions in _given(given).items():
        for action_id, value in actions.items():
            element = elements.get((block_id, action_id), {"type": "plain_text_input"})
            values.setdefault(block_id, {})[action_id] = chosen(element, value)
    return values


def follow_submission(workspace: Workspace, view: Wire, response: Wire) -> None:
    """Close, keep, replace or cover the modal, as `response_action` says."""
    found = workspace.views.find(view_id=view["id"])
    if found is None:
        return
    user_id, current = found
    action = response.get("response_action")
    try:
        match action:
            case "errors":
                pass
            case "clear":
                workspace.views.close(user_id, None)
            case "update":
                made = checked_view(response.get("view"), Surface.MODAL)
                workspace.views.update(user_id, current, made)
            case "push":
                made = checked_view(response.get("view"), Surface.MODAL)
                workspace.views.push(user_id, made)
            case _:
                workspace.views.close(user_id, current)
    except ApiError as refusal:
        # As in Slack, the person sees the modal stay; only the log tells why.
        _log.error("the answer to a submitted modal was refused: %s", refusal.body)


def _given(values: object) -> dict[str, Wire]:
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(v, dict) for v in values.values()):
        raise BadRequestError("`values` must be {block_id: {action_id: value}}")
    return {block_id: as_object(actions) for block_id, actions in values.items()}
