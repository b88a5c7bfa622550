"""Who somebody at a terminal is, and what they may do from there."""

from collections.abc import Mapping

import pytest

from bot import terminal
from bot.process import own_user
from commands.catalogue import REGISTRY
from commands.grammar import Ask, parse
from procedures.model.errors import Refused
from procedures.model.ids import ChannelId, ClusterName, MemberName, Site, UserId
from procedures.model.inventory import Approvers, Cluster, Inventory, Platform

FIRST, SECOND = ChannelId("C0ZZZ"), ChannelId("C0AAA")
ALICE, BOB = UserId("U0ALICE"), UserId("U0BOB")


def an_inventory(
    *channels: ChannelId,
    users: Mapping[str, UserId] | None = None,
    approvers: Approvers | None = None,
) -> Inventory:
    cluster = Cluster(
        name=ClusterName("demo"),
        platform=Platform.ETCD,
        site=Site("default"),
        endpoints={MemberName("demo-1"): "http://127.0.0.1:2379"},
        tls=None,
        channels=channels,
        approvers=approvers or Approvers(),
    )
    return Inventory({cluster.name: cluster}, terminal_users=users or {}, people={BOB: "Bob"})


def asked(text: str, inventory: Inventory) -> Ask:
    slash, _, rest = text.partition(" ")
    wanted = parse(REGISTRY, inventory, slash, rest, None)
    assert isinstance(wanted, Ask)
    return wanted


CHANGES = ("etcd member remove demo-1", "etcd backup", "ops cancel r-00000000", "ops pause demo")
READS = ("etcd health", "etcd member remove demo-1 --plan", "ops runs", "ops run r-00000000")


@pytest.mark.parametrize("text", CHANGES)
def test_without_an_account_nothing_is_changed(text: str) -> None:
    """It is refused with the setting that is missing."""
    inventory = an_inventory(FIRST)
    with pytest.raises(Refused, match="terminal_users names no Slack account"):
        terminal.requester(asked(text, inventory), inventory)


@pytest.mark.parametrize("text", READS)
def test_without_an_account_everything_is_read(text: str) -> None:
    """Under a name that is no Slack account."""
    inventory = an_inventory(FIRST)
    who = terminal.requester(asked(text, inventory), inventory)
    assert who.user == f"terminal:{own_user()}"


def test_with_an_account() -> None:
    """The request is theirs, so that the rules on own votes hold."""
    inventory = an_inventory(FIRST, users={own_user(): ALICE})
    assert terminal.requester(asked(CHANGES[0], inventory), inventory).user == ALICE


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("etcd member remove demo-1", FIRST),
        ("etcd backup", FIRST),
        ("etcd member remove demo-1 --plan", None),
        ("etcd health", None),
    ],
)
def test_where_it_is_shown(text: str, channel: ChannelId | None) -> None:
    """A change in the first channel as the configuration lists them, the rest nowhere."""
    inventory = an_inventory(FIRST, SECOND)
    assert terminal.shown_in(asked(text, inventory)) == channel


def test_nowhere_to_approve() -> None:
    """What somebody has to approve is refused; what nobody has to is not."""
    inventory = an_inventory()
    with pytest.raises(Refused, match=r"set clusters\.demo\.channels"):
        terminal.shown_in(asked("etcd member remove demo-1", inventory))
    assert terminal.shown_in(asked("etcd backup", inventory)) is None


async def test_who_approves() -> None:
    """The listed ones; a group of Slack's cannot be read, and nobody is taken for a member."""
    listed = an_inventory(approvers=Approvers(users=frozenset({BOB})))
    may = terminal.eligible(listed.clusters[ClusterName("demo")])
    assert await may({ALICE, BOB}) == {BOB}
    grouped = an_inventory(approvers=Approvers(group="S0APPROVERS"))
    with pytest.raises(Refused, match="Do it in Slack"):
        await terminal.eligible(grouped.clusters[ClusterName("demo")])({BOB})
    nobody = an_inventory()
    assert await terminal.eligible(nobody.clusters[ClusterName("demo")])({BOB}) == frozenset()


def test_names() -> None:
    """What is known of an account is put in its place."""
    inventory = an_inventory(users={"alice": ALICE})
    line = "<@U0ALICE>, <@U0BOB> and <@U0EVE> in <#C0OPS>, a <b> and <@>"
    assert terminal.named(line, inventory) == "alice, Bob and U0EVE in C0OPS, a <b> and <@>"
