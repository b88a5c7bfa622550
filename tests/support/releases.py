"""etcd 3.5 beside the etcd of this machine: the same programs, of another minor."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass

import pytest

DIRECTORY, MISSING = "QUORUMBOT_ETCD_35", "QUORUMBOT_ETCD_35_MISSING"
"""Set by `./test`: where it is, or else why it is not there."""


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
    directory = os.environ.get(DIRECTORY)
    if not directory:
        why = os.environ.get(MISSING, "`./test` fetches it, and did not start these tests")
        pytest.skip(f"no etcd 3.5: {why}")
    found = [shutil.which(name, path=directory) for name in ("etcd", "etcdctl", "etcdutl")]
    etcd, etcdctl, etcdutl = (path or pytest.fail(f"{directory} is not whole") for path in found)
    return Release("3.5", etcd, etcdctl, etcdutl)
