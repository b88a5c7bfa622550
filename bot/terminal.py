"""Who somebody at a terminal is, what they may do from there, and where others see it."""

import re
from collections.abc import Iterable

from bot.control.table import CONTROLS
from bot.ports import Eligible
from bot.process import own_user
from commands.grammar import Ask
from procedures.catalogue import INQUIRIES, PROCEDURES
from procedures.model.errors import Refused
from procedures.model.events import Requester
from procedures.model.ids import ChannelId, TeamId, UserId
from procedures.model.inventory import Cluster, Inventory
from procedures.model.plan import Risk

_MENTION = re.compile(r"<[@#]([A-Z0-9]+)>")


def requester(wanted: Ask, inventory: Inventory) -> Requester:
    """The Slack account of whoever runs this process.

    Raises Refused for one without an account who wants more than to read.
    """
    user = own_user()
    account = inventory.terminal_users.get(user)
    if account is None and not _reads(wanted):
        message = (
            f"{user} may only read from a terminal: terminal_users names no Slack account for it."
        )
        raise Refused(message)
    return Requester(account or UserId(f"terminal:{user}"), TeamId(""), user)


def shown_in(wanted: Ask) -> ChannelId | None:
    """Where a change is shown and decided on; None for what nobody has to decide on.

    Raises Refused where there is no such channel.
    """
    procedure = PROCEDURES.get(wanted.command.procedure or "")
    if procedure is None or wanted.args.get("plan") or wanted.cluster is None:
        return None
    if wanted.cluster.channels:
        return wanted.cluster.channels[0]
    if procedure.risk is Risk.READ_ONLY:
        return None
    message = (
        f"{wanted.cluster.name} has no channel in which it could be approved: set "
        f"clusters.{wanted.cluster.name}.channels."
    )
    raise Refused(message)


def eligible(cluster: Cluster) -> Eligible:
    """Who may approve, as far as a terminal can tell: Slack's groups it cannot read."""

    async def may(users: Iterable[UserId]) -> frozenset[UserId]:
        if cluster.approvers.group is not None:
            message = (
                f"It takes an approver of {cluster.name}, and they are a group in Slack, which a "
                "terminal cannot read. Do it in Slack."
            )
            raise Refused(message)
        return frozenset(users) & cluster.approvers.users

    return may


def named(line: str, inventory: Inventory) -> str:
    """Put what is known of people in the place of their accounts."""
    names = {account: user for user, account in inventory.terminal_users.items()}
    names |= inventory.people

    def name(found: re.Match[str]) -> str:
        return names.get(UserId(found[1]), found[1])

    return _MENTION.sub(name, line)


def _reads(wanted: Ask) -> bool:
    if wanted.command.procedure is None:
        return CONTROLS[wanted.command.name].reads
    return wanted.command.procedure in INQUIRIES or bool(wanted.args.get("plan"))
