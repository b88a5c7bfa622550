"""A machine in memory, for tests: its files, its units, its power, and the work on it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from bot.targets.ssh.fake_files import FakeFiles
from procedures.model.host import Ended, Lost, NeverStarted, Running, Trace
from procedures.model.probe import Fault

Say = Callable[[str], Awaitable[None]]
Program = Callable[["FakeMachine", Sequence[str], bytes, Say], Awaitable[int]]
"""What a test puts in the place of a program: it says lines and gives the exit status."""


class StartError(Exception):
    """A unit does not start; its main process ended with this status."""

    def __init__(self, status: int = 1) -> None:
        super().__init__(status)
        self.status = status


def _nothing(_: "FakeMachine") -> None:
    pass


@dataclass(slots=True)
class FakeUnit:
    """A systemd unit. `on_start` may raise StartError; both hooks see the machine."""

    active: str = "inactive"
    enabled: str = "enabled"
    """enabled, disabled, masked or static."""
    status: int = 0
    """ExecMainStatus: how the main process ended last."""
    on_start: Callable[["FakeMachine"], None] = _nothing
    on_stop: Callable[["FakeMachine"], None] = _nothing
    starts: int = 0
    given_up: bool = False
    """It failed too often: it starts no more before `reset-failed`."""
    restarts: int = 0
    """How often systemd itself has started it again."""
    required_by: tuple[str, ...] = ()
    command: str = ""
    """What `ExecStart` runs."""
    environment: str = ""
    """What `Environment` sets."""
    ready: Callable[[], bool] = lambda: True
    """`Type=notify`: whoever starts it waits for this, and in vain where it does not come."""
    user: str = ""
    """As whom, where it is not root."""

    def start(self, machine: "FakeMachine") -> bool:
        """Start it unless it runs; tells whether it runs then."""
        if self.enabled == "masked" or self.given_up:
            return False
        if self.active != "active":
            self.starts += 1
            try:
                self.on_start(machine)
            except StartError as error:
                self.active, self.status = "failed", error.status
                return False
            self.active, self.status = "active", 0
        return True

    def stop(self, machine: "FakeMachine") -> None:
        """Stop it if it runs."""
        if self.active == "active":
            self.on_stop(machine)
        self.active = "inactive"

    def fail(self, machine: "FakeMachine", status: int = 1) -> None:
        """Let its main process die."""
        self.stop(machine)
        self.active, self.status = "failed", status


@dataclass(slots=True)
class FakeWork:
    """What the wrapper keeps of a piece of work."""

    argv: tuple[str, ...] = ()
    kept: bool = False
    """It was settled before it could start."""
    lines: list[str] = field(default_factory=list)
    status: int | None = None
    stopped: bool = False
    task: asyncio.Task[None] | None = None

    @property
    def trace(self) -> Trace:
        """What can be told of it."""
        if self.kept:
            return NeverStarted()
        if self.status is not None:
            return Ended(self.status)
        return Running() if self.task is not None and not self.task.done() else Lost()


@dataclass(slots=True)
class FakeMachine:
    """A machine; tests set what they need, at any time. `fault` is how the way to it fails."""

    name: str
    number: int = 1
    machine_id: str = ""
    boot_id: str = ""
    files: FakeFiles = field(default_factory=FakeFiles)
    units: dict[str, FakeUnit] = field(default_factory=dict)
    programs: dict[str, Program] = field(default_factory=dict)
    mounts: dict[str, str] = field(default_factory=lambda: {"/": "/dev/vda1"})
    free_bytes: int = 10 * 1024**3
    free_at: dict[str, int] = field(default_factory=dict)
    """By mount, where it is another than `free_bytes`."""
    used_percent: int = 50
    now_ms: Callable[[], int] = lambda: 0
    clock_off_ms: int = 0
    """So much its clock is ahead."""
    time_service: bool = True
    synchronised: bool = True
    knows_show: bool = True
    """Its `timedatectl` is that of systemd 239 or later."""
    on: bool = True
    reachable: bool = True
    fault: Fault | None = None
    closed: set[tuple[str, int]] = field(default_factory=set)
    """Addresses and ports to which nothing of it gets through."""
    work: dict[tuple[str, str], FakeWork] = field(default_factory=dict)
    """By run and key of the mark."""
    forgotten: set[str] = field(default_factory=set)
    over: dict[tuple[str, str], FakeWork] = field(default_factory=dict)
    """What was kept of runs that are forgotten."""
    boots: int = 0
    killed: list[asyncio.Task[None]] = field(default_factory=list)
    """Work that a power failure has ended."""
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Give it an identity and its first boot."""
        self.machine_id = self.machine_id or f"{self.number:032x}"
        self.files.folder("/tmp")  # noqa: S108 (machines have one)
        self._boot()

    @property
    def answers(self) -> bool:
        """Tell whether a connection would come about."""
        return self.on and self.reachable

    def unit(self, name: str) -> FakeUnit | None:
        """A unit by its name, with or without `.service`."""
        return self.units.get(name if "." in name else f"{name}.service")

    def cut_off(self) -> None:
        """Let nobody reach it; what runs goes on."""
        self.reachable = False
        self.tell()

    def mend(self) -> None:
        """Let it be reached again."""
        self.reachable = True

    def power_off(self) -> None:
        """End all that runs, at once."""
        self.on = False
        for work in self.work.values():
            if work.task is not None:
                work.task.cancel()
                self.killed.append(work.task)
                work.task = None
        for unit in self.units.values():
            unit.stop(self)
        self.tell()

    def power_on(self) -> None:
        """Boot; what is enabled is started."""
        if self.on:
            return
        self.on = True
        self._boot()
        for unit in self.units.values():
            if unit.enabled == "enabled":
                unit.start(self)

    def reboot(self) -> None:
        """Power off and on."""
        self.power_off()
        self.power_on()

    def reinstall(self) -> None:
        """Make it a new machine of the same name: nothing on it, and another identity."""
        self.power_off()
        self.machine_id = f"{int(self.machine_id, 16) + (1 << 64):032x}"
        self.files = FakeFiles()
        self.units.clear()
        self.work.clear()
        self.forgotten.clear()
        self.files.folder("/tmp")  # noqa: S108
        self.power_on()

    def tell(self) -> None:
        """Let all know who wait for something to change."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def news(self) -> None:
        """Wait until something changes."""
        await self._news.wait()

    def _boot(self) -> None:
        self.boots += 1
        self.boot_id = str(UUID(int=(int(self.machine_id, 16) + self.boots) % (1 << 128)))
