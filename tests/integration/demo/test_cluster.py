"""The demo cluster is a real one, and breaks exactly as asked."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from bot.sandbox import ports
from bot.sandbox.demo import cluster as module
from bot.sandbox.demo.cluster import DemoCluster, StartError
from bot.sandbox.demo.health import Health
from bot.sandbox.processes import environment
from tests.support.etcdctl import etcdctl
from tests.support.services import MakeCluster
from tests.support.waiting import alive, eventually


@pytest.fixture
def ctl(binary: Callable[[str], str]) -> str:
    return binary("etcdctl")


async def test_members_form_one_cluster(etcd_cluster: DemoCluster, ctl: str) -> None:
    """Every member lists the same members, with the names and URLs that the cluster says."""
    for member in etcd_cluster.endpoints:
        listed = (await etcdctl(ctl, etcd_cluster, "member", "list", member=member))["members"]
        assert {m["name"]: m["clientURLs"] for m in listed} == {
            name: [url] for name, url in etcd_cluster.endpoints.items()
        }
        assert {m["name"]: m["peerURLs"] for m in listed} == {
            name: [url] for name, url in etcd_cluster.peer_urls.items()
        }


@pytest.mark.parametrize("breakage", ["stop", "kill"])
async def test_a_member_that_ended_stays_down_until_started(
    etcd_cluster: DemoCluster, ctl: str, breakage: str
) -> None:
    """The other two keep serving, and what they wrote is on the member when it is back."""
    before = etcd_cluster.pid("demo-2")
    await etcd_cluster.act("demo-2", breakage)
    assert etcd_cluster.running == ["demo-1", "demo-3"]
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)
    await etcdctl(ctl, etcd_cluster, "put", "written-meanwhile", breakage, member="demo-1")
    await etcd_cluster.act("demo-2", "start")
    await etcd_cluster.wait_healthy()
    assert etcd_cluster.running == ["demo-1", "demo-2", "demo-3"]
    answer = await etcdctl(ctl, etcd_cluster, "get", "written-meanwhile", member="demo-2")
    assert answer["count"] == 1


async def test_a_frozen_member_is_silent_and_keeps_its_process(etcd_cluster: DemoCluster) -> None:
    """It does not answer, is not counted on for health, and answers again when thawed."""
    health = Health(etcd_cluster.files)
    pid = etcd_cluster.pid("demo-3")
    await etcd_cluster.act("demo-3", "freeze")
    assert etcd_cluster.frozen == ["demo-3"]
    assert not await health.healthy(etcd_cluster.endpoints["demo-3"])
    await etcd_cluster.wait_healthy()
    await etcd_cluster.act("demo-3", "thaw")
    await etcd_cluster.wait_healthy()
    assert etcd_cluster.frozen == []
    assert etcd_cluster.pid("demo-3") == pid


async def test_a_wiped_member_comes_back_only_when_removed_and_added(
    make_cluster: MakeCluster, ctl: str
) -> None:
    """Its data is kept aside; it cannot rejoin as the member that it was."""
    cluster = await make_cluster()
    await etcdctl(ctl, cluster, "put", "key", "value")
    await cluster.act("demo-3", "wipe")
    directory = cluster.files.ca.parent
    assert (directory / "demo-3.wiped-1" / "member").is_dir()
    assert not (directory / "demo-3").exists()
    with pytest.raises(ValueError, match="demo-3 has no data"):
        await cluster.act("demo-3", "wipe")

    listed = await etcdctl(ctl, cluster, "member", "list", member="demo-1")
    old = next(m["ID"] for m in listed["members"] if m["name"] == "demo-3")
    await reconfigure(ctl, cluster, "remove", f"{old:x}")
    await reconfigure(ctl, cluster, "add", "demo-3", f"--peer-urls={cluster.peer_urls['demo-3']}")
    await cluster.act("demo-3", "start")
    await cluster.wait_healthy()
    assert cluster.running == ["demo-1", "demo-2", "demo-3"]
    assert (await etcdctl(ctl, cluster, "get", "key", member="demo-3"))["count"] == 1


async def reconfigure(ctl: str, cluster: DemoCluster, *change: str) -> None:
    """Change the members; etcd refuses it until its members were connected for five seconds."""

    async def accepted() -> bool:
        try:
            await etcdctl(ctl, cluster, "member", *change, member="demo-1")
        except RuntimeError as error:
            if "unhealthy cluster" in str(error):
                return False
            raise
        return True

    await eventually(accepted, what=f"member {change}")


async def test_no_quorum_is_not_healthy(make_cluster: MakeCluster) -> None:
    """With two of three members gone, the wait ends in words that name the third."""
    cluster = await make_cluster()
    await cluster.kill("demo-1")
    await cluster.kill("demo-2")
    with pytest.raises(TimeoutError, match="after 4 s these members are not healthy: demo-3"):
        await cluster.wait_healthy(4)


@pytest.mark.parametrize(
    ("before", "request_", "words"),
    [
        ("", "explode", "unknown action 'explode'; there are stop, kill"),
        ("", "start", "demo-1 is running already"),
        ("", "thaw", "demo-1 is not frozen"),
        ("freeze", "freeze", "demo-1 is frozen already"),
        ("kill", "stop", "demo-1 is not running"),
        ("kill", "freeze", "demo-1 is not running"),
    ],
)
async def test_a_request_that_does_not_fit_is_refused_in_words(
    etcd_cluster: DemoCluster, before: str, request_: str, words: str
) -> None:
    """An impossible request is a ValueError."""
    if before:
        await etcd_cluster.act("demo-1", before)
    with pytest.raises(ValueError, match=words):
        await etcd_cluster.act("demo-1", request_)


async def test_an_unknown_member_is_refused_in_words(etcd_cluster: DemoCluster) -> None:
    """A LookupError that lists the members."""
    with pytest.raises(LookupError, match="no member 'demo-9'; there are demo-1"):
        await etcd_cluster.act("demo-9", "stop")


async def test_clients_without_a_certificate_are_refused(etcd_cluster: DemoCluster) -> None:
    """TLS alone is not enough: the members ask for a client certificate."""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", WITHOUT_CERTIFICATE, etcd_cluster.endpoints["demo-1"]],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        env=environment(),
    )
    assert done.stdout.strip() == "refused", done.stderr


WITHOUT_CERTIFICATE = dedent("""
    import ssl, sys, urllib.request
    context = ssl._create_unverified_context()
    try:
        urllib.request.urlopen(sys.argv[1] + "/health", context=context, timeout=5)
    except OSError:
        print("refused")
""")


async def test_the_quota_is_the_one_asked_for(make_cluster: MakeCluster, ctl: str) -> None:
    """A small quota raises the NOSPACE alarm after that much data."""
    cluster = await make_cluster(size=1, quota_bytes=1024 * 1024)

    async def fill() -> None:
        for number in range(20):
            await etcdctl(ctl, cluster, "put", f"big-{number}", "x" * 100_000)

    with pytest.raises(RuntimeError, match="database space exceeded"):
        await fill()


async def test_a_kept_directory_gives_the_cluster_back(
    binary: Callable[[str], str], ctl: str, tmp_path: Path
) -> None:
    """Data and ports are kept; a member that was removed from the cluster is not an error."""
    etcd = binary("etcd")
    first = await DemoCluster.start(tmp_path, etcd=etcd)
    try:
        await etcdctl(ctl, first, "put", "kept", "yes")
        listed = await etcdctl(ctl, first, "member", "list")
        gone = next(m["ID"] for m in listed["members"] if m["name"] == "demo-2")
        await reconfigure(ctl, first, "remove", f"{gone:x}")
    finally:
        await first.close()
    second = await DemoCluster.start(tmp_path, etcd=etcd)
    try:
        assert second.endpoints == first.endpoints
        assert (await etcdctl(ctl, second, "get", "kept", member="demo-1"))["count"] == 1
        assert {"demo-1", "demo-3"} <= set(second.running)
    finally:
        await second.close(grace=0)


@pytest.fixture
def taken_port() -> Iterator[int]:
    (port,) = ports.free_ports(1)
    with socket.create_server((ports.LOOPBACK, port)):
        yield port


async def test_a_port_lost_to_another_process_is_replaced(
    binary: Callable[[str], str],
    tmp_path: Path,
    taken_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A new cluster whose port somebody else took in the meantime starts on other ones."""
    choices = [(taken_port, *ports.free_ports(5)), ports.free_ports(6)]
    monkeypatch.setattr(module, "free_ports", lambda _count: choices.pop(0))
    cluster = await DemoCluster.start(tmp_path, etcd=binary("etcd"))
    try:
        assert choices == []
        assert f":{taken_port}" not in str(cluster.endpoints)
        await cluster.wait_healthy(1)
    finally:
        await cluster.close(grace=0)


async def test_a_kept_peer_port_that_is_taken_is_said_clearly(
    binary: Callable[[str], str], tmp_path: Path
) -> None:
    """The cluster itself knows its peer ports, so that no other can stand in; the error says so."""
    cluster = await DemoCluster.start(tmp_path, size=1, etcd=binary("etcd"))
    await cluster.close(grace=0)
    port = int(cluster.peer_urls["demo-1"].rpartition(":")[2])
    with (
        socket.create_server((ports.LOOPBACK, port)),
        pytest.raises(StartError, match=f"port {port}, which demo-1 had and must have again"),
    ):
        await DemoCluster.start(tmp_path, size=1, etcd=binary("etcd"))


async def test_a_program_that_fails_is_quoted_and_leaves_nothing(tmp_path: Path) -> None:
    """The reason is in the error: nobody has to look for a log."""
    with pytest.raises(StartError, match=r"ended while it was started: .*No such file"):
        await DemoCluster.start(tmp_path, etcd="/nonexistent/etcd")


async def test_members_die_with_the_process_that_started_them(
    binary: Callable[[str], str], tmp_path: Path
) -> None:
    """Even SIGKILL of the parent leaves no member behind."""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(tmp_path), binary("etcd"), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    async with asyncio.timeout(60):
        pids = [int(pid) for pid in (await parent.stdout.readline()).split()]
    assert len(pids) == 3
    parent.kill()
    await parent.wait()
    await eventually(lambda: not any(alive(pid) for pid in pids))


PARENT = dedent("""
    import asyncio, sys
    from pathlib import Path
    from bot.sandbox.demo.cluster import DemoCluster

    async def main():
        cluster = await DemoCluster.start(Path(sys.argv[1]), etcd=sys.argv[2])
        print(*(cluster.pid(member) for member in cluster.endpoints), flush=True)
        await asyncio.sleep(60)

    asyncio.run(main())
""")
