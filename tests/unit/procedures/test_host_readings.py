"""What real programs print is read as it is meant: this machine is asked as if it were a host."""

import asyncio
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.sandbox.demo.pki import Authority, Validity
from bot.targets.ssh.memory import FakeHosts
from procedures.engine.hosts import ASK_MS
from procedures.host.asking import OnHost
from procedures.host.certificate_files import Found, Wanted, read_certificates
from procedures.host.clock import Reading, read_clock
from procedures.host.disk import read_room, read_size
from procedures.host.entropy import Entropy, read_entropy
from procedures.model.host import Said
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster, Host
from procedures.model.probe import Fault
from tests.support.sight import FakeClock, FakeSight, a_sight


class ThisMachine(FakeHosts):
    """Questions are answered by the programs that are installed here."""

    async def ask(
        self,
        cluster: Cluster,  # noqa: ARG002
        host: Host,  # noqa: ARG002
        argv: Sequence[str],
        limit_ms: int = ASK_MS,
    ) -> Said | Fault:
        process = await asyncio.create_subprocess_exec(
            *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(limit_ms / 1_000):
            out, err = await process.communicate()
        assert process.returncode is not None
        return Said(process.returncode, out.decode(), err.decode())


@dataclass(slots=True)
class RealClock(FakeClock):
    """The time as it is."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


@pytest.fixture
async def here() -> OnHost:
    sight: FakeSight = a_sight()
    sight.clock = RealClock()
    sight.hosts = ThisMachine(sight.clock)
    cluster = sight.inventory.clusters[ClusterName("demo")]
    until = asyncio.get_running_loop().time() + 30
    return OnHost(sight, cluster, cluster.hosts[0], until)


async def test_the_clock_of_this_machine_is_its_own(here: OnHost) -> None:
    """What is measured holds the truth: no difference at all."""
    reading = await read_clock(here)
    assert isinstance(reading, Reading)
    assert reading.least_ms <= 0 <= reading.most_ms


async def test_disks_of_this_machine(here: OnHost, tmp_path: Path) -> None:
    """A path that is not there costs only itself; the figures are those of the system."""
    rooms = await read_room(here, "/", f"{tmp_path}/missing", str(tmp_path))
    assert not isinstance(rooms, Fault)
    assert [room.path for room in rooms] == ["/", str(tmp_path)]
    assert rooms[0].size == shutil.disk_usage("/").total
    assert rooms[0].own
    assert isinstance(await read_room(here, f"{tmp_path}/missing"), Fault)


async def test_the_size_of_a_folder(here: OnHost, tmp_path: Path) -> None:
    """All that is below counts."""
    (tmp_path / "db").write_bytes(b"x" * 100_000)
    size = await read_size(here, str(tmp_path))
    assert isinstance(size, int)
    assert 100_000 <= size < 200_000
    assert isinstance(await read_size(here, f"{tmp_path}/missing"), Fault)


async def test_the_kernel_of_this_machine(here: OnHost) -> None:
    """It tells pool, content and version in this order."""
    entropy = await read_entropy(here)
    assert isinstance(entropy, Entropy)
    assert entropy.kernel == os.uname().release
    assert 0 <= entropy.available <= entropy.pool


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
async def test_certificates_as_openssl_tells_of_them(here: OnHost, tmp_path: Path) -> None:
    """End, CA, address and purposes; an expired one is of its CA all the same."""
    authority, another = Authority.create("one"), Authority.create("another")
    (tmp_path / "ca.crt").write_bytes(authority.pem)
    (tmp_path / "spoilt.crt").write_text("nothing")
    days = Validity.days_left(90)
    for name, by, hosts, life in (
        ("good", authority, ("10.0.0.1", "etcd-1"), days),
        ("expired", authority, ("10.0.0.1", "etcd-1"), Validity.days_left(-3)),
        ("foreign", another, ("10.0.0.1", "etcd-1"), days),
        ("misnamed", authority, ("10.0.0.11", "etcd-11"), days),
    ):
        by.issue(name, hosts=hosts, validity=life).write(tmp_path, name)
    ca, both = str(tmp_path / "ca.crt"), ("SSL client", "SSL server")
    wanted = {
        (name, address): Wanted("x", str(tmp_path / f"{name}.crt"), ca, address, both)
        for name in ("good", "expired", "foreign", "misnamed", "spoilt", "missing")
        for address in ("10.0.0.1", "etcd-1")
    }
    authorities = Wanted("CA", ca)
    told = await read_certificates(here, [*wanted.values(), authorities])
    for address in ("10.0.0.1", "etcd-1"):
        found = {name: told[each] for (name, at), each in wanted.items() if at == address}
        good, expired, foreign = (found[each] for each in ("good", "expired", "foreign"))
        assert good == Found(int(days.end.timestamp()), ())
        assert isinstance(expired, Found)
        assert (expired.ends_s < time.time(), expired.wrong) == (True, ())
        assert isinstance(foreign, Found)
        assert foreign.wrong[0].startswith(f"not of the CA in {ca}: unable to get local issuer")
        misnamed = found["misnamed"]
        assert isinstance(misnamed, Found)
        assert misnamed.wrong == (f"not for {address}",)
        for each in ("spoilt", "missing"):
            assert found[each] == f"{tmp_path}/{each}.crt is missing or no certificate"
    assert isinstance(told[authorities], Found)
