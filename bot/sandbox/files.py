"""The sandbox's directory: what is where, and that only one sandbox uses it."""

import base64
import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bot.sandbox.errors import SandboxError

_LOCK = "sandbox.lock"


@dataclass(frozen=True, slots=True)
class StateFiles:
    """Paths below the directory; its sub-directories exist."""

    root: Path

    @property
    def config(self) -> Path:
        """The configuration in use."""
        return self.root / "quorumbot.yaml"

    @property
    def demo(self) -> Path:
        """Data and certificates of the demo cluster."""
        return self.root / "demo"

    @property
    def clock(self) -> Path:
        """By how many ms the workspace's time was moved."""
        return self.root / "clock"

    @property
    def redis(self) -> Path:
        """Redis's data."""
        return self.root / "redis"

    def log(self, name: str) -> Path:
        """Where a process writes to."""
        return self.root / "log" / f"{name}.log"

    def write_pid(self, name: str, pid: int | None) -> None:
        """Say which process has this part now, or that none has."""
        file = self.root / "pids" / name
        if pid is None:
            file.unlink(missing_ok=True)
            return
        draft = file.with_name(f".{name}")
        draft.write_text(f"{pid}\n")
        draft.replace(file)  # whoever reads it never sees half of it

    def write_secret(self, name: str, secret: str) -> None:
        """Write `secrets/NAME`, readable for its owner only, in place of one that is there."""
        file = self.root / "secrets" / name
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(secret)

    def kept_secret(self, name: str, new: str) -> str:
        """What `secrets/NAME` holds; it becomes `new` when it is not there yet."""
        file = self.root / "secrets" / name
        if not file.exists():
            self.write_secret(name, new)
        return file.read_text()

    def signing_key(self, role: str) -> str:
        """The public key, as base64, of `secrets/ROLE.key`, which is made once.

        It stays: the signatures in Redis are checked against it.
        """
        pem = (
            Ed25519PrivateKey.generate()
            .private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            .decode()
        )
        kept = self.kept_secret(f"{role}.key", pem)
        key = serialization.load_pem_private_key(kept.encode(), None)
        raw = key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )
        return base64.b64encode(raw).decode()


@contextlib.contextmanager
def state_directory(directory: Path | None) -> Iterator[StateFiles]:
    """The directory, made with mode 0700 and locked; without one, a temporary one.

    Raises SandboxError for one that is in use, or that is somebody else's. A temporary one is
    removed at the end; from a kept one only the process ids go.
    """
    root = Path(tempfile.mkdtemp(prefix="quorumbot-")) if directory is None else directory.resolve()
    try:
        with _locked(root):
            for name in ("backups", "demo", "log", "pids", "redis", "secrets"):
                (root / name).mkdir(mode=0o700, exist_ok=True)
            _forget_pids(root)  # of one that was killed
            try:
                yield StateFiles(root)
            finally:
                _forget_pids(root)
    finally:
        if directory is None:
            shutil.rmtree(root)


def _forget_pids(root: Path) -> None:
    for file in (root / "pids").iterdir():
        file.unlink()


@contextlib.contextmanager
def _locked(root: Path) -> Iterator[None]:
    lock = root / _LOCK
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not lock.exists() and any(root.iterdir()):
            raise SandboxError(f"{root} has files that no sandbox made: choose an empty --dir")
        opened = lock.open("a+")
        root.chmod(0o700)
    except OSError as error:
        raise SandboxError(f"cannot use {root}: {error.strerror}; choose another --dir") from error
    with opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SandboxError(
                f"{root} is in use by another sandbox: end that one, or choose another --dir"
            ) from None
        yield
