"""etcd 3.5 beside the etcd of this machine: the same programs, of another minor."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from bot.sandbox.binaries import CACHE

DIRECTORY, MISSING = "QUORUMBOT_ETCD_35", "QUORUMBOT_ETCD_35_MISSING"
"""Set by `./test`: where it is, or else why it is not there."""

_UNPACKED = CACHE.parent / "etcd-3.5" / "usr" / "bin"
"""Where `./test` has put it."""


@dataclass(frozen=True, slots=True)
class Release:
    """Paths of one minor's programs. `reader` reads and restores snapshots."""

    minor: str
    etcd: str
    etcdctl: str
    reader: str


@pytest.fixture(scope="session")
def etcd_34(binary: Callable[[str], str]) -> Release:
    """The etcd of this machine, whose snapshots etcdctl reads."""
    etcdctl = binary("etcdctl")
    return Release("3.4", binary("etcd"), etcdctl, etcdctl)


@pytest.fixture(scope="session")
def etcd_35() -> Release:
    """etcd 3.5 with etcdutl. The test is skipped, with the reason, where it cannot be had."""
    why = os.environ.get(MISSING)
    directory = os.environ.get(DIRECTORY) or str(_UNPACKED)
    if why or (DIRECTORY not in os.environ and not _UNPACKED.is_dir()):
        pytest.skip(f"no etcd 3.5: {why or '`./test` fetches it'}")
    found = [shutil.which(name, path=directory) for name in ("etcd", "etcdctl", "etcdutl")]
    etcd, etcdctl, etcdutl = (path or pytest.fail(f"{directory} is not whole") for path in found)
    return Release("3.5", etcd, etcdctl, etcdutl)
