"""Who may decide on a change: read from Slack at the moment of deciding, never remembered."""

import asyncio
import time
from collections.abc import Iterable, Sequence

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.directory import REMEMBER_S, TIMEOUT_S, Directory
from bot.slack.errors import error_code
from commands.access import require_asker
from procedures.model.errors import Refused, Retryable
from procedures.model.ids import TeamId, UserId
from procedures.model.inventory import Cluster


class People:
    """Looks accounts and groups up."""

    def __init__(self, client: AsyncWebClient, team: TeamId) -> None:
        self._client = client
        self._team = team
        self._kept: dict[str, tuple[frozenset[UserId], float]] = {}

    async def may_approve(self, cluster: Cluster, users: Iterable[UserId]) -> frozenset[UserId]:
        """Which of these accounts may approve changes of a cluster now.

        Raises Retryable when Slack does not tell: a vote that counts must not be lost over that.
        """
        listed, full = await asyncio.gather(
            self._approvers(cluster), self._full_members(tuple(users))
        )
        return listed & full

    async def approvers(self, cluster: Cluster) -> frozenset[UserId]:
        """Who may approve changes of a cluster, remembered for a minute: Slack allows only some
        twenty questions a minute, and the ones that decide come first.
        """
        group = cluster.approvers.group
        if group is None:
            return cluster.approvers.users
        kept = self._kept.get(group)
        if kept is None or kept[1] < time.monotonic():
            return await self._approvers(cluster)
        return kept[0]

    async def _full_members(self, users: Sequence[UserId]) -> frozenset[UserId]:
        full = await asyncio.gather(*(self._is_full_member(user) for user in users))
        return frozenset(user for user, is_full in zip(users, full, strict=True) if is_full)

    async def _is_full_member(self, user: UserId) -> bool:
        try:
            require_asker(await Directory(self._client).asker(user), self._team, self._team)
        except Refused:
            return False
        return True

    async def _approvers(self, cluster: Cluster) -> frozenset[UserId]:
        if cluster.approvers.group is None:
            return cluster.approvers.users
        try:
            async with asyncio.timeout(TIMEOUT_S):
                answer = await self._client.usergroups_users_list(usergroup=cluster.approvers.group)
        except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError) as error:
            message = f"Slack did not say who may approve ({error_code(error)})."
            raise Retryable(message) from error
        found = frozenset(UserId(user) for user in answer["users"])
        self._kept[cluster.approvers.group] = (found, time.monotonic() + REMEMBER_S)
        return found
