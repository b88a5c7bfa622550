"""A machine: an overlay over the base, and a guest of systemd-nspawn that can lose its power."""

import secrets
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.testbed.cgroups import Cgroup
from tests.testbed.errors import BedError
from tests.testbed.namespaces import Namespace
from tests.testbed.shell import ENVIRONMENT, Ran, attempt, call, until

_REBOOT = "133"
_BOOT_TIME = 60.0
_AGAIN = f'while :; do "$@"; [ $? = {_REBOOT} ] || break; done'
"""Runs the command in its arguments again for as long as the guest reboots."""

ETCD_DATA = "var/lib/etcd"


_LOCKS = Path("/run/systemd/nspawn/locks")


def forget(root: Path) -> None:
    """Remove the lock on a root file system that a guest leaves when it is killed."""
    here = root.stat()
    (_LOCKS / f"inode-{here.st_dev}:{here.st_ino}").unlink(missing_ok=True)


class Machine:
    """Root file system and power of one host. Its files can be read and written at any time."""

    def __init__(
        self,
        folder: Path,
        *,
        base: Path,
        bed: str,
        name: str,
        namespace: Namespace,
        disk_mib: int | None,
    ) -> None:
        """`folder` holds all of it. `disk_mib` gives etcd's data a file system of its own."""
        self.name = name
        self.root = folder / "root"
        self._folder = folder
        self._base = base
        self._id = f"{bed}-{name}"
        self._namespace = namespace
        self._disk_mib = disk_mib
        self._disk = folder / "disk"
        self._cgroup = Cgroup(f"{bed}/{name}")
        self._tools = Cgroup(f"{bed}/{name}.tools")
        self._process: subprocess.Popen[bytes] | None = None
        self._working: list[subprocess.Popen[bytes]] = []

    def provision(self) -> None:
        """Make its file systems, with nothing on them but the base."""
        upper, work = self._folder / "upper", self._folder / "work"
        for path in (upper, work, self.root):
            path.mkdir(parents=True)
        options = f"lowerdir={self._base},upperdir={upper},workdir={work}"
        call(["mount", "-t", "overlay", "overlay", "-o", options, str(self.root)])
        if self._disk_mib:
            image = self._folder / "disk.img"
            self._disk.mkdir()
            with image.open("wb") as file:
                file.truncate(self._disk_mib << 20)
            call(["mkfs.ext4", "-q", "-m", "0", str(image)])
            call(["mount", "-o", "loop", str(image), str(self._disk)])
            shutil.rmtree(self._disk / "lost+found")
            # The same owner and mode as the folder that it hides.
            data = (self.root / ETCD_DATA).stat()
            self._disk.chmod(data.st_mode & 0o7777)
            shutil.chown(self._disk, data.st_uid, data.st_gid)
        self.write("etc/machine-id", f"{secrets.token_hex(16)}\n", mode=0o444)
        self.write("etc/hostname", f"{self.name}\n")

    def wipe(self) -> None:
        """Remove its file systems; it has no power."""
        forget(self.root)
        if self._disk_mib:
            call(["umount", str(self._disk)])
        call(["umount", str(self.root)])
        shutil.rmtree(self._folder)

    def path(self, where: str) -> Path:
        """Where a file of the host is on this machine; `where` is relative to the host's root."""
        if self._disk_mib and Path(where).is_relative_to(ETCD_DATA):
            return self._disk / Path(where).relative_to(ETCD_DATA)
        return self.root / where

    def write(
        self, where: str, content: str | bytes, *, mode: int = 0o644, owner: str = "root"
    ) -> None:
        """Put a file on its disk, in place of one that is there; `owner` is a user of the host."""
        path = self.path(where)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)
        self.own(where, owner)

    def own(self, where: str, owner: str) -> None:
        """Give a file or folder to a user of the host and to that user's group."""
        for line in (self.root / "etc/passwd").read_text().splitlines():
            user, _, uid, gid, *_ = line.split(":")
            if user == owner:
                shutil.chown(self.path(where), int(uid), int(gid))
                return
        raise BedError(f"{self.name} has no user {owner}")

    def link(self, where: str, target: str) -> None:
        """Put a symbolic link on its disk, in place of what is there."""
        path = self.path(where)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(target)

    def boot(self) -> None:
        """Give it power; does not wait. It boots again by itself after a reboot from inside."""
        self._cgroup.create()
        self._cgroup.freeze(frozen=False)  # a machine that was frozen when its power went
        self._tools.create()
        argv = [
            *("systemd-nspawn", "--quiet", "--boot", f"--directory={self.root}"),
            *("--register=no", "--keep-unit", f"--machine={self._id}"),
            f"--hostname={self.name}",
            f"--network-namespace-path={self._namespace.path}",
            *("--capability=CAP_NET_ADMIN", "--resolv-conf=off", "--timezone=off"),
            *("--link-journal=no", "--console=pipe", "--kill-signal=SIGRTMIN+3"),
            *([f"--bind={self._disk}:/{ETCD_DATA}"] if self._disk_mib else []),
        ]
        with (self._folder / "console.log").open("ab") as console:
            self._process = subprocess.Popen(
                # The loop is not in the host's own group, whose controllers the guest manages.
                self._tools.joined(["sh", "-c", _AGAIN, "sh", *self._cgroup.joined(argv)]),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                env=ENVIRONMENT,
                start_new_session=True,  # Ctrl-C is for whoever owns the testbed
            )

    def kill(self) -> None:
        """Take its power: nothing runs on it any more when this returns."""
        # The guest first, so that the loop sees it end; then one that the loop has just started.
        for group in (self._cgroup, self._tools, self._cgroup):
            group.kill()
        for process in (self._process, *self._working):
            if process:
                process.wait()
        self._process, self._working = None, []

    @property
    def powered(self) -> bool:
        """Whether it has power and has not switched itself off."""
        return self._process is not None and self._process.poll() is None

    def freeze(self, *, frozen: bool) -> None:
        self._cgroup.freeze(frozen=frozen)

    @property
    def frozen(self) -> bool:
        return self._cgroup.frozen

    def limit_memory(self, mebibytes: int | None) -> None:
        self._cgroup.limit_memory(mebibytes)

    def wait_for_boot(self) -> None:
        """Wait until users may log in."""
        until(self._booted, _BOOT_TIME, f"{self.name} boots; see {self._folder}/console.log")

    def _booted(self) -> bool:
        if not self.powered:
            said = (self._folder / "console.log").read_text(errors="replace")[-1000:]
            raise BedError(f"{self.name} switched itself off while booting: {said}")
        init = self._init()
        # systemd makes /run/systemd early, and pam lets nobody in while there is a nologin.
        run = Path(f"/proc/{init}/root/run")
        return bool(init) and (run / "sshd.pid").exists() and not (run / "nologin").exists()

    def _init(self) -> int | None:
        """The id, here, of the process that is number 1 in there."""
        for process in self._cgroup.processes():
            with suppress(FileNotFoundError, ProcessLookupError):
                status = Path(f"/proc/{process}/status").read_text()
                ids = status.partition("NSpid:")[2].partition("\n")[0].split()
                if len(ids) > 1 and ids[-1] == "1":
                    return process
        return None

    def processes(self, program: str) -> list[int]:
        """The ids, here, of its processes that run a program, by the name of its file."""
        found = []
        for process in self._cgroup.processes():
            with suppress(FileNotFoundError, ProcessLookupError):
                # Not by their own names: a script is called like its file, too.
                if Path(f"/proc/{process}/exe").readlink().name == program:
                    found.append(process)
        return found

    def run(
        self, argv: Sequence[str], *, timeout: float, stdin: str, environment: dict[str, str]
    ) -> Ran:
        init = self._init()
        if not init:
            raise BedError(f"{self.name} is off: cannot run {' '.join(argv)}")
        spaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"]
        inside = ["nsenter", f"--target={init}", *spaces, "--", *argv]
        return attempt(
            self._tools.joined(inside), timeout=timeout, stdin=stdin, environment=environment
        )

    def tool(self, argv: Sequence[str]) -> "subprocess.Popen[bytes]":
        """Start a command of this machine's that works on the host, and ends with its power."""
        process = subprocess.Popen(
            self._tools.joined(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
            start_new_session=True,
        )
        self._working.append(process)
        return process
