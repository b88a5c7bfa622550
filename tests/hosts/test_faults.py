"""Each fault does what it says, and its end heals it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.testbed import BedError, Cluster, Host, HostSpec, Namespace, Testbed, no_latency
from tests.testbed.shell import attempt, call, until

NAMES = ("etcd-1", "etcd-2", "etcd-3")


@pytest.fixture(scope="module")
def shared_bed(inside: Namespace) -> Iterator[Testbed]:
    specs = [HostSpec(name, etcd_version="3.5") for name in NAMES]
    with Testbed.start([*specs, HostSpec("small", disk_mib=256)], bot=inside) as bed:
        yield bed


@pytest.fixture(scope="module")
def cluster(shared_bed: Testbed) -> Cluster:
    return shared_bed.cluster(NAMES)


@pytest.fixture
def bed(shared_bed: Testbed, cluster: Cluster) -> Iterator[Testbed]:
    """All is well before each test, and again after it."""
    yield shared_bed
    shared_bed.heal_network()
    for host in cluster.members:
        host.plug()
    until(lambda: len(cluster.healthy()) == len(NAMES), 30, "all are healthy again")


def reaches(bed: Testbed, host: Host) -> bool:
    """Whether a ping from the bot is answered."""
    ping = ["ping", "-c", "1", "-W", "1", host.address]
    return attempt(bed.network.bot.command(ping)).status == 0


def boot_id(host: Host) -> str:
    return host.ssh(["cat", "/proc/sys/kernel/random/boot_id"]).output


def test_a_host_without_power_is_gone(bed: Testbed, cluster: Cluster) -> None:
    """Nothing runs and nothing answers; with power it is another boot."""
    host = bed["etcd-2"]
    before = boot_id(host)
    host.power_off()
    with pytest.raises(BedError, match="etcd-2 is off"):
        host.run(["true"])
    assert not reaches(bed, host)
    assert cluster.healthy() == ["etcd-1", "etcd-3"]
    assert "Server listening on" in host.journal("ssh")
    host.power_on()
    assert boot_id(host) not in ("", before)


def test_a_reboot_from_inside_comes_back(bed: Testbed) -> None:
    """Without anybody's help."""
    host = bed["etcd-1"]
    before = boot_id(host)
    host.ssh(["sudo", "systemctl", "reboot"])
    until(lambda: boot_id(host) not in ("", before), 30, "another boot")


def test_a_frozen_host_pings_and_does_nothing(bed: Testbed) -> None:
    """Its kernel answers; sshd does not."""
    host = bed["etcd-3"]
    host.freeze()
    assert reaches(bed, host)
    ran = host.ssh(["true"])
    assert ran.status == 255
    assert "banner" in ran.errors
    host.thaw()
    assert host.ssh(["true"]).status == 0


def test_an_unplugged_host_is_out_of_reach(bed: Testbed) -> None:
    """It runs on."""
    host = bed["etcd-1"]
    host.unplug()
    assert not reaches(bed, host)
    assert host.machine.processes("etcd")
    host.plug()
    until(lambda: reaches(bed, host), 10, "it answers")


def test_a_leader_can_be_cut_off_from_its_peers_alone(bed: Testbed, cluster: Cluster) -> None:
    """The bot still reaches it, while the others choose another."""
    old = cluster.leader()
    assert old
    others = [name for name in NAMES if name != old.name]
    bed.partition([old.name], others)
    assert old.ssh(["true"]).status == 0
    until(lambda: cluster.healthy() == others, 30, "the others are healthy")
    assert cluster.leader() not in (old, None)
    bed.heal_network()


def test_the_bot_can_be_cut_off_alone(bed: Testbed) -> None:
    """The members see each other."""
    bed.hide_from_bot(NAMES)
    assert not reaches(bed, bed["etcd-1"])
    assert bed["etcd-1"].run(["ping", "-c", "1", "-W", "1", "etcd-2"]).status == 0
    bed.heal_network()


def test_loss_takes_its_share(bed: Testbed) -> None:
    """All of it, so that chance has no say here."""
    host = bed["etcd-2"]
    host.loss(100)
    assert not reaches(bed, host)
    host.loss(0)
    assert reaches(bed, host)


def test_a_host_can_be_far_away(bed: Testbed) -> None:
    """By a ping's own measure, and from a shell as well; it ends when that is said."""
    if reason := no_latency():
        pytest.skip(reason)
    host = bed["etcd-2"]
    ping = bed.network.bot.command(["ping", "-c", "1", "-W", "2", host.address])
    host.latency(200)
    assert 200 <= float(call(ping).partition("time=")[2].split()[0]) < 400
    host.latency(0)
    assert float(call(ping).partition("time=")[2].split()[0]) < 100
    shell = [sys.executable, "-m", "tests.testbed", "latency", f"{bed.name}-{host.name}"]
    call([*shell, "200"])
    assert 200 <= float(call(ping).partition("time=")[2].split()[0]) < 400
    call([*shell, "0"])


@pytest.mark.usefixtures("bed")
def test_a_slow_disk_slows_each_sync(cluster: Cluster) -> None:
    """By etcd's own measure."""

    def syncs(bound: str) -> int:
        curl = ["curl", "--silent", "--cacert", "/etc/etcd/ca.crt", "--cert", "/etc/etcd/peer.crt"]
        curl += ["--key", "/etc/etcd/peer.key", f"https://{host.address}:2379/metrics"]
        name = f'etcd_disk_wal_fsync_duration_seconds_bucket{{le="{bound}"}} '
        return int(host.run(curl).output.partition(name)[2].split()[0])

    host = next(host for host in cluster.members if host is not cluster.leader())
    host.slow_disk(200)
    every, fast = syncs("+Inf"), syncs("0.128")
    for number in range(5):
        cluster.etcdctl("put", f"slow{number}", "yes")
    until(lambda: syncs("+Inf") > every + 1, 30, "two syncs are done")
    # One may have been under way, not yet slowed, when the fault began.
    assert syncs("0.128") <= fast + 1
    host.slow_disk(0)
    assert "TracerPid:\t0" in host.run(["sh", "-c", "cat /proc/$(pidof etcd)/status"]).output


def test_a_small_quota_ends_in_an_alarm(bed: Testbed) -> None:
    """NOSPACE, on a cluster of one."""
    single = bed.cluster(["small"], quota_bytes=16 << 20)

    def fill() -> None:
        for number in range(20):
            single.etcdctl("put", f"big{number}", stdin="x" * 1_000_000)

    with pytest.raises(BedError, match="database space exceeded"):
        fill()
    assert [alarm["alarm"] for alarm in single.etcdctl("alarm", "list")["alarms"]] == [1]


def test_a_full_disk_takes_nothing_more(bed: Testbed) -> None:
    """Etcd's data has a file system of its own, which can be filled and freed."""
    host = bed["small"]
    host.run(["mountpoint", "/var/lib/etcd"])
    write = ["dd", "if=/dev/zero", "of=/var/lib/etcd/more", "bs=1M", "count=1"]
    host.fill_disk()
    assert "No space left on device" in host.run(write, check=False).errors
    host.free_disk()
    host.run(write)
    with pytest.raises(BedError, match="no disk of its own"):
        bed["etcd-1"].fill_disk()


@pytest.mark.usefixtures("bed")
def test_too_little_memory_kills_etcd(cluster: Cluster) -> None:
    """The kernel does it when etcd needs more; with enough memory it is back."""
    leader = cluster.leader()
    assert leader
    host = next(host for host in cluster.members if host is not leader)
    [before] = host.machine.processes("etcd")
    host.limit_memory(40)
    with pytest.raises(BedError, match="cannot limit memory"):
        host.limit_memory(8)
    for number in range(20):
        cluster.etcdctl("put", f"large{number}", stdin="x" * 1_000_000, members=[leader.name])

    def killed() -> bool:
        return "code=killed, status=9/KILL" in host.journal("etcd")

    until(killed, 60, "the kernel kills etcd")
    assert before not in host.machine.processes("etcd")
    host.limit_memory(None)
    host.run(["systemctl", "reset-failed", "etcd"])
    host.run(["systemctl", "start", "etcd"])


def test_a_new_machine_of_the_same_name_is_not_trusted(shared_bed: Testbed) -> None:
    """Another machine id and host key, no data, and no certificates."""
    host = shared_bed["small"]
    before, disk = host.path("/etc/machine-id").read_text(), host.path("/").stat()
    host.reprovision()
    assert not Path(f"/run/systemd/nspawn/locks/inode-{disk.st_dev}:{disk.st_ino}").exists()
    assert host.path("/etc/machine-id").read_text() != before
    assert not host.path("/etc/etcd/etcd.conf").exists()
    assert host.run(["ls", "/var/lib/etcd"]).output == ""
    refused = host.ssh(["true"])
    assert refused.status == 255
    assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in refused.errors
    host.trust()
    assert host.ssh(["true"]).status == 0
