"""The demo cluster on hosts: a process of the checkout's testbed has them, and is told what to do.

They are Debian's systemd in namespaces of this machine; the testbed is no part of the installed
package, and needs root. It ends and removes them when its stdin is closed, however that happens.
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bot.sandbox.configuration import Machines
from bot.sandbox.errors import SandboxError
from bot.sandbox.files import StateFiles
from bot.sandbox.processes import environment

_CHECKOUT = Path(__file__).parents[2]
_TESTBED = (sys.executable, "-m", "tests.testbed")
_START_S = 900.0
"""The first time, Debian is fetched."""
_ANSWER_S = 120.0
_END_S = 30.0

_VERBS = MappingProxyType(
    {
        "stop": "power_off",
        "kill": "power_off",
        "start": "power_on",
        "freeze": "freeze",
        "thaw": "thaw",
        "wipe": "renew",
    }
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a testbed says of itself when it is ready. `tools` read snapshots, by minor of etcd."""

    folder: Path
    """Goes with the testbed, also when that was killed."""
    namespace: Path
    """The network namespace from which its hosts can be reached."""
    endpoints: Mapping[str, str]
    tools: Mapping[str, str]
    tls: tuple[Path, ...]
    """`ca.crt`, `client.crt` and `client.key`."""
    machines: Machines


class HostedCluster:
    """Three members and a spare host, each a machine. Nothing happens to them but on request."""

    def __init__(self, process: asyncio.subprocess.Process, told: Told, log: Path) -> None:
        """Use `hosted`."""
        self.told = told
        self._process = process
        self._log = log
        self._turn = asyncio.Lock()
        self._asked = 0

    @property
    def members(self) -> list[str]:
        """All hosts, called like their members; the spare is the last."""
        return list(self.told.machines.addresses)

    def pids(self) -> Mapping[str, int | None]:
        """None: what runs on a host is the host's own."""
        return {}

    async def act(self, member: str, do: str) -> None:
        """Do it to a host: stop and kill take its power, wipe makes it a new machine.

        LookupError for an unknown one, ValueError for what is not possible, both in words.
        """
        if member not in self.members:
            raise LookupError(f"no member {member!r}; there are {', '.join(self.members)}")
        if do not in _VERBS:
            raise ValueError(f"unknown action {do!r}; there are {', '.join(_VERBS)}")
        try:
            async with asyncio.timeout(_ANSWER_S), self._turn:
                answer = await self._ask({"host": member, "do": _VERBS[do]})
        except TimeoutError:
            raise ValueError(
                f"{member}: not done within {_ANSWER_S:g} s, see {self._log}"
            ) from None
        if "error" in answer:
            raise ValueError(answer["error"])

    async def watch(self) -> None:
        """Raise SandboxError when the testbed has ended, which nobody asked for."""
        await self._process.wait()
        raise SandboxError(f"the hosts are gone: start the sandbox again. The log is {self._log}")

    async def _ask(self, what: Mapping[str, object]) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise AssertionError("it was started with pipes")
        self._asked += 1
        stdin.write(json.dumps({"id": self._asked, **what}).encode() + b"\n")
        await stdin.drain()
        while line := await stdout.readline():
            answer: dict[str, Any] = json.loads(line)
            if answer["id"] == self._asked:  # not that of one who has not waited for it
                return answer
        raise ValueError("the hosts are gone: start the sandbox again")


@contextlib.asynccontextmanager
async def hosted(
    files: StateFiles, flavour: str, *, furnished: bool
) -> AsyncIterator[HostedCluster]:
    """A healthy cluster on hosts of this flavour, removed in the end.

    `furnished` are they with what people have around etcd: masters, Flannel, Ansible.

    Raises SandboxError, which says what is missing.
    """
    if not (_CHECKOUT / "tests" / "testbed").is_dir():
        raise SandboxError(
            "--hosts needs a checkout: the testbed, which has the hosts, is not beside the package"
        )
    log = files.log("testbed")
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *(*_TESTBED, "serve", "--flavour", flavour, *(["--around"] if furnished else [])),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            cwd=_CHECKOUT,
            env=environment(),
            start_new_session=True,  # it ends with its stdin, not by Ctrl-C
        )
    files.write_pid("testbed", process.pid)
    try:
        cluster = HostedCluster(process, await _ready(process, flavour, log), log)
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(cluster.watch())
            try:
                yield cluster
            finally:
                watching.cancel()
    finally:
        await _end(process)


async def _ready(process: asyncio.subprocess.Process, flavour: str, log: Path) -> Told:
    """Wait for its first line."""
    if process.stdout is None:
        raise AssertionError("it was started with a pipe")
    try:
        async with asyncio.timeout(_START_S):
            line = await process.stdout.readline()
    except TimeoutError:
        raise SandboxError(f"no hosts after {_START_S:g} s; the log is {log}") from None
    said = json.loads(line or "{}")
    if "ready" not in said:
        raise SandboxError(f"--hosts: {said.get('error') or f'the testbed failed, see {log}'}")
    told = said["ready"]
    return Told(
        folder=Path(told["folder"]),
        namespace=Path(told["namespace"]),
        endpoints=told["endpoints"],
        tools=told["tools"],
        tls=tuple(map(Path, told["tls"])),
        machines=Machines(
            platform=flavour,
            addresses=told["hosts"],
            masters=tuple(told["masters"]),
            ansible=told["ansible"],
            **told["ssh"],
        ),
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    """Let it remove its hosts; remove them where it could not."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(_END_S):
            status = await process.wait()
    except TimeoutError:
        process.kill()
        status = await process.wait()
    if status < 0:
        cleaning = await asyncio.create_subprocess_exec(
            *(*_TESTBED, "clean"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=_CHECKOUT,
            env=environment(),
        )
        await cleaning.wait()
