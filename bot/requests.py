"""From what was understood to what is stored."""

from commands.grammar import Ask
from procedures.model.errors import UsageError
from procedures.model.events import Requested, Requester
from procedures.model.ids import ChannelId
from procedures.model.redaction.redactor import Redactor

_PATTERNS = Redactor({})
"""What looks like a secret: a reason is stored for good, and shown to everybody."""


def request(wanted: Ask, requester: Requester, channel: ChannelId | None) -> Requested:
    """Make the request that a worker will carry out."""
    if wanted.command.procedure is None or wanted.cluster is None:
        message = f"/{wanted.command.name} is answered without a worker."
        raise UsageError(message)
    args = dict(wanted.args)
    reason, plan_only = args.pop("reason", None), args.pop("plan", False)
    return Requested(
        command=wanted.command.procedure,
        args=args,
        cluster=wanted.cluster.name,
        site=wanted.cluster.site,
        requester=requester,
        channel=channel,
        reason=None if reason is None else _PATTERNS.text(str(reason)),
        plan_only=bool(plan_only),
    )
