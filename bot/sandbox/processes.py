"""Child processes that do not outlive the process that started them."""

import asyncio
import contextlib
import os
import platform
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from bot.dying import dying

_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy", "ftp_proxy"})
_UNSUPPORTED_BY_OLD_ETCD = {"aarch64": "arm64", "armv7l": "arm", "riscv64": "riscv64"}


def environment() -> dict[str, str]:
    """This process's environment for a child on loopback.

    Without proxies, through which slack-sdk would send even loopback traffic, and without
    `ETCD_*`, which etcd refuses beside its flags.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.lower() not in _PROXIES and not name.startswith(("ETCD_", "ETCDCTL_"))
    }
    if architecture := _UNSUPPORTED_BY_OLD_ETCD.get(platform.machine()):
        kept["ETCD_UNSUPPORTED_ARCH"] = architecture
    return kept


class Child:
    """A started process: in a session of its own (Ctrl-C does not reach it), its output in a file.

    The kernel kills it when this process dies, however it dies. Not bound to an event loop.
    """

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @classmethod
    def start(
        cls,
        name: str,
        argv: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Self:
        """Start `argv`, its output appended to `log`.

        Call it from the main thread: the kernel takes the end of the starting thread for the
        parent's death. A program that is not there shows as an exit, with words in the log.
        """
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - the sandbox's own programs, no shell
                dying(argv),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(environment() if env is None else env),
                cwd=cwd,
                start_new_session=True,
            )
        return cls(name, process, log)

    @property
    def pid(self) -> int:
        """Its process id, also after its end."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs, also when frozen; negative when a signal ended it."""
        # Looked at before it is reaped: until then the id of its group cannot be another's.
        if self._process.returncode is None and os.waitid(
            os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT
        ):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()
        return self._process.returncode

    async def wait(self) -> int:
        """Wait for its end, and kill what it left behind in its process group."""
        while (code := self.returncode) is None:
            descriptor = os.pidfd_open(self.pid)
            try:
                await _readable(descriptor)
            finally:
                os.close(descriptor)
        return code

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process; one that has ended is left in peace."""
        if self.returncode is None:
            os.kill(self.pid, number)

    async def stop(self, grace: float) -> int:
        """SIGTERM, after `grace` seconds SIGKILL; a frozen process is thawed first."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)
        try:
            async with asyncio.timeout(grace):
                return await self.wait()
        except TimeoutError:
            return await self.kill()

    async def kill(self) -> int:
        """SIGKILL, frozen or not, and wait for the end."""
        self.signal(signal.SIGKILL)
        return await self.wait()

    def last_lines(self, count: int = 5) -> str:
        """The end of its log, for an error message."""
        with self.log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 8192))
            lines = file.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-count:])


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
