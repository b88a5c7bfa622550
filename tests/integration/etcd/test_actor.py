"""The actor on bad networks, and against servers that follow a script.

Whether a change surely did not happen decides whether it may be made again.
"""

import asyncio

import grpc
import pytest

from bot.sandbox.demo.cluster import DemoCluster
from bot.targets.etcd.act import EtcdActor
from procedures.model.errors import InDoubt, Permanent, QuorumbotError, Retryable
from procedures.model.ids import MemberId
from tests.integration.etcd.acting import PATIENCE_MS, failure, one
from tests.integration.etcd.scripted import failing, hang, scripted
from tests.integration.etcd.servers import Relay, hang_up, serving
from tests.support.waiting import eventually

MEMBER = MemberId("8e9e05c52164694d")
REMOVE = "Cluster/MemberRemove"

Code = grpc.StatusCode


@pytest.mark.parametrize(
    ("code", "details", "kind"),
    [
        (Code.NOT_FOUND, "etcdserver: member not found", Permanent),
        (Code.UNAVAILABLE, "etcdserver: unhealthy cluster", Permanent),
        (Code.RESOURCE_EXHAUSTED, "etcdserver: too many requests", Retryable),
        (Code.UNAVAILABLE, "etcdserver: request timed out", InDoubt),
        (Code.UNAVAILABLE, "transport is closing", InDoubt),
        (Code.CANCELLED, "context canceled", InDoubt),
        (Code.UNKNOWN, "context deadline exceeded", InDoubt),
    ],
)
async def test_an_answer_is_judged_and_asked_for_once(
    actor: EtcdActor, code: grpc.StatusCode, details: str, kind: type[QuorumbotError]
) -> None:
    """Whatever the error, the call is made one time, also where gRPC itself would retry."""
    async with scripted({REMOVE: failing(code, details)}) as script:
        error = await failure(actor.remove_member(one(script.url), script.url, MEMBER))
        assert type(error) is kind
        assert str(error).count("odd-1 at http://127.0.0.1") == 1
        assert script.calls == ["MemberRemove"]


async def test_no_answer_is_in_doubt(actor: EtcdActor) -> None:
    """A call that was taken and is not answered may still happen; nobody sends it again."""
    async with scripted({REMOVE: hang}) as script:
        error = await failure(actor.remove_member(one(script.url), script.url, MEMBER))
        assert isinstance(error, InDoubt)
        assert "within 1.8 s" in str(error)
        assert script.calls == ["MemberRemove"]


async def test_a_long_call_has_a_limit_of_its_own(actor: EtcdActor) -> None:
    """Defragmentation and compaction take longer than other calls; still each has an end."""
    both = {"Maintenance/Defragment": hang, "KV/Compact": hang}
    async with scripted(both) as script:
        cluster = one(script.url)
        for call in (
            actor.defragment(cluster, script.url, limit_ms=300),
            actor.compact(cluster, script.url, 7, limit_ms=300),
        ):
            error = await failure(call)
            assert isinstance(error, InDoubt)
            assert "within 0.3 s" in str(error)
        assert script.calls == ["Defragment", "Compact"]


async def test_what_was_compacted_before_is_done(actor: EtcdActor) -> None:
    """A late duplicate of a compaction finds nothing to do, and that is no error."""
    words = "etcdserver: mvcc: required revision has been compacted"
    async with scripted({"KV/Compact": failing(Code.OUT_OF_RANGE, words)}) as script:
        await actor.compact(one(script.url), script.url, 7, limit_ms=300)
        assert script.calls == ["Compact"]


async def test_a_lost_answer_is_in_doubt(actor: EtcdActor) -> None:
    """The connection breaks under the call, which has arrived."""
    async with scripted({REMOVE: hang}) as script:
        relay = Relay(script.url)
        async with serving(relay.handle) as port:
            url = f"http://127.0.0.1:{port}"
            call = asyncio.create_task(failure(actor.remove_member(one(url), url, MEMBER)))
            await eventually(lambda: bool(script.calls), 2, "the call has arrived")
            relay.cut()
            assert isinstance(await call, InDoubt)
        assert script.calls == ["MemberRemove"]


async def test_a_server_that_does_not_know_the_call(actor: EtcdActor) -> None:
    """It has done nothing, and never will."""
    unknown = failing(Code.UNIMPLEMENTED, "unknown service etcdserverpb.Cluster")
    async with scripted({REMOVE: unknown}) as script:
        error = await failure(actor.remove_member(one(script.url), script.url, MEMBER))
    assert isinstance(error, Permanent)


async def test_a_server_that_hangs_up(actor: EtcdActor) -> None:
    """Nothing was sent."""
    async with serving(hang_up) as port:
        url = f"http://127.0.0.1:{port}"
        assert isinstance(await failure(actor.remove_member(one(url), url, MEMBER)), Retryable)


@pytest.mark.parametrize("url", ["https://etcd.invalid:2379", "https://127.0.0.1:1", "etcd:2379"])
async def test_no_way_to_the_member(actor: EtcdActor, url: str) -> None:
    """A name that does not resolve, missing files, no address: nothing was sent."""
    error = await failure(actor.write_and_read(one(url), url, "value"))
    assert isinstance(error, Retryable)
    assert "the write of a canary key was not sent" in str(error)


async def test_a_cancelled_call_ends(actor: EtcdActor) -> None:
    """The server hears of it, and nothing is left of it here."""
    async with scripted({REMOVE: hang}) as script:
        call = asyncio.create_task(actor.remove_member(one(script.url), script.url, MEMBER))
        await eventually(lambda: bool(script.calls), 2, "the call has arrived")
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await eventually(lambda: script.ended == ["MemberRemove"], 2, "the server has heard")


async def test_nothing_is_left_after_closing(etcd_cluster: DemoCluster) -> None:
    """A closed actor leaves no task behind, whatever became of its calls."""
    actor = EtcdActor(patience_ms=PATIENCE_MS)
    etcd_cluster.freeze("demo-2")
    for url in etcd_cluster.endpoints.values():
        cluster = one(url, etcd_cluster.files)
        await asyncio.gather(
            actor.remove_member(cluster, url, MEMBER),
            actor.write_and_read(cluster, url, "value"),
            anext(actor.snapshot(cluster, url)),
            return_exceptions=True,
        )
    await actor.close()
    await eventually(
        lambda: asyncio.all_tasks() == {asyncio.current_task()}, 2, "no task but this one is left"
    )
