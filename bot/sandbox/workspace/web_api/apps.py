"""`auth.test` and `apps.connections.open`."""

from bot.sandbox.workspace.people import APP_ID, BOT_ID, BOT_USER_ID, TEAM_ID
from bot.sandbox.workspace.web_api.call import Call
from bot.sandbox.workspace.wire import Wire


def auth_test(call: Call) -> Wire:
    """Say to whom the token belongs."""
    return {
        "ok": True,
        "url": f"{call.workspace.base_url}/",
        "team": "Sandbox",
        "user": "quorumbot",
        "team_id": TEAM_ID,
        "user_id": BOT_USER_ID,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


def open_connection(call: Call) -> Wire:
    """Return the address of a new socket, good for one connection."""
    address = call.workspace.base_url.replace("http://", "ws://", 1)
    return {"ok": True, "url": f"{address}/link/?ticket={call.new_ticket()}&app_id={APP_ID}"}
