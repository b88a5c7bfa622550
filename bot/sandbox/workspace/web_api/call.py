"""One Web API call as its handler sees it, and the entry that declares a method."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from bot.sandbox.workspace.directory import Channel
from bot.sandbox.workspace.limits import Limit
from bot.sandbox.workspace.people import User
from bot.sandbox.workspace.web_api.arguments import Arguments
from bot.sandbox.workspace.wire import ApiError, Wire
from bot.sandbox.workspace.workspace import Workspace


class TokenKind(StrEnum):
    """Which token a method wants."""

    BOT = "bot"
    APP = "app"


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler may use: the workspace, the arguments, and a ticket for a socket."""

    workspace: Workspace
    args: Arguments
    new_ticket: Callable[[], str]

    def channel(self, name: str = "channel") -> Channel:
        """Return the channel whose id is in argument `name`."""
        channel = self.workspace.directory.channels.get(self.args.required(name))
        if channel is None:
            raise ApiError("channel_not_found")
        return channel

    def channel_with_bot(self, name: str = "channel") -> Channel:
        """Return the channel in argument `name`, of which the bot must be a member."""
        channel = self.channel(name)
        if not channel.has_bot:
            raise ApiError("not_in_channel")
        return channel

    def user(self, name: str = "user") -> User:
        """Return the user whose id is in argument `name`."""
        user = self.workspace.directory.users.get(self.args.required(name))
        if user is None:
            raise ApiError("user_not_found")
        return user


Handler = Callable[[Call], Wire]


@dataclass(frozen=True, slots=True)
class Method:
    """A Web API method: its rate limits, the scopes of which one is needed, its handler."""

    limits: tuple[Limit, ...]
    scopes: tuple[str, ...]
    handler: Handler
    token: TokenKind = TokenKind.BOT
