"""A click on a button of a run's message: checked like a command before anything comes of it."""

import asyncio
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.ports import RunReader
from bot.slack.directory import Directory
from commands.access import require_asker, require_channel, require_place
from procedures.model.errors import Refused
from procedures.model.events import Requester
from procedures.model.ids import ChannelId, RunId, TeamId, UserId
from procedures.model.inventory import Inventory
from procedures.model.run import Run


@dataclass(frozen=True, slots=True)
class Press:
    """Who pressed which button below which run.

    `digest` is the plan that was on the screen, `asked` what people were asked
    for, or asked to decide, on it.
    `source` is the same for a click that is delivered twice.
    """

    action: str
    run: Run
    who: Requester
    channel: ChannelId
    digest: str
    asked: str
    source: str

    @property
    def user(self) -> UserId:
        """The account."""
        return self.who.user


async def pressed(
    client: AsyncWebClient,
    team: TeamId,
    inventory: Inventory,
    runs: RunReader,
    body: dict[str, Any],
) -> Press:
    """Check who clicks, where, and below what. Raises Refused or Retryable.

    All of it is read anew: nothing is remembered where people decide.
    """
    action = body["actions"][0]
    user, channel = UserId(body["user"]["id"]), ChannelId(body["channel"]["id"])
    directory = Directory(client)
    require_channel(channel, inventory)
    asker, place = await asyncio.gather(directory.asker(user), directory.place(channel))
    require_asker(asker, team, TeamId(body["user"].get("team_id") or ""))
    require_place(place)
    run = await runs.run(RunId(str(action.get("value"))))
    cluster = inventory.clusters.get(run.request.cluster) if run else None
    if run is None or cluster is None or channel not in cluster.channels:
        message = "That button belongs to no run of this channel."
        raise Refused(message)
    digest, asked = (*str(action.get("block_id")).split("-"), "", "")[1:3]
    return Press(
        action=str(action["action_id"]),
        run=run,
        who=Requester(asker.user, asker.team, asker.name),
        channel=channel,
        digest=digest,
        asked=asked,
        source=f"click:{body.get('trigger_id')}",
    )
