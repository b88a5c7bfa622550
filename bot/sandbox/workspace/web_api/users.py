"""`users.*` and `usergroups.*`."""

from bot.sandbox.workspace.people import GROUPS, TEAM_ID
from bot.sandbox.workspace.web_api.call import Call
from bot.sandbox.workspace.web_api.pages import page_of
from bot.sandbox.workspace.wire import ApiError, Wire


def info(call: Call) -> Wire:
    """Describe one person; a stranger carries the foreign team."""
    user = call.user().wire()
    if call.args.flag("include_locale"):
        user["locale"] = "en-US"
    return {"ok": True, "user": user}


def list_users(call: Call) -> Wire:
    """List the people of the workspace itself."""
    users = [u for u in call.workspace.directory.users.values() if u.team_id == TEAM_ID]
    page, metadata = page_of(call.args, users)
    return {
        "ok": True,
        "members": [user.wire() for user in page],
        "cache_ts": int(call.workspace.clock.now()),
        **metadata,
    }


def list_groups(call: Call) -> Wire:
    """List the user groups."""
    groups = [group.wire() for group in GROUPS]
    if call.args.flag("include_users"):
        for shown, group in zip(groups, GROUPS, strict=True):
            shown["users"] = list(group.user_ids)
    return {"ok": True, "usergroups": groups}


def list_group_users(call: Call) -> Wire:
    """List the user ids in a user group."""
    group_id = call.args.required("usergroup")
    group = next((group for group in GROUPS if group.id == group_id), None)
    if group is None:
        raise ApiError("no_such_subteam")
    return {"ok": True, "users": list(group.user_ids)}
