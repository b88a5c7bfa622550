"""Who may approve is what Slack says at that moment; when it does not say, that is said."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from bot.http import listening
from bot.sandbox.ports import free_ports
from bot.slack.approvers import People
from bot.slack.workspace import make_client
from procedures.model.errors import Retryable
from procedures.model.ids import ClusterName, Site, TeamId, UserId
from procedures.model.inventory import Approvers, Cluster, Platform

TEAM = TeamId("T0SANDBOX")
ALICE, BOB = UserId("U0ALICE"), UserId("U0BOB")
GROUP = {"ok": True, "users": [ALICE, "U0EVE"]}
MakePeople = Callable[[dict[str, Any], dict[str, Any]], Awaitable[People]]


def a_cluster(approvers: Approvers) -> Cluster:
    return Cluster(ClusterName("demo"), Platform.ETCD, Site("s"), {}, None, approvers=approvers)


GROUPED = a_cluster(Approvers(group="S0APPROVERS"))
LISTED = a_cluster(Approvers(users=frozenset({ALICE, BOB})))


@pytest.fixture
async def people() -> AsyncIterator[MakePeople]:
    """Makes look-ups in a Slack that says this of its group, and these flags of every account."""
    bodies: dict[str, dict[str, Any]] = {}

    async def api(request: web.Request) -> web.Response:
        return web.json_response(bodies[request.match_info["method"]])

    (port,) = free_ports(1)
    async with listening(f"127.0.0.1:{port}", [web.route("*", "/api/{method}", api)]):

        async def make(group: dict[str, Any], flags: dict[str, Any]) -> People:
            bodies["usergroups.users.list"] = group
            bodies["users.info"] = {"ok": True, "user": {"id": "U0ANY", "team_id": TEAM, **flags}}
            return People(make_client("xoxb-0-any", f"http://127.0.0.1:{port}/api/"), TEAM)

        yield make


async def test_members_of_the_group(people: MakePeople) -> None:
    """Nobody else, and only those who were asked about."""
    assert await (await people(GROUP, {})).may_approve(GROUPED, [ALICE, BOB]) == {ALICE}
    assert await (await people(GROUP, {})).may_approve(LISTED, [ALICE, BOB]) == {ALICE, BOB}


async def test_guests_never_count(people: MakePeople) -> None:
    """Whoever lists them."""
    guests = await people(GROUP, {"is_restricted": True})
    assert await guests.may_approve(GROUPED, [ALICE]) == frozenset()
    assert await guests.may_approve(LISTED, [ALICE]) == frozenset()


async def test_a_group_that_cannot_be_read(people: MakePeople) -> None:
    """It is one error in words, not a group of them."""
    unread = await people({"ok": False, "error": "no_such_subteam"}, {})
    with pytest.raises(Retryable, match=r"Slack did not say who may approve \(no_such_subteam\)"):
        await unread.may_approve(GROUPED, [ALICE, BOB])
