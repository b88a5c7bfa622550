"""The file system that all hosts share, below their own: Debian with systemd, sshd and two etcd.

It is built once, outside the checkout, in a folder that is named by a hash of how it is made, and
stays unpacked: an overlay over it is mounted in no time, which no archive could match. Its
programs are `/opt/etcd-3.4/usr/bin/*` (Debian 12's own) and `/opt/etcd-3.5/usr/bin/*` (unpacked
from Debian 13's packages, which run here too); a host links to those of its version.
"""

import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.testbed.shell import call

_PACKAGES = (
    "systemd,systemd-sysv,dbus,openssh-server,etcd-server,etcd-client,iproute2,nftables,"
    "iputils-ping,procps,sudo,curl,ca-certificates,openssl,psmisc"
)
_MIRROR = "http://deb.debian.org/debian"
_CUSTOMIZE = Path(__file__).parent / "files" / "customize-base"
_BUILD_TIME = 600


def cache() -> Path:
    """The folder for what is kept between runs: `$QUORUMBOT_CACHE`, or the user's cache.

    All checkouts share it, and hosts that live have their file systems mounted in it: remove
    nothing of it by hand, but with `python -m tests.testbed clean`.
    """
    if chosen := os.environ.get("QUORUMBOT_CACHE"):
        return Path(chosen).absolute()
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home).absolute() / "quorumbot"


def _recipe() -> list[str]:
    return [
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        f"--include={_PACKAGES}",
        '--aptopt=APT::Default-Release "bookworm"',  # of trixie only what is asked for
        *(f"--dpkgopt=path-exclude=/usr/share/{kind}/*" for kind in ("man", "doc", "locale")),
        "--skip=cleanup/apt",  # the hook below cleans up after its own download
        f"--customize-hook={_CUSTOMIZE}",
        "bookworm",
    ]


def _name() -> str:
    text = "\0".join([*_recipe(), _MIRROR]).replace(str(_CUSTOMIZE), _CUSTOMIZE.read_text())
    return f"base-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


@contextmanager
def held_base() -> Iterator[Path]:
    """The base, built where it is missing; nobody removes it while the context lasts.

    Two processes that need it at once build it once. Raises BedError with apt's words.
    """
    folder = cache()
    folder.mkdir(parents=True, exist_ok=True)
    base = folder / _name()
    with (folder / f"{base.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        if not base.exists():
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not base.exists():
                _build(base)
            fcntl.flock(lock, fcntl.LOCK_SH)
        yield base


def _build(base: Path) -> None:
    """Make it beside its place and move it there whole; the caller holds the lock."""
    for abandoned in base.parent.glob(f"{base.name}.draft-*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    # A name of its own: the apt of a builder that was killed may still be at work in another.
    draft = base.with_name(f"{base.name}.draft-{secrets.token_hex(3)}")
    sources = [f"deb {_MIRROR} {suite} main" for suite in ("bookworm", "trixie")]
    try:
        call([*_recipe(), str(draft), *sources], timeout=_BUILD_TIME)
        draft.rename(base)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def remove_other_bases() -> list[Path]:
    """Remove bases that another recipe made and nobody uses; returns them."""
    removed = []
    for lock_file in cache().glob("base-*.lock"):
        base = lock_file.with_suffix("")
        if base.name == _name():
            continue
        with lock_file.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(base, ignore_errors=True)
            lock_file.unlink()
            removed.append(base)
    return removed
