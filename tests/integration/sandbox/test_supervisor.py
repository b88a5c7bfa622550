"""The sandbox starts everything, keeps it running, and leaves nothing behind."""

import asyncio
import os
import signal
import socket
import stat
from contextlib import closing, suppress
from pathlib import Path

import aiohttp
import pytest

from bot.config import load
from bot.sandbox.ports import free_ports
from tests.support.processes import Processes
from tests.support.sandboxes import SandboxProcess, sandbox
from tests.support.waiting import alive, eventually

PROCESSES = {"front", "worker", "redis", "workspace", "etcd-demo-1", "etcd-demo-2", "etcd-demo-3"}


def pids(directory: Path) -> dict[str, int]:
    return Processes(directory).all()


def read(path: str) -> str:
    return Path(path).read_text()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def nothing_is_left_of(box: SandboxProcess) -> None:
    await eventually(lambda: not box.survivors(), what=f"left: {box.survivors()}")


async def test_all_that_it_promises_is_there(tmp_path: Path) -> None:
    """A valid configuration, secrets for the owner alone, and the processes it names are alive."""
    directory = tmp_path / "kept"
    async with sandbox(tmp_path, "--port", "0", "--dir", str(directory)) as box:
        await box.ready()
        assert pids(directory).keys() == PROCESSES
        assert all(alive(pid) for pid in pids(directory).values())
        assert pids(directory)["workspace"] == box.pid
        assert mode(directory) == 0o700
        secrets = list((directory / "secrets").iterdir())
        assert secrets
        assert {mode(secret) for secret in secrets} == {0o600}
        assert mode(directory / "demo" / "client.key") == 0o600

        config = load(directory / "quorumbot.yaml").file
        assert config.slack.api_url == f"{box.url}/api/"
        endpoints = (directory / "demo" / "endpoints").read_text().strip().split(",")
        assert list(config.clusters["demo"].endpoints.values()) == endpoints
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{box.url}/control/state") as answer,
        ):
            assert (await answer.json())["ready"] is True
    assert pids(directory) == {}


async def test_what_dies_is_started_again_within_a_second(tmp_path: Path) -> None:
    """Front, worker and Redis come back, with a pid file that is true; a demo member does not."""
    directory = tmp_path / "kept"
    async with sandbox(tmp_path, "--port", "0", "--dir", str(directory)) as box:
        await box.ready()
        before = pids(directory)
        os.kill(before["etcd-demo-2"], signal.SIGKILL)
        for name in ("front", "worker", "redis"):
            os.kill(before[name], signal.SIGKILL)

            def back(name: str = name) -> bool:
                pid = pids(directory).get(name, before[name])
                return pid != before[name] and alive(pid)

            await eventually(back, seconds=1.0, what=f"{name} is back")
            assert f"{name} ended (SIGKILL)" in await box.until(name)
        assert not alive(before["etcd-demo-2"])


async def test_what_dies_at_once_is_not_started_in_a_hurry(tmp_path: Path) -> None:
    """The pauses grow, each end is said with the place of the log, and Ctrl-C still works."""
    async with sandbox(tmp_path, "--port", "0", "--broken-front") as box:
        loop = asyncio.get_running_loop()
        ends = []
        for _ in range(5):
            line = await box.until("front ended (exit status 3)")
            ends.append(loop.time())
        assert "its log is " in line
        assert "broken on purpose" in read(line.rpartition(" ")[2])
        # 0.1 s at first, and twice as much each time; a busy machine only adds to that.
        assert ends[-1] - ends[-2] > 0.8
        box.signal(signal.SIGINT)
        assert await box.ended() == 0
        await nothing_is_left_of(box)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_end_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    """No process and no temporary directory, within a few seconds; exit status 0."""
    async with sandbox(tmp_path, "--port", "0") as box:
        await box.ready()
        assert len(box.survivors()) == len(PROCESSES)
        assert box.temporary_directories()
        box.signal(number)
        assert await box.ended(8) == 0
        await nothing_is_left_of(box)
        assert box.temporary_directories() == []
        assert await box.errors() == ""


@pytest.mark.parametrize("moment", ["starting Redis", "starting the bot"])
async def test_ctrl_c_while_it_starts_leaves_nothing_behind(tmp_path: Path, moment: str) -> None:
    """Half started is ended as well as started; a second Ctrl-C does not cut that short."""
    async with sandbox(tmp_path, "--port", "0") as box:
        await box.until(moment)
        box.signal(signal.SIGINT)
        await box.until("stopping")
        box.signal(signal.SIGINT)
        assert await box.ended(8) == 0
        await nothing_is_left_of(box)
        assert box.temporary_directories() == []


async def test_frozen_members_end_too(tmp_path: Path) -> None:
    """A member that was frozen in the sandbox does not outlive it."""
    directory = tmp_path / "kept"
    async with sandbox(tmp_path, "--port", "0", "--dir", str(directory)) as box:
        await box.ready()
        assert await act(box, "demo-1", "freeze") == 200
        box.signal(signal.SIGTERM)
        assert await box.ended(8) == 0
        await nothing_is_left_of(box)


async def test_nothing_survives_a_killed_sandbox(tmp_path: Path) -> None:
    """SIGKILL of the sandbox takes all that it started along, and its directory works again."""
    directory = tmp_path / "kept"
    async with sandbox(tmp_path, "--port", "0", "--dir", str(directory)) as box:
        await box.ready()
        box.signal(signal.SIGKILL)
        await box.ended()
        await nothing_is_left_of(box)
    async with sandbox(tmp_path, "--port", "0", "--dir", str(directory)) as again:
        await again.ready()
        assert all(alive(pid) for pid in pids(directory).values())


async def act(box: SandboxProcess, member: str, do: str) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{box.url}/control/cluster", json={"member": member, "do": do}) as answer,
    ):
        return answer.status


async def test_demo_members_obey_the_control_api(tmp_path: Path) -> None:
    """Killed and started on request, with true pid files; a wrong request is refused."""
    directory = tmp_path / "kept"
    async with sandbox(tmp_path, "--port", "0", "--dir", str(directory)) as box:
        await box.ready()
        before = pids(directory)["etcd-demo-3"]
        assert await act(box, "demo-3", "kill") == 200
        assert not alive(before)
        assert "etcd-demo-3" not in pids(directory)
        assert await act(box, "demo-3", "start") == 200
        assert alive(pids(directory)["etcd-demo-3"])
        assert 400 <= await act(box, "demo-3", "start") < 500
        assert 400 <= await act(box, "demo-9", "stop") < 500


async def test_children_know_no_proxy(tmp_path: Path) -> None:
    """Proxy variables in any case are gone: they would carry loopback traffic away."""
    directory = tmp_path / "kept"
    proxies = {"HTTP_PROXY": "http://192.0.2.1:3128", "https_proxy": "http://192.0.2.1:3128"}
    arguments = ("--port", "0", "--dir", str(directory))
    async with sandbox(tmp_path, *arguments, env=proxies) as box:
        await box.ready()
        for name in PROCESSES - {"workspace"}:
            environ = read(f"/proc/{pids(directory)[name]}/environ")
            assert "192.0.2.1" not in environ, name


async def test_a_port_that_is_taken_is_one_clear_line(tmp_path: Path) -> None:
    """Exit status 1, and nothing is left."""
    (port,) = free_ports(1)
    with socket.create_server(("127.0.0.1", port)):
        async with sandbox(tmp_path, "--port", str(port)) as box:
            assert await box.ended(30) == 1
            words = f"quorumbot: port {port} is taken; choose another with --port\n"
            assert await box.errors() == words
            await nothing_is_left_of(box)
            assert box.temporary_directories() == []


async def test_two_at_once_do_not_meet(tmp_path: Path) -> None:
    """Without --port, the second takes other ports for everything, and says so."""
    with closing(socket.socket()) as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):  # taken already: all the same to the test
            holder.bind(("127.0.0.1", 8700))
            holder.listen()
        one, two = tmp_path / "one", tmp_path / "two"
        async with (
            sandbox(tmp_path, "--dir", str(one)) as first,
            sandbox(tmp_path, "--dir", str(two)) as second,
        ):
            await asyncio.gather(first.ready(), second.ready())
            assert "port 8700 is taken: the page is at " in first.lines[0]
            assert first.url != second.url
            assert not set(pids(one).values()) & set(pids(two).values())
            addresses = [load(d / "quorumbot.yaml").file for d in (one, two)]
            assert addresses[0].redis.url != addresses[1].redis.url
            assert addresses[0].listen != addresses[1].listen
