"""Who may ask at all, and where. Deciding is pure; the facts come from Slack, read just before."""

from dataclasses import dataclass

from procedures.model.errors import Refused
from procedures.model.ids import ChannelId, TeamId, UserId
from procedures.model.inventory import Inventory


@dataclass(frozen=True, slots=True)
class Asker:
    """What Slack says about an account. `kind` is why it is no full member, None if it is one."""

    user: UserId
    team: TeamId
    name: str
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """What Slack says about a channel."""

    channel: ChannelId
    shared: bool
    bot_is_member: bool


def require_asker(asker: Asker, team: TeamId, claimed_team: TeamId) -> None:
    """Let full members of the bot's own workspace pass; raise Refused, with why, for others."""
    if team != asker.team or claimed_team != team:
        message = "You belong to another workspace. Ask somebody of this one."
        raise Refused(message)
    if asker.kind is not None:
        message = f"Your account is {asker.kind}. Only full members of this workspace may ask."
        raise Refused(message)


def require_channel(channel: ChannelId, inventory: Inventory) -> None:
    """Raise Refused for a channel in which the bot does not answer."""
    if channel in inventory.channels:
        return
    where = ", ".join(f"<#{allowed}>" for allowed in sorted(inventory.channels))
    message = (
        f"I do not answer in this channel. Ask in {where or 'a channel that I am set up for'}."
    )
    raise Refused(message)


def require_place(place: Place) -> None:
    """Raise Refused for a channel that others can read, or in which the bot cannot write."""
    if place.shared:
        message = "This channel is shared with another workspace. I do not answer in it."
        raise Refused(message)
    if not place.bot_is_member:
        message = "I am not in this channel, so I cannot answer here. Invite me first: /invite."
        raise Refused(message)
