"""Whether the bot is where the configuration wants it to speak."""

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.errors import error_code
from procedures.model.ids import ChannelId


async def membership(client: AsyncWebClient, channel: ChannelId, bot: str) -> tuple[bool, str]:
    """Tell whether the bot, by its name, can write in a channel; and what is so, or what to do."""
    try:
        found = (await client.conversations_info(channel=channel))["channel"]
    except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError) as error:
        code = error_code(error)
        if code == "channel_not_found":
            return False, (
                f"{bot} sees no channel {channel}. If it is a private one, type /invite @{bot} "
                "there; else correct the id"
            )
        return False, f"conversations.info failed for {channel}: {code}. Check again"
    name = f"#{found.get('name', channel)}"
    if found.get("is_archived"):
        return False, f"{name} is archived. Unarchive it, or name another channel"
    if not found.get("is_member"):
        return False, f"{bot} is not a member of {name}. Type /invite @{bot} there"
    return True, f"{bot} is a member of {name}"
