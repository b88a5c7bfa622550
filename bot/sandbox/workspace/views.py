"""Modals and Home tabs."""

import json
import secrets
from collections import defaultdict

from bot.sandbox.workspace.clock import Clock
from bot.sandbox.workspace.feed import Feed
from bot.sandbox.workspace.people import APP_ID, BOT_ID, TEAM_ID
from bot.sandbox.workspace.wire import ApiError, Wire

MODAL_STACK = 3
_MAX_BYTES = 250_000


class Views:
    """Each person's stack of open modals (topmost last) and Home tab."""

    def __init__(self, clock: Clock, feed: Feed) -> None:
        """Start with nothing open; changes are told to `feed`."""
        self._clock = clock
        self._feed = feed
        self._homes: dict[str, Wire] = {}
        self._stacks: defaultdict[str, list[Wire]] = defaultdict(list)

    def home(self, user_id: str) -> Wire | None:
        """Return a person's Home tab, if one was published."""
        return self._homes.get(user_id)

    def modals(self, user_id: str) -> list[Wire]:
        """Return a person's open modals, topmost last."""
        return list(self._stacks[user_id])

    def open(self, user_id: str, view: Wire) -> Wire:
        """Open a modal in place of whatever is open."""
        opened = self._made(view)
        self._stacks[user_id] = [opened]
        self._tell(user_id)
        return opened

    def push(self, user_id: str, view: Wire) -> Wire:
        """Put a modal on top; ApiError when the stack is full."""
        stack = self._stacks[user_id]
        if len(stack) >= MODAL_STACK:
            raise ApiError("push_limit_reached")
        below = stack[-1] if stack else None
        pushed = self._made(view)
        if below is not None:
            pushed |= {"root_view_id": below["root_view_id"], "previous_view_id": below["id"]}
        stack.append(pushed)
        self._tell(user_id)
        return pushed

    def publish(self, user_id: str, view: Wire, view_hash: str | None) -> Wire:
        """Set a person's Home tab; ApiError `hash_conflict` when `view_hash` is out of date."""
        before = self._homes.get(user_id)
        if view_hash and before is not None and before["hash"] != view_hash:
            raise ApiError("hash_conflict")
        made = self._made(view)
        if before is not None:
            made |= {"id": before["id"], "root_view_id": before["id"]}
        self._homes[user_id] = made
        self._tell(user_id)
        return made

    def find(self, *, view_id: str = "", external_id: str = "") -> tuple[str, Wire] | None:
        """Find an open view by id or external id; return its person's id and the view."""
        for user_id, views in self._all():
            for view in views:
                if view["id"] == view_id or (external_id and view["external_id"] == external_id):
                    return user_id, view
        return None

    def update(self, user_id: str, old: Wire, view: Wire, view_hash: str | None = None) -> Wire:
        """Replace an open view in place; ApiError `hash_conflict` as for `publish`."""
        if view_hash and old["hash"] != view_hash:
            raise ApiError("hash_conflict")
        kept = {key: old[key] for key in ("id", "root_view_id", "previous_view_id")}
        made = self._made(view, replacing=old) | kept
        if self._homes.get(user_id) is old:
            self._homes[user_id] = made
        else:
            stack = self._stacks[user_id]
            stack[stack.index(old)] = made
        self._tell(user_id)
        return made

    def close(self, user_id: str, view: Wire | None) -> None:
        """Close one modal, or with None all of a person's modals."""
        self._stacks[user_id] = [v for v in self._stacks[user_id] if view is not None and v != view]
        self._tell(user_id)

    def _all(self) -> list[tuple[str, list[Wire]]]:
        homes = [(user_id, [view]) for user_id, view in self._homes.items()]
        return homes + list(self._stacks.items())

    def _made(self, view: Wire, *, replacing: Wire | None = None) -> Wire:
        if len(json.dumps(view)) > _MAX_BYTES:
            raise ApiError("view_too_large")
        external_id = view.get("external_id") or ""
        found = self.find(external_id=external_id) if external_id else None
        if found is not None and found[1] is not replacing:
            raise ApiError("duplicate_external_id")
        view_id = f"V0{secrets.token_hex(5).upper()}"
        defaults: Wire = {
            "callback_id": "",
            "private_metadata": "",
            "clear_on_close": False,
            "notify_on_close": False,
            "close": None,
            "submit": None,
        }
        return {
            **defaults,
            **view,
            "id": view_id,
            "team_id": TEAM_ID,
            "app_id": APP_ID,
            "app_installed_team_id": TEAM_ID,
            "bot_id": BOT_ID,
            "external_id": external_id,
            "state": {"values": {}},
            "hash": f"{int(self._clock.now())}.{secrets.token_hex(4)}",
            "root_view_id": view_id,
            "previous_view_id": None,
        }

    def _tell(self, user_id: str) -> None:
        if self._feed.watched:
            body = {"home": self.home(user_id), "modals": self.modals(user_id)}
            self._feed.publish({"type": "views", **body}, user_id)
