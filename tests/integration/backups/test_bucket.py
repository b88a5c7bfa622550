"""What a bucket and the way to it can do wrong, and what is said then."""

import asyncio
import os
import ssl
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from bot.sandbox.demo.pki import LOOPBACK_HOSTS, Authority
from bot.sandbox.ports import free_ports
from bot.targets.backups.bucket import Bucket, Place
from bot.targets.backups.s3 import S3Backups
from bot.targets.backups.tools import Tools
from procedures.model.errors import Permanent, QuorumbotError, Retryable
from procedures.model.snapshot import Retention
from tests.contract.backups.values import an_origin, sealed, stream
from tests.contract.backups.worlds import S3World, save
from tests.integration.etcd.servers import Relay, hang_up, say_nothing, serving

MIB = 1024**2
PART = 5 * MIB
"""No server takes smaller parts, except the last."""


@pytest.fixture
def big(s3: S3World, tmp_path: Path) -> S3World:
    """The world with parts of 5 MiB, and a stand-in for the tool, which reads anything."""
    tool = tmp_path / "etcdctl"
    tool.write_text(
        "#!/bin/sh\n"
        'if [ "$1" = version ]; then echo "etcdctl version: 3.4.23"; exit; fi\n'
        'echo \'{"hash":1,"revision":7,"totalKey":3,"totalSize":9}\'\n'
    )
    tool.chmod(0o755)
    s3.backups.close()
    s3.backups = S3Backups(
        s3.server.place(s3.bucket),
        "etcd/here",
        s3.spool,
        Tools({"3.4": str(tool)}),
        s3.clock,
        part_size=PART,
    )
    return s3


def requests(
    world: S3World, fail_at: int = 0, error: Exception | None = None, when: str = "before-call"
) -> list[str]:
    """Note the requests that are made, and let one of them fail."""
    made: list[str] = []

    def note(model: object, **_: object) -> None:
        made.append(getattr(model, "name", ""))
        if error is not None and len(made) == fail_at:
            raise error

    world.backups._bucket._client.meta.events.register_first(f"{when}.s3", note)
    return made


def uploads(world: S3World) -> list[object]:
    """Uploads that were never completed."""
    listed = world.server.client.list_multipart_uploads(Bucket=world.bucket)
    return list(listed.get("Uploads", []))


async def test_large_snapshots_go_in_parts(big: S3World) -> None:
    """What comes back is what was sent, and is verified as a whole."""
    data = sealed(os.urandom(12 * MIB))
    made = requests(big)
    snapshot = await big.backups.save(big.cluster, an_origin(1), stream(data))
    assert made.count("UploadPart") == 3
    assert big.bytes_of(snapshot) == data
    assert await big.backups.verify(snapshot) is None
    assert await big.backups.listing(big.cluster.name) == (snapshot,)
    assert uploads(big) == []


LOST = EndpointConnectionError(endpoint_url="http://store")


def answer(code: str, status: int) -> ClientError:
    """What boto raises for a store's answer."""
    return ClientError(
        {
            "Error": {"Code": code},
            "ResponseMetadata": {
                "HTTPStatusCode": status,
                "HTTPHeaders": {},
                "HostId": "",
                "RequestId": "",
                "RetryAttempts": 0,
            },
        },
        "PutObject",
    )


BUSY, DENIED = answer("SlowDown", 503), answer("AccessDenied", 403)


@pytest.mark.parametrize("size", [MIB, 12 * MIB])
@pytest.mark.parametrize(
    ("error", "family"), [(LOST, Retryable), (BUSY, Retryable), (DENIED, Permanent)]
)
async def test_whichever_request_fails_nothing_is_listed(
    big: S3World, size: int, error: Exception, family: type[QuorumbotError]
) -> None:
    """Nor left: no data, no record, no part of an upload, no file on this machine."""
    data = sealed(os.urandom(size))
    made = requests(big)
    await big.backups.save(big.cluster, an_origin(1), stream(data))
    needed, kept = len(made), big.everything()
    for number in range(1, needed + 1):
        big.clock.ms += 60_000
        requests(big, number, error)
        with pytest.raises(family, match=f"bucket {big.bucket}"):
            await big.backups.save(big.cluster, an_origin(1), stream(data))
        assert big.everything() == kept
        assert uploads(big) == []
    assert needed == (2 if size < PART else 6)


@pytest.mark.parametrize("size", [MIB, 12 * MIB])
async def test_whichever_answer_is_lost_nothing_is_listed(big: S3World, size: int) -> None:
    """Data may stay, because nobody knows whose it is; a record does not."""
    data = sealed(os.urandom(size))
    made = requests(big, when="after-call")
    first = await big.backups.save(big.cluster, an_origin(1), stream(data))
    for number in range(1, len(made) + 1):
        big.clock.ms += 60_000
        requests(big, number, LOST, "after-call")
        with pytest.raises(Retryable):
            await big.backups.save(big.cluster, an_origin(1), stream(data))
        assert await big.backups.listing(big.cluster.name) == (first,)
    assert [name for name in big.everything() if name.endswith(".json")] == [
        first.name.replace(".db", ".json")
    ]


async def test_somebody_else_has_stored_the_same(s3: S3World) -> None:
    """Another process at the same second: its data and its record stay; ours fill what it lacks."""
    first = await save(s3)
    assert await save(s3) == first
    record = s3.key(first).replace(".db", ".json")
    s3.server.client.delete_object(Bucket=s3.bucket, Key=record)
    requests(s3, 3, LOST)  # its data is there, its record is not; ours cannot be stored
    with pytest.raises(Retryable):
        await save(s3)
    assert s3.everything() == {first.name}
    assert await save(s3) == first
    assert await s3.backups.listing(s3.cluster.name) == (first,)


async def test_nothing_is_sent_before_it_is_verified(big: S3World) -> None:
    """A snapshot that is not whole makes no request at all."""
    made = requests(big)
    with pytest.raises(Permanent, match="is damaged"):
        await big.backups.save(big.cluster, an_origin(1), stream(bytes(8 * MIB + 32)))
    assert made == []


async def test_the_record_comes_last(s3: S3World) -> None:
    """Data without a record is not listed, and is not deleted either."""
    made = requests(s3)
    snapshot = await save(s3)
    assert made == ["PutObject", "PutObject"]
    record = s3.key(snapshot).replace(".db", ".json")
    s3.server.client.delete_object(Bucket=s3.bucket, Key=record)
    assert await s3.backups.listing(s3.cluster.name) == ()
    assert await s3.backups.verify(snapshot) is not None
    s3.clock.ms += 10**12
    assert await s3.backups.rotate(s3.cluster, Retention(1, 1)) == ()
    assert s3.everything() == {snapshot.name}


async def test_a_cancelled_upload_leaves_nothing(big: S3World) -> None:
    """It is given up after the part that is on its way."""
    sent = asyncio.Event()
    loop = asyncio.get_running_loop()

    def note(**_: object) -> None:
        loop.call_soon_threadsafe(sent.set)

    big.backups._bucket._client.meta.events.register("before-call.s3.UploadPart", note)
    data = sealed(os.urandom(40 * MIB))
    task = asyncio.create_task(big.backups.save(big.cluster, an_origin(1), stream(data, MIB)))
    await asyncio.wait_for(sent.wait(), 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert big.everything() == set()
    assert uploads(big) == []


@pytest.mark.parametrize(
    ("content", "listed"), [(b"", False), (b"{", False), (b"x" * 10**6, False), (None, True)]
)
async def test_a_record_that_is_not_its_own_is_not_believed(
    s3: S3World, content: bytes | None, listed: bool
) -> None:
    """Such a pair is not listed."""
    snapshot = await save(s3)
    if content is not None:
        s3.server.client.put_object(
            Bucket=s3.bucket, Key=s3.key(snapshot).replace(".db", ".json"), Body=content
        )
    assert await s3.backups.listing(s3.cluster.name) == ((snapshot,) if listed else ())


async def test_more_than_one_page_of_a_listing(s3: S3World) -> None:
    """Stores list a thousand objects at a time at most; here it is one."""
    first = await save(s3)
    prefix = s3.key(first).rpartition("/")[0]
    for name in ("a", "z"):
        s3.server.client.put_object(Bucket=s3.bucket, Key=f"{prefix}/{name}", Body=b"")
    s3.backups._bucket._client.meta.events.register(
        "before-parameter-build.s3.ListObjectsV2", lambda params, **_: params.update(MaxKeys=1)
    )
    s3.clock.ms += 60_000
    second = await save(s3)
    assert await s3.backups.listing(s3.cluster.name) == (second, first)


def elsewhere(
    world: S3World, *, bucket: str = "", endpoint: str = "", ca: str | None = None
) -> S3Backups:
    """The same backups, configured otherwise."""
    place = world.server.place(bucket or world.bucket)
    place = replace(place, endpoint=endpoint or place.endpoint, ca=ca)
    return S3Backups(place, "etcd", world.spool, world.backups._intake.tools, world.clock)


async def refused(backups: S3Backups, world: S3World, family: type[Exception], said: str) -> None:
    """Saving and listing fail alike."""
    try:
        with pytest.raises(family, match=said):
            await backups.listing(world.cluster.name)
        taken = world.samples.three
        with pytest.raises(family, match=said):
            await backups.save(world.cluster, an_origin(1), stream(taken.data))
    finally:
        backups.close()
    assert world.everything() == set()


async def test_no_such_bucket(s3: S3World) -> None:
    """The words name it."""
    await refused(elsewhere(s3, bucket="nowhere"), s3, Permanent, "bucket nowhere does not exist")


async def test_a_store_that_is_out_of_reach(s3: S3World) -> None:
    """Nothing listens, or it hangs up."""
    (port,) = free_ports(1)
    await refused(
        elsewhere(s3, endpoint=f"http://127.0.0.1:{port}"), s3, Retryable, "cannot be reached"
    )
    async with serving(hang_up) as port:
        await refused(
            elsewhere(s3, endpoint=f"http://127.0.0.1:{port}"), s3, Retryable, "cannot be reached"
        )


async def test_a_store_that_is_silent(s3: S3World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for, with an end."""
    monkeypatch.setattr("bot.targets.backups.bucket._READ_S", 0.2)
    async with serving(say_nothing) as port:
        await refused(
            elsewhere(s3, endpoint=f"http://127.0.0.1:{port}"), s3, Retryable, "cannot be reached"
        )


async def test_tls_to_a_store_with_an_authority_of_its_own(s3: S3World, tmp_path: Path) -> None:
    """It is used where the authority's file is given, and refused with words where it is not."""
    authority = Authority.create("store CA")
    ca = tmp_path / "ca.crt"
    ca.write_bytes(authority.pem)
    files = authority.issue("store", hosts=LOOPBACK_HOSTS).write(tmp_path, "store")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*files)
    server = await asyncio.start_server(Relay(s3.server.url).handle, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        await refused(elsewhere(s3, endpoint=url), s3, Permanent, "give the file with its auth")
        backups = elsewhere(s3, endpoint=url, ca=str(ca))
        taken = s3.samples.three
        snapshot = await backups.save(s3.cluster, an_origin(1), stream(taken.data))
        assert await backups.verify(snapshot) is None
        assert await backups.listing(s3.cluster.name) == (snapshot,)
        backups.close()
    finally:
        server.close()
        await server.wait_closed()


async def test_amazons_own_settings_do_not_lead_elsewhere(
    s3: S3World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a profile nor an endpoint of the environment."""
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "other")
    backups = elsewhere(s3)
    assert await backups.listing(s3.cluster.name) == ()
    backups.close()
    amazon = Bucket(replace(s3.server.place("bucket"), endpoint=None), PART)
    assert amazon._client.meta.endpoint_url == "https://s3.eu-north-1.amazonaws.com"
    amazon.close()


def test_secrets_are_not_shown(s3: S3World) -> None:
    """Not in what a traceback would show of where the bucket is."""
    place: Place = s3.server.place("bucket")
    assert "test-secret" not in repr(place)
    assert "test-key" not in repr(place)


@pytest.mark.parametrize(
    "module", ["bot.serving", "bot.asking", "bot.working", "bot.targets.backups.local"]
)
async def test_boto_is_loaded_for_buckets_only(module: str) -> None:
    """Neither a front nor `ask`, nor a worker that keeps its backups in a directory, has it."""
    code = f"import sys, {module}; sys.exit('boto3' in sys.modules or 'botocore' in sys.modules)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    assert await asyncio.wait_for(process.wait(), 60) == 0
