"""From what was understood to what is stored."""

from commands.grammar import Ask
from procedures.model.errors import UsageError
from procedures.model.events import Requested, Requester
from procedures.model.ids import ChannelId


def request(wanted: Ask, requester: Requester, channel: ChannelId | None) -> Requested:
    """Make the request that a worker will carry out."""
    if wanted.command.procedure is None or wanted.cluster is None:
        message = f"/{wanted.command.name} is answered without a worker."
        raise UsageError(message)
    return Requested(
        command=wanted.command.procedure,
        args=dict(wanted.args),
        cluster=wanted.cluster.name,
        site=wanted.cluster.site,
        requester=requester,
        channel=channel,
    )
