"""What the twin does beyond the contract, which real clusters do not do on demand."""

import pytest

from bot.targets.etcd.memory import FakeEtcd
from bot.targets.etcd.model import Condition, FakeCluster
from procedures.model.errors import InDoubt, Retryable
from procedures.model.ids import ClusterName, MemberName, Site
from procedures.model.inventory import Cluster, Platform

ONE, TWO, THREE = MemberName("demo-1"), MemberName("demo-2"), MemberName("demo-3")
CLUSTER = Cluster(
    name=ClusterName("demo"),
    platform=Platform.ETCD,
    site=Site("here"),
    endpoints={name: f"http://{name}:2379" for name in (ONE, TWO, THREE)},
    tls=None,
)
URL = CLUSTER.endpoints[ONE]


@pytest.fixture
def demo() -> FakeCluster:
    return FakeCluster.of(CLUSTER)


@pytest.fixture
def etcd(demo: FakeCluster) -> FakeEtcd:
    return FakeEtcd({CLUSTER.name: demo})


async def test_snapshot_of_a_member_that_freezes(etcd: FakeEtcd, demo: FakeCluster) -> None:
    """It comes in parts, and breaks off."""
    demo.members[ONE].db_size = 100_000
    chunks = etcd.snapshot(CLUSTER, URL)
    received = len(await anext(chunks))
    demo.members[ONE].condition = Condition.FROZEN
    with pytest.raises(Retryable, match=f"broke off after {received} bytes"):
        await anext(chunks)


async def test_what_was_sent_without_quorum_happens_in_order(
    etcd: FakeEtcd, demo: FakeCluster
) -> None:
    """When quorum returns; what etcd then refuses is dropped, and nobody hears of it."""
    demo.members[TWO].condition = demo.members[THREE].condition = Condition.STOPPED
    two, three = demo.members[TWO].id, demo.members[THREE].id
    for _ in range(2):
        with pytest.raises(InDoubt):
            await etcd.remove_member(CLUSTER, URL, three)
    with pytest.raises(InDoubt):
        await etcd.update_peer_urls(CLUSTER, URL, two, ["https://two:2380"])
    assert set(demo.members) == {ONE, TWO, THREE}
    demo.members[TWO].condition = Condition.RUNNING
    await etcd.sample(CLUSTER)
    assert set(demo.members) == {ONE, TWO}
    assert demo.members[TWO].peer_urls == ("https://two:2380",)


async def test_an_id_never_returns(etcd: FakeEtcd, demo: FakeCluster) -> None:
    """A member that is added in the place of one that was removed is another."""
    gone = demo.members[TWO].id
    demo.members[TWO].condition = Condition.STOPPED
    await etcd.remove_member(CLUSTER, URL, gone)
    demo.add(TWO, CLUSTER.endpoints[TWO])
    assert gone not in {member.id for member in demo.members.values()}
    assert len({member.id for member in demo.members.values()}) == 3


async def test_leadership_is_not_taken_over_by_a_member_that_is_down(
    etcd: FakeEtcd, demo: FakeCluster
) -> None:
    """The leader waits for it in vain, and goes on."""
    demo.members[TWO].condition = Condition.STOPPED
    with pytest.raises(InDoubt):
        await etcd.move_leader(CLUSTER, URL, demo.members[TWO].id)
    assert demo.leader is demo.members[ONE]
