"""`quorumbot check` reaches everything, and says all that is wrong at once."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.redis_link import link
from bot.sandbox.demo.certificates import Pki
from bot.sandbox.demo.pki import Authority, Validity
from bot.sandbox.ports import free_ports
from bot.store import keys
from procedures.model.ids import ClusterName
from tests.support.configs import changed
from tests.support.redis import RedisServer
from tests.support.sandbox import Sandbox
from tests.support.services import MakeCluster
from tests.support.terminal import Output, quorumbot

Write = Callable[..., Path]


@pytest.fixture
def write(sandbox: Sandbox, tmp_path: Path) -> Write:
    """Writes a copy of the sandbox's configuration with changes.

    Without the app token, because each look at one spends one of the few connections a minute
    that Slack grants, and the sandbox's own front needs them.
    """

    def write_copy(**changes: object) -> Path:
        by_path = {path.replace("__", "."): value for path, value in changes.items()}
        by_path["slack.app_token"] = None
        return changed(sandbox.config_path, tmp_path / "quorumbot.yaml", by_path)

    return write_copy


def secret(directory: Path, text: str) -> dict[str, str]:
    """A reference to a new secret."""
    file = directory / f"secret-{len(list(directory.iterdir()))}"
    file.touch(mode=0o600)
    file.write_text(text)
    return {"file": str(file)}


async def check(config: Path, *args: str) -> Output:
    return await quorumbot("check", "--config", config, *args)


async def faults(config: Path) -> dict[str, list[str]]:
    """The faults by what was checked, once the exit status and both forms agree on them."""
    words, data = await asyncio.gather(check(config), check(config, "--json"))
    assert words.code == data.code == 1
    assert data.json["ok"] is False
    found: dict[str, list[str]] = {}
    for each in data.json["checks"]:
        if not each["ok"]:
            found.setdefault(each["name"], []).append(each["text"])
    listed = [line.split(maxsplit=1)[1] for line in words.err.splitlines()]
    assert [line.partition(": ")[0] for line in listed] == [
        name for name, texts in found.items() for _ in texts
    ]
    return found


async def test_all_is_well(sandbox: Sandbox) -> None:
    """Status 0; each dependency is named with what was found there."""
    words = await check(sandbox.config_path)
    assert (words.code, words.err) == (0, "")
    data = (await check(sandbox.config_path, "--json")).json
    assert data["ok"] is True
    names = {each["name"] for each in data["checks"]}
    assert names >= {"configuration", "slack.bot_token", "slack.app_token", "redis"}
    assert names >= {"signing.front", "signing.worker", "clusters.demo"}
    assert names >= {"slack.channels.C0OPS", "slack.channels.C0ETCDALERTS"}
    assert "quorumbot is a member of #ops (clusters.demo.channels)" in words.out
    assert len(words.out.splitlines()) == len(data["checks"])


async def test_a_record_of_expected_members_that_is_not_believed(
    sandbox: Sandbox, write: Write
) -> None:
    """It is a fault, with why; the members of the configuration are reached all the same."""
    key = keys.expected(ClusterName("demo"))
    async with link(sandbox.config) as redis:
        await redis.set(key, "c2NyaWJibGU= {}")
        try:
            found = await faults(write())
        finally:
            await redis.delete(key)
    ((name, (text,)),) = found.items()
    assert name == "clusters.demo.expected"
    assert text.startswith("the record is not believed: it cannot be read. The configuration")


async def test_everything_is_wrong(write: Write, tmp_path: Path) -> None:
    """All faults come at once: one does not hide another."""
    (port,) = free_ports(1)
    config = write(
        slack__bot_token=secret(tmp_path, "xoxb-0-of-somebody-else"),
        redis__url=f"redis://127.0.0.1:{port}/0",
        clusters__demo__tls={name: str(tmp_path / "nowhere") for name in ("ca", "cert", "key")},
        signing__worker={"file": str(tmp_path / "no-key")},
    )
    found = await faults(config)
    assert set(found) == {"slack.bot_token", "redis", "clusters.demo", "signing"}
    assert "invalid_auth" in found["slack.bot_token"][0]
    assert "does not answer" in found["redis"][0]
    assert all(str(tmp_path / "nowhere") in text for text in found["clusters.demo"])
    assert "no-key" in found["signing"][0]


async def test_a_wrong_redis_password(write: Write, tmp_path: Path) -> None:
    """It is named, and never shown."""
    config = write(redis__password=secret(tmp_path, "guessed-wrong"))
    assert await faults(config) == {
        "redis": ["The store refused the password. Check redis.password."]
    }
    assert "guessed-wrong" not in (await check(config)).err


async def test_a_redis_that_may_forget(
    write: Write, private_redis: RedisServer, tmp_path: Path
) -> None:
    """Every setting with which acknowledged writes can be lost is a fault."""
    async with Redis.from_url(private_redis.url_with_password) as redis:
        await redis.config_set("appendfsync", "everysec")
        await redis.config_set("maxmemory-policy", "allkeys-lru")
    config = write(
        redis__url=private_redis.url, redis__password=secret(tmp_path, private_redis.password)
    )
    found = await faults(config)
    assert set(found) == {"redis"}
    first, second = found["redis"]
    assert first.startswith("appendfsync is 'everysec': set it to 'always'")
    assert second.startswith("maxmemory-policy is 'allkeys-lru': set it to 'noeviction'")


EXPIRED = {"demo-1": Validity.days_left(-2)}
WRONG_CERTIFICATES = {
    "expired": (Pki(server_validity=EXPIRED), "expired"),
    "another name": (Pki(server_hosts={"demo-1": ("etcd.example",)}), "127.0.0.1"),
    "another CA": (Pki(server_authority=Authority.create("another CA")), "CA"),
}


@pytest.mark.parametrize("case", WRONG_CERTIFICATES)
async def test_wrong_certificates_of_a_cluster(
    write: Write, make_cluster: MakeCluster, case: str
) -> None:
    """The member is named, with what is wrong about its certificate."""
    pki, words = WRONG_CERTIFICATES[case]
    cluster = await make_cluster(size=1, pki=replace(pki))
    tls = {"ca": cluster.files.ca, "cert": cluster.files.cert, "key": cluster.files.key}
    config = write(
        clusters__demo__endpoints=dict(cluster.endpoints),
        clusters__demo__tls={name: str(path) for name, path in tls.items()},
    )
    found = await faults(config)
    assert set(found) == {"clusters.demo"}
    (text,) = found["clusters.demo"]
    assert text.startswith("demo-1: ")
    assert words in text


async def test_channels_without_the_bot(write: Write) -> None:
    """Each is named once, with the settings that want the bot there, and what to type."""
    channels = ["C0OPS", "C0RANDOM", "C0NOWHERE1"]
    config = write(
        audit__channel="C0RANDOM",
        channels=channels,
        clusters__demo__channels=["C0OPS", "C0NOWHERE1"],
        clusters__demo__incident_channel="C0RANDOM",
    )
    assert await faults(config) == {
        "slack.channels.C0RANDOM": [
            (
                "quorumbot is not a member of #random. Type /invite @quorumbot there "
                "(audit.channel, clusters.demo.incident_channel)"
            )
        ],
        "slack.channels.C0NOWHERE1": [
            (
                "quorumbot sees no channel C0NOWHERE1. If it is a private one, type /invite "
                "@quorumbot there; else correct the id (clusters.demo.channels)"
            )
        ],
    }


async def test_missing_scopes(sandbox: Sandbox, write: Write) -> None:
    """A token that may too little is a fault that names what it lacks."""
    granted = (await sandbox.scopes()).copy()
    await sandbox.grant(*(scope for scope in granted if scope != "users:read"))
    try:
        found = await faults(write())
    finally:
        await sandbox.grant(*granted)
    assert list(found) == ["slack.bot_token"]
    assert "users:read" in found["slack.bot_token"][0]
