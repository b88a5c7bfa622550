"""A hundred hosts that answer what they are asked at once, in words that were made before.

What they answer with would be theirs to compute: here one process does it for all of them, beside
the worker on the same machine. It speaks SSH with asyncssh, each host at an address of its own on
loopback; neither the wrapper nor a shell runs.
"""

import asyncio
import logging
import multiprocessing
import resource
import shlex
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import asyncssh

from bot.clock import WallClock
from bot.sandbox.demo.pki import Authority
from bot.sandbox.ports import free_ports
from bot.targets.ssh.hosts import SshHosts
from procedures.engine.ports import Look
from procedures.etcd.host_health import HostSeen, look_at_hosts
from procedures.model.ids import ClusterName, Site
from procedures.model.inventory import Cluster, Host, Platform, SshAccess, TlsFiles
from procedures.model.probe import Fault

_START_S = 30.0
_CONFIG = """ETCD_NAME=host
ETCD_DATA_DIR=/var/lib/etcd
ETCD_TRUSTED_CA_FILE=/etc/etcd/ca.crt
ETCD_CERT_FILE=/etc/etcd/server.crt
ETCD_KEY_FILE=/etc/etcd/server.key
ETCD_PEER_TRUSTED_CA_FILE=/etc/etcd/ca.crt
ETCD_PEER_CERT_FILE=/etc/etcd/peer.crt
ETCD_PEER_KEY_FILE=/etc/etcd/peer.key
"""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at all hosts took, and what was not answered in time."""

    seconds: float
    own_cpu: float
    """Of them, the worker's own on a core."""
    late: int
    """Hosts of which something was not learnt in time."""


@asynccontextmanager
async def hosts(count: int) -> AsyncIterator[Cluster]:
    """So many hosts in a process of their own, gone with the context."""
    with tempfile.TemporaryDirectory(prefix="quorumbot-bench-") as folder:
        directory = Path(folder)
        (port,) = free_ports(1)
        addresses = [f"127.0.1.{number}" for number in range(1, count + 1)]
        for name in ("user", "host"):
            key = asyncssh.generate_private_key("ssh-ed25519")
            key.write_private_key(str(directory / name))
            key.write_public_key(str(directory / f"{name}.pub"))
            (directory / name).chmod(0o600)
        public = (directory / "host.pub").read_text().strip()
        known = directory / "known_hosts"
        known.write_text("".join(f"[{each}]:{port} {public}\n" for each in addresses))
        context = multiprocessing.get_context("spawn")
        receive, send = context.Pipe(duplex=False)
        process = context.Process(target=_serve, args=(directory, port, addresses, send))
        process.start()
        try:
            if not await asyncio.to_thread(receive.poll, _START_S):
                raise SystemExit("the hosts do not start")
            yield Cluster(
                name=ClusterName("many"),
                platform=Platform.OKD3,
                site=Site("here"),
                endpoints={},
                tls=TlsFiles("ca", "cert", "key"),
                hosts=tuple(Host(each, each, port) for each in addresses),
                ssh=SshAccess("root", str(directory / "user"), known_hosts=str(known)),
            )
        finally:
            process.kill()
            process.join()


async def look(cluster: Cluster) -> Looked:
    """All that `/etcd health` asks of hosts, by a worker that has no connection yet."""
    ours = SshHosts()
    try:
        began, cpu = time.perf_counter(), _cpu()
        world = SimpleNamespace(hosts=ours, clock=WallClock())
        seen = await look_at_hosts(cluster, cast("Look", world))
        took, used = time.perf_counter() - began, _cpu() - cpu
    finally:
        await ours.close()
    late = sum(_is_late(each) for each in seen.values())
    return Looked(took, used, late)


async def log_in(cluster: Cluster) -> float:
    """One plain ssh to each, all at once, for one command; seconds until the last is over."""
    access = cluster.ssh
    assert access is not None
    options = f"-F none -i {access.key} -o BatchMode=yes -o StrictHostKeyChecking=yes"
    options += f" -o UserKnownHostsFile={access.known_hosts} -o GlobalKnownHostsFile=none"
    began = time.perf_counter()
    processes = [
        await asyncio.create_subprocess_exec(
            *("ssh", *options.split(), "-p", str(host.port), f"root@{host.address}", "date"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        for host in cluster.hosts
    ]
    statuses = [await process.wait() for process in processes]
    assert not any(statuses), statuses
    return time.perf_counter() - began


def _serve(directory: Path, port: int, addresses: list[str], ready: Connection) -> None:
    asyncio.run(_serving(directory, port, addresses, ready))


async def _serving(directory: Path, port: int, addresses: list[str], ready: Connection) -> None:
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # a worker closes without a word
    answers = _Answers()
    for address in addresses:
        await asyncssh.listen(
            address,
            port,
            server_host_keys=[str(directory / "host")],
            authorized_client_keys=str(directory / "user.pub"),
            process_factory=answers.give,
            encoding=None,
        )
    ready.send(None)
    await asyncio.Event().wait()


class _Answers:
    """What a host of OpenShift 3 says: etcd runs, all is well."""

    def __init__(self) -> None:
        authority = Authority.create("hosts")
        pair = authority.issue("host", hosts=("127.0.1.1",))
        with tempfile.TemporaryDirectory() as folder:
            certificate, _ = pair.write(Path(folder), "host")
            pem = certificate.read_bytes()
        self._files = {
            "/etc/etcd/etcd.conf": _CONFIG.encode(),
            "/etc/etcd/ca.crt": authority.pem,
            "/etc/etcd/server.crt": pem,
            "/etc/etcd/peer.crt": pem,
        }

    async def give(self, process: "asyncssh.SSHServerProcess[bytes]") -> None:
        """Answer one command: of the wrapper's, or a plain one."""
        words = shlex.split(process.command or "")
        if "quorumbot" not in words:
            process.stdout.write(_said(words))
            process.exit(0)
            return
        at = words.index("quorumbot")
        nonce, verb, arguments = words[at + 1].encode(), words[at + 3], words[at + 4 :]
        for stream in (process.stdout, process.stderr):
            stream.write(nonce + b"\n")
        match verb:
            case "machine":
                process.stderr.write(nonce + b" machine 0123456789abcdef boot host 0\n")
                status = 3
            case "read":
                content = self._files[arguments[0]]
                told = b" file 644 root root %d ?\n" % len(content)
                process.stderr.write(nonce + told)
                process.stdout.write(content)
                process.stderr.write(nonce + b" whole %d\n" % len(content))
                status = 3
            case _:
                process.stdout.write(_said(arguments[1:]))
                status = 0
        process.exit(status)


def _said(argv: list[str]) -> bytes:
    told = b""
    match argv:
        case ["date", *_]:
            told = f"{time.time_ns()}\n".encode()
        case ["timedatectl", "show", *_]:
            told = b"NTP=yes\nNTPSynchronized=yes\n"
        case ["cat", *_]:
            told = b"4096\n3800\n5.10.0\n"
        case ["pgrep", *_]:
            told = b"1234\n"
        case ["systemctl", *_]:
            told = b"LoadState=loaded\nUnitFileState=enabled\nActiveState=active\nNRestarts=0\n"
        case ["du", *_]:
            told = b"104857600\t/var/lib/etcd\n"
        case ["df", *_]:
            told = (
                b"File 1B-blocks Used Avail Mounted on\n"
                b"/var/lib/etcd 10737418240 1073741824 9663676416 /var/lib/etcd\n"
            )
    return told


def _is_late(seen: HostSeen | Fault) -> bool:
    told = repr(seen)
    return isinstance(seen, Fault) or "did not answer" in told or "cannot be reached" in told


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
