"""A kept directory works again, and only one sandbox uses it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.config import load
from bot.sandbox import binaries
from bot.sandbox.processes import environment
from tests.support.sandboxes import sandbox


async def etcd(etcdctl: str, directory: Path, *args: str) -> str:
    process = await asyncio.create_subprocess_exec(
        etcdctl,
        f"--endpoints={(directory / 'demo' / 'endpoints').read_text().strip()}",
        f"--cacert={directory / 'demo' / 'ca.crt'}",
        f"--cert={directory / 'demo' / 'client.crt'}",
        f"--key={directory / 'demo' / 'client.key'}",
        *args,
        env=environment() | {"ETCDCTL_API": "3"},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode()


def redis(directory: Path) -> Redis:
    password = (directory / "secrets" / "redis-password").read_text()
    url = load(directory / "quorumbot.yaml").file.redis.url
    return Redis.from_url(url, password=password, decode_responses=True)


async def test_a_kept_directory_keeps_data_and_keys(
    binary: Callable[[str], str], tmp_path: Path
) -> None:
    """What Redis and etcd held, and the keys that signed it, are there the next time."""
    kept, ctl = tmp_path / "kept", binary("etcdctl")
    arguments = ("--port", "0", "--dir", str(kept))
    async with sandbox(tmp_path, *arguments) as first:
        await first.ready()
        await etcd(ctl, kept, "put", "key", "of the first")
        async with redis(kept) as client:
            await client.set("key", "of the first")
        keys = load(kept / "quorumbot.yaml").file.signing.trusted
    async with sandbox(tmp_path, *arguments) as second:
        await second.ready()
        assert "of the first" in await etcd(ctl, kept, "get", "key")
        async with redis(kept) as client:
            assert await client.get("key") == "of the first"
        assert load(kept / "quorumbot.yaml").file.signing.trusted == keys


async def test_a_directory_in_use_is_refused(tmp_path: Path) -> None:
    """The second one ends with a clear line; the first goes on."""
    kept = tmp_path / "kept"
    async with sandbox(tmp_path, "--port", "0", "--dir", str(kept)) as first:
        await first.ready()
        before = sorted(file.name for file in (kept / "pids").iterdir())
        async with sandbox(tmp_path, "--port", "0", "--dir", str(kept)) as second:
            assert await second.ended(30) == 1
            assert await second.errors() == (
                f"quorumbot: {kept} is in use by another sandbox: "
                "end that one, or choose another --dir\n"
            )
        assert sorted(file.name for file in (kept / "pids").iterdir()) == before


async def test_a_directory_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    """A typing error in --dir must not put keys among other files, or change their mode."""
    other = tmp_path / "other"
    other.mkdir(mode=0o755)
    (other / "thesis.txt").touch()
    async with sandbox(tmp_path, "--port", "0", "--dir", str(other)) as box:
        assert await box.ended(30) == 1
        assert "has files that no sandbox made" in await box.errors()
    assert [file.name for file in other.iterdir()] == ["thesis.txt"]
    assert other.stat().st_mode & 0o777 == 0o755


def test_missing_programs_are_all_named_with_the_way_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One message for all of them."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(binaries, "CACHE", tmp_path)
    with pytest.raises(binaries.MissingBinariesError) as raised:
        binaries.find("etcd", "redis-server")
    assert "not found: etcd, redis-server." in str(raised.value)
    assert "./try --setup" in str(raised.value)
    assert "etcd-server redis-server on Debian" in str(raised.value)
