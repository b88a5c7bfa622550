"""Backups of a member's v2 store: by which commands, and where they lie meanwhile. (P23, P32)"""

import posixpath

from procedures.model.ids import RunId
from procedures.model.paths import scratch
from procedures.model.platform import Certificates
from procedures.model.restoring import Tool

FORCED_PEER_URL = "http://localhost:2380"
"""What etcd itself notes for the member of a cluster that it was forced to found anew."""

WITH_V3 = "--with-v3"
"""Without it, a backup has no v3 data at all."""


def copy_folder(run: RunId) -> str:
    """Where a backup lies on its host before it is packed, and after it was unpacked."""
    return f"{scratch(run)}/v2"


def archive_file(run: RunId) -> str:
    """Where it lies as one file."""
    return f"{scratch(run)}/v2.tgz"


def backup_argv(tool: Tool, *words: str) -> tuple[str, ...]:
    """Call the tool's `backup`. Of etcdctl it belongs to the v2 API; etcdutl has no other. (X13)"""
    if tool.program.endswith("etcdctl"):
        return ("env", "ETCDCTL_API=2", tool.program, "backup", *words)
    return (tool.program, "backup", *words)


def copy_argv(tool: Tool, data: str, target: str) -> tuple[str, ...]:
    """Copy the data of an etcd that does not run.

    All of it is read and checked. Up to 3.4 the ids of member and cluster are new ones.
    """
    return backup_argv(tool, WITH_V3, f"--data-dir={data}", f"--backup-dir={target}")


def pack_argv(run: RunId) -> tuple[str, ...]:
    """Make one file of it. A log file is 64 MB, most of it empty."""
    return ("tar", "--create", "--gzip", *_tar(run), posixpath.basename(copy_folder(run)))


def unpack_argv(run: RunId) -> tuple[str, ...]:
    """Make a folder of the file again."""
    return ("tar", "--extract", "--gzip", *_tar(run))


def root_argv(etcdctl: str, files: Certificates, url: str) -> tuple[str, ...]:
    """Ask one member for what lies at the root of its v2 store."""
    return (
        *("env", "ETCDCTL_API=2", etcdctl, "--no-sync", f"--endpoints={url}"),
        *(f"--ca-file={files.ca}", f"--cert-file={files.peer.cert}"),
        *(f"--key-file={files.peer.key}", "--timeout=2s", "--total-timeout=5s", "ls", "/"),
    )


def root_names(out: str) -> tuple[str, ...]:
    """Take the names from what it prints; the mark of a migration to v3 counts for nothing."""
    names = {line.strip() for line in out.splitlines()} - {"", "/migrated"}
    return tuple(sorted(names))


def _tar(run: RunId) -> tuple[str, str]:
    return (f"--file={archive_file(run)}", f"--directory={scratch(run)}")
