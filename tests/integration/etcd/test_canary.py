"""The canary key, through python-etcd3: on a real cluster, and on servers that misbehave."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from bot.sandbox.demo.cluster import DemoCluster
from bot.targets.etcd.act import EtcdActor
from bot.targets.etcd.python_etcd3 import data_client
from bot.targets.etcd.wire import data_pb2
from procedures.model.errors import InDoubt, Permanent, Retryable
from tests.integration.etcd.acting import failure, one
from tests.integration.etcd.scripted import Context, Unary, hang, scripted
from tests.support.etcdctl import etcdctl


def key_space(found: list[bytes]) -> Mapping[str, Unary]:
    """A key space that takes writes, and gives `found` whatever is read."""

    async def grant(_: bytes, __: Context) -> bytes:
        return data_pb2.LeaseGrantResponse(ID=7, TTL=60).SerializeToString()

    async def put(_: bytes, __: Context) -> bytes:
        return data_pb2.PutResponse().SerializeToString()

    async def read(_: bytes, __: Context) -> bytes:
        kvs = [data_pb2.KeyValue(value=value) for value in found]
        return data_pb2.RangeResponse(kvs=kvs, count=len(kvs)).SerializeToString()

    return {"Lease/LeaseGrant": grant, "KV/Put": put, "KV/Range": read}


async def test_canary_leaves_nothing(
    actor: EtcdActor, etcd_cluster: DemoCluster, binary: Callable[[str], str]
) -> None:
    """Its key is gone at once."""
    url = etcd_cluster.endpoints["demo-1"]
    await actor.write_and_read(one(url, etcd_cluster.files), url, "value")
    kept = await etcdctl(binary("etcdctl"), etcd_cluster, "get", "--prefix", "/quorumbot/")
    assert "count" not in kept


async def test_canaries_at_the_same_time(actor: EtcdActor, etcd_cluster: DemoCluster) -> None:
    """They do not read each other's values."""
    url = etcd_cluster.endpoints["demo-1"]
    cluster = one(url, etcd_cluster.files)
    await asyncio.gather(*(actor.write_and_read(cluster, url, f"{n}") for n in range(6)))


async def test_canary_by_server_name(actor: EtcdActor, etcd_cluster: DemoCluster) -> None:
    """The configured name is what the certificate has to carry, for python-etcd3 too."""
    url = etcd_cluster.endpoints["demo-1"]
    cluster = one(url, etcd_cluster.files)
    assert cluster.tls
    named = replace(cluster, tls=replace(cluster.tls, server_name="demo-1"))
    await actor.write_and_read(named, url, "value")
    wrong = replace(cluster, tls=replace(cluster.tls, server_name="demo-2"))
    assert isinstance(await failure(actor.write_and_read(wrong, url, "value")), Retryable)


async def test_changes_use_no_proxy(
    actor: EtcdActor, etcd_cluster: DemoCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the environment says, etcd is asked directly, by python-etcd3 too."""
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "grpc_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    url = etcd_cluster.endpoints["demo-1"]
    await actor.write_and_read(one(url, etcd_cluster.files), url, "value")


@pytest.mark.parametrize(("found", "why"), [([], "nothing there"), ([b"old"], "something else")])
async def test_canary_that_reads_something_else(
    actor: EtcdActor, found: list[bytes], why: str
) -> None:
    """A write that was confirmed and is not there is a lasting trouble."""
    async with scripted(key_space(found)) as script:
        error = await failure(actor.write_and_read(one(script.url), script.url, "value"))
    assert isinstance(error, Permanent)
    assert why in str(error)


@pytest.mark.parametrize("broken", ["Lease/LeaseGrant", "KV/Put", "KV/Range", "KV/DeleteRange"])
async def test_canary_without_an_answer(actor: EtcdActor, broken: str) -> None:
    """Wherever an answer is missing, it is in doubt, within one limit for all of it."""
    async with scripted({**key_space([b"value"]), broken: hang}) as script:
        error = await failure(actor.write_and_read(one(script.url), script.url, "value"))
        assert isinstance(error, InDoubt)
        assert script.calls[-1] == broken.partition("/")[2]
        assert len(script.calls) == len(set(script.calls))


async def test_data_client(etcd_cluster: DemoCluster) -> None:
    """A client of its own for the key space, made from the configuration."""
    url = etcd_cluster.endpoints["demo-2"]

    def write_and_read() -> bytes | None:
        client = data_client(one(url, etcd_cluster.files), url)
        try:
            client.put("witness", "value")
            return client.get("witness")[0]
        finally:
            client.close()

    assert await asyncio.to_thread(write_and_read) == b"value"
