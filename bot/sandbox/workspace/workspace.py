"""The whole state of the workspace."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bot.sandbox.workspace.app import Installation, SlashCommand
from bot.sandbox.workspace.clock import Clock
from bot.sandbox.workspace.credentials import Credentials
from bot.sandbox.workspace.directory import Channel, Directory
from bot.sandbox.workspace.faults import Faults
from bot.sandbox.workspace.feed import Feed
from bot.sandbox.workspace.files import Files
from bot.sandbox.workspace.limits import RateLimiter
from bot.sandbox.workspace.messages import Messages
from bot.sandbox.workspace.people import GROUPS, TEAM_DOMAINS, TEAM_ID, User
from bot.sandbox.workspace.traffic import Traffic
from bot.sandbox.workspace.triggers import Hooks, Triggers
from bot.sandbox.workspace.views import Views
from bot.sandbox.workspace.wire import Wire


class Workspace:
    """Everything that the Web API, the payloads and the control API read and change."""

    def __init__(
        self,
        credentials: Credentials,
        commands: Sequence[SlashCommand],
        clock: Path | None = None,
    ) -> None:
        """Build an empty workspace with one app installed; `clock` is a file for its time."""
        self.credentials = credentials
        self.commands = {command.command: command for command in commands}
        self.base_url = ""
        self.ready = False
        self.endpoints: dict[str, str] = {}
        self.hosts: tuple[str, ...] = ()
        self.installation = Installation()
        self.clock = Clock(clock)
        self.feed = Feed()
        self.directory = Directory()
        self.messages = Messages(self.clock, self.feed)
        self.triggers = Triggers(self.clock)
        self.hooks = Hooks(self.clock)
        self.views = Views(self.clock, self.feed)
        self.files = Files()
        self.faults = Faults(self.tell_state)
        self.limiter = RateLimiter()
        self.traffic = Traffic(self.clock, self.feed, credentials)

    def set_ready(self, *, ready: bool) -> None:
        """Say whether the bot behind the workspace can be used."""
        self.ready = ready
        self.tell_state()

    def set_endpoints(self, endpoints: Mapping[str, str]) -> None:
        """Say which addresses a person may want to see."""
        self.endpoints = dict(endpoints)
        self.tell_state()

    def set_hosts(self, names: Iterable[str]) -> None:
        """Say which hosts the demo cluster has, where it is not processes of this machine."""
        self.hosts = tuple(names)
        self.tell_state()

    def dm(self, user: User) -> Channel:
        """Return the bot's direct conversation with `user`, opening it when needed."""
        known = len(self.directory.channels)
        channel = self.directory.dm(user)
        if len(self.directory.channels) > known:
            self.tell_state()
        return channel

    def tell_state(self) -> None:
        """Send the present state to those who watch."""
        if self.feed.watched:
            self.feed.publish({"type": "state", "state": self.state()})

    def state(self) -> Wire:
        """Describe the workspace for `GET /control/state`."""
        return {
            "ready": self.ready,
            "now": self.clock.now(),
            "team": {"id": TEAM_ID, "name": "Sandbox", "domain": TEAM_DOMAINS[TEAM_ID]},
            "transport": "http" if self.installation.request_url else "socket",
            "users": [
                {
                    "id": user.id,
                    "handle": user.handle,
                    "name": user.real_name,
                    "team_id": user.team_id,
                    "is_bot": user.is_bot,
                    "is_guest": user.is_guest,
                    "is_stranger": user.is_stranger,
                    "may_approve": any(user.id in group.user_ids for group in GROUPS),
                }
                for user in self.directory.users.values()
            ],
            "groups": [
                {
                    "id": group.id,
                    "handle": group.handle,
                    "members": self.directory.handles(group.user_ids),
                }
                for group in GROUPS
            ],
            "channels": [
                {
                    "id": channel.id,
                    "name": channel.name,
                    "is_im": channel.dm_with is not None,
                    "is_ext_shared": channel.is_ext_shared,
                    "bot_is_member": channel.has_bot,
                    "members": self.directory.handles(channel.members),
                }
                for channel in self.directory.channels.values()
            ],
            "commands": [
                {
                    "command": command.command,
                    "description": command.description,
                    "usage_hint": command.usage_hint,
                }
                for command in self.commands.values()
            ],
            "endpoints": self.endpoints,
            "hosts": list(self.hosts),
            "faults": self.faults.wire(),
        }
