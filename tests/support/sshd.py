"""A real sshd on a free loopback port, in a mount namespace of its own.

What is written below /etc and /var/lib there goes to an overlay, so that the machine that runs the
tests keeps its own; the users that the tests log in as exist in the overlay only. It takes root.
"""

import asyncio
import os
import shlex
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from tests.support.waiting import eventually

CARELESS, ASKED = "opsuser", "askeduser"
"""Users with sudo: one is never asked for a password, one always."""

_PREPARE = """
set -e
for folder in etc var/lib; do
  mkdir -p "$1/$folder/upper" "$1/$folder/work"
  mount -t overlay overlay \
    -o "lowerdir=/$folder,upperdir=$1/$folder/upper,workdir=$1/$folder/work" "/$folder"
done
mount -t tmpfs tmpfs /run
mkdir -p /run/sshd /etc/etcd /etc/sudoers.d /var/lib/etcd "$1/home"
for user in root sshd opsuser askeduser; do
  sed -i "/^$user:/d" /etc/passwd /etc/shadow
done
cat >>/etc/passwd <<END
root:x:0:0:root:/root:/bin/sh
sshd:x:64901:65534::/run/sshd:/usr/sbin/nologin
opsuser:x:64902:65534::$1/home:/bin/sh
askeduser:x:64903:65534::$1/home:/bin/sh
END
printf '%s:*:19000:0:99999:7:::\\n' root sshd opsuser askeduser >>/etc/shadow
echo "opsuser ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/quorumbot-tests
echo "askeduser ALL=(ALL) ALL" >>/etc/sudoers.d/quorumbot-tests
chmod 440 /etc/sudoers.d/quorumbot-tests
exec "$2" -D -e -f "$1/sshd_config"
"""


@dataclass(frozen=True, slots=True)
class Sshd:
    """A running server. Its files are seen below `root`; `known_hosts` has a line for `port`."""

    port: int
    pid: int
    directory: Path
    host_key: asyncssh.SSHKey

    @property
    def root(self) -> Path:
        return Path(f"/proc/{self.pid}/root")

    @property
    def user_key(self) -> Path:
        return self.directory / "user"

    def known_hosts(self, path: Path, port: int, key: asyncssh.SSHKey | None = None) -> str:
        """Write a file that knows the server, or another key, at a port."""
        public = (key or self.host_key).export_public_key().decode().strip()
        path.write_text(f"[127.0.0.1]:{port} {public}\n")
        return str(path)


def why_not() -> str | None:
    """Why no server can be started here, if so."""
    if os.geteuid() != 0:
        return "it takes root to start sshd in a namespace of its own"
    missing = [name for name in ("unshare", "sudo") if shutil.which(name) is None]
    if find_sshd() is None:
        missing.append("sshd")
    return f"{', '.join(missing)} not found: install openssh-server and sudo" if missing else None


def find_sshd() -> str | None:
    return shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


@asynccontextmanager
async def sshd(directory: Path, authority: asyncssh.SSHKey | None = None) -> AsyncIterator[Sshd]:
    """Start a server; with an authority, its host key has a certificate for 127.0.0.1."""
    port = _free_port()
    host_key = _write_files(directory, port, authority)
    process = await asyncio.create_subprocess_exec(
        *shlex.split("unshare --mount --propagation private sh -c"),
        _PREPARE,
        "prepare",
        str(directory),
        find_sshd() or "sshd",
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        await eventually(lambda: _listens(port, process), 20, "sshd listens")
        yield Sshd(port, process.pid, directory, host_key)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _write_files(directory: Path, port: int, authority: asyncssh.SSHKey | None) -> asyncssh.SSHKey:
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    host_key.write_private_key(str(directory / "host"))
    user = asyncssh.generate_private_key("ssh-ed25519")
    user.write_private_key(str(directory / "user"))
    (directory / "user").chmod(0o600)
    user.write_public_key(str(directory / "authorized_keys"))
    (directory / "host").chmod(0o600)
    lines = [
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        f"HostKey {directory}/host",
        f"AuthorizedKeysFile {directory}/authorized_keys",
        "PermitRootLogin prohibit-password",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "UsePAM no",
        "StrictModes no",
        "PidFile none",
        "UseDNS no",
    ]
    if authority is not None:
        certificate = authority.generate_host_certificate(
            host_key, "tests", principals=["127.0.0.1"]
        )
        certificate.write_certificate(str(directory / "host-cert.pub"))
        lines.append(f"HostCertificate {directory}/host-cert.pub")
    (directory / "sshd_config").write_text("\n".join(lines) + "\n")
    directory.chmod(0o755)  # users have to reach their keys
    return host_key


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def _listens(port: int, process: asyncio.subprocess.Process) -> bool:
    if process.returncode is not None:
        assert process.stderr
        message = f"sshd ended: {(await process.stderr.read()).decode()}"
        raise RuntimeError(message)
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
