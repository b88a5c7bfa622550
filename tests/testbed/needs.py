"""Whether this machine can carry a testbed."""

import ctypes
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.testbed.base import cache
from tests.testbed.errors import BedError
from tests.testbed.shell import attempt, call

PACKAGES = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "nft": "nftables",
    "strace": "strace",
    "ssh": "openssh-client",
    "nsenter": "util-linux",
    "mkfs.ext4": "e2fsprogs",
}
"""Debian's package for each program that a testbed runs; `./test hosts` installs them."""

CLONE_NEWNET = 0x40000000
_CAP_SYS_ADMIN = 21
_CAP_NET_ADMIN = 12


def unmet() -> str | None:
    """Why there can be no testbed here, in one line; None where there can be one."""
    return next(_reasons(), None)


def _reasons() -> Iterator[str]:
    """Each assumes that those before it do not hold."""
    if os.geteuid() != 0:
        yield "hosts need root"
    if lacking := [name for name, held in _capabilities().items() if not held]:
        yield f"hosts need {' and '.join(lacking)}, which this root lacks (a container?)"
    if absent := missing_packages():
        yield f"hosts need programs that are absent; apt-get install {' '.join(absent)}"
    if not _namespaces():
        yield "hosts need network namespaces, which this kernel or container refuses"
    if not unified():
        yield "hosts need a mounted cgroup2 hierarchy (hybrid or pure)"
    if _file_system(cache()) == "overlay":
        yield f"hosts need a cache on a disk, and {cache()} is on an overlay; set QUORUMBOT_CACHE"


def no_latency() -> str | None:
    """Why hosts cannot be far away here, in one line; None where they can."""
    name = f"qbnetem{os.getpid()}"
    try:
        call(["ip", "netns", "add", name])
        tried = attempt(["tc", "-n", name, "qdisc", "add", "dev", "lo", "root", *netem(1)])
    except BedError as error:
        return f"latency cannot be tried: {error}"
    finally:
        attempt(["ip", "netns", "delete", name])
    if tried.status:
        return f"latency needs `tc netem`, which this kernel lacks ({tried.errors.strip()})"
    return None


def netem(milliseconds: int) -> list[str]:
    """What `tc` is told for a delay."""
    return ["netem", "delay", f"{milliseconds}ms", "limit", "100000"]


def missing_packages() -> list[str]:
    """Debian's packages with the programs that are not here."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return [package for name, package in PACKAGES.items() if not shutil.which(name, path=path)]


def unified() -> Path | None:
    """Where the cgroup2 hierarchy is mounted for writing, hybrid or pure."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, where, kind, options, *_ = line.split()
        if kind == "cgroup2" and "rw" in options.split(","):
            return Path(where)
    return None


def _file_system(path: Path) -> str:
    """The kind of file system that a path is on, or will be."""
    kinds: dict[Path, str] = {}
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        kinds[Path(where)] = kind
    return next(kinds[folder] for folder in (path, *path.parents) if folder in kinds)


def _capabilities() -> dict[str, bool]:
    status = Path("/proc/self/status").read_text()
    effective = int(status.partition("CapEff:")[2].split()[0], 16)
    return {
        "CAP_SYS_ADMIN": bool(effective >> _CAP_SYS_ADMIN & 1),
        "CAP_NET_ADMIN": bool(effective >> _CAP_NET_ADMIN & 1),
    }


def _namespaces() -> bool:
    """Try it in a child: the caller stays where it is."""
    child = os.fork()
    if child == 0:
        os._exit(0 if ctypes.CDLL(None).unshare(CLONE_NEWNET) == 0 else 1)
    return os.waitpid(child, 0)[1] == 0
