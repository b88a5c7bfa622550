"""Who may approve: listed or in the group, and a full member, as Slack says it at that moment."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.http import listening
from bot.sandbox.ports import free_ports
from bot.slack.approvers import People
from bot.slack.workspace import make_client
from procedures.model.errors import Retryable
from procedures.model.ids import ClusterName, TeamId, UserId
from procedures.model.inventory import Approvers, Cluster
from tests.integration.front.conftest import INVENTORY

BOB, CAROL = UserId("U0BOB"), UserId("U0CAROL")
TEAM = TeamId("T0SANDBOX")
FULL = {"team_id": TEAM, "name": "somebody"}
DEMO = INVENTORY.clusters[ClusterName("demo")]
LISTED = replace(DEMO, approvers=Approvers(users=frozenset({BOB, CAROL})))
GROUPED = replace(DEMO, approvers=Approvers(group="S0OPS"))


@dataclass
class Said:
    """What Slack says: of accounts, by id (none of others), and who is in the group."""

    users: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    group: list[str] | None = field(default_factory=list)
    unsaid: set[str] = field(default_factory=set)
    client: AsyncWebClient = field(init=False)

    async def may(self, cluster: Cluster, *users: UserId) -> frozenset[UserId]:
        return await People(self.client, TEAM).may_approve(cluster, users)


@pytest.fixture
async def said() -> AsyncIterator[Said]:
    """A Slack in which Bob and Carol are full members and in the group."""
    found = Said({BOB: FULL, CAROL: FULL}, [BOB, CAROL])

    async def user(request: web.Request) -> web.Response:
        name = request.query["user"]
        if name in found.unsaid:
            return web.json_response({"ok": False, "error": "ratelimited"})
        if name not in found.users:
            return web.json_response({"ok": False, "error": "user_not_found"})
        return web.json_response({"ok": True, "user": {"id": name, **found.users[name]}})

    async def group(_: web.Request) -> web.Response:
        if found.group is None:
            return web.json_response({"ok": False, "error": "fatal_error"})
        return web.json_response({"ok": True, "users": found.group})

    (port,) = free_ports(1)
    routes = [web.get("/users.info", user), web.get("/usergroups.users.list", group)]
    async with listening(f"127.0.0.1:{port}", routes):
        found.client = make_client("xoxb-0-any", f"http://127.0.0.1:{port}/")
        yield found


@pytest.mark.parametrize("cluster", [LISTED, GROUPED], ids=["listed", "in a group"])
async def test_approvers_may(said: Said, cluster: Cluster) -> None:
    """Those who are listed, or in the group; nobody else who is in the workspace."""
    said.users["U0DAVE"] = FULL
    may = await said.may(cluster, BOB, CAROL, UserId("U0DAVE"))
    assert may == {BOB, CAROL}


@pytest.mark.parametrize("cluster", [LISTED, GROUPED], ids=["listed", "in a group"])
@pytest.mark.parametrize(
    "flags",
    [
        {"deleted": True},
        {"is_bot": True},
        {"is_workflow_bot": True},
        {"is_restricted": True},
        {"is_ultra_restricted": True},
        {"is_stranger": True},
        {"team_id": "T0ELSEWHERE"},
    ],
    ids=lambda flags: next(iter(flags)),
)
async def test_who_is_no_full_member_may_not(
    said: Said, cluster: Cluster, flags: Mapping[str, Any]
) -> None:
    """Although the configuration or the group names the account."""
    said.users[CAROL] = {**FULL, **flags}
    assert await said.may(cluster, BOB, CAROL) == {BOB}


async def test_whom_slack_does_not_know_may_not(said: Said) -> None:
    """The vote of an account that is gone does not count."""
    del said.users[CAROL]
    assert await said.may(LISTED, BOB, CAROL) == {BOB}


async def test_whom_slack_does_not_tell(said: Said) -> None:
    """Nothing is decided until Slack says who it is: a vote that counts is not lost over it."""
    said.unsaid.add(CAROL)
    with pytest.raises(Retryable, match="Slack did not say who you are"):
        await said.may(LISTED, BOB, CAROL)


async def test_a_group_that_slack_does_not_tell(said: Said) -> None:
    """Nobody is let in, and whoever clicked is told to try again."""
    said.group = None
    with pytest.raises(Retryable, match="Slack did not say who may approve"):
        await said.may(GROUPED, BOB)


async def test_nothing_is_remembered(said: Said) -> None:
    """Who has left the group, or the company, since the last question may not any more."""
    people = People(said.client, TEAM)
    assert await people.may_approve(GROUPED, (BOB, CAROL)) == {BOB, CAROL}
    said.group = [BOB]
    assert await people.may_approve(GROUPED, (BOB, CAROL)) == {BOB}
    said.users[BOB] = {**FULL, "deleted": True}
    assert await people.may_approve(GROUPED, (BOB, CAROL)) == frozenset()
