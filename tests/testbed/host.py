"""One host of a testbed: what can be asked of it, and what can happen to it."""

import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.testbed.access import BOT, Access
from tests.testbed.errors import BedError
from tests.testbed.flavours import FLAVOURS, Flavour, FlavourName, Version
from tests.testbed.machine import ETCD_DATA, Machine
from tests.testbed.network import Network
from tests.testbed.shell import Ran, attempt, call, until

_FILLER = f"{ETCD_DATA}/filler"


@dataclass(frozen=True, slots=True)
class HostSpec:
    """What a host is to be."""

    name: str
    flavour: FlavourName = "okd3"
    etcd_version: Version = "3.4"
    disk_mib: int | None = None
    """A file system of its own, of this size, for etcd's data (256 is a good one)."""


class Host:
    """A host. Calls block for as long as they take and raise BedError; threads may call them."""

    def __init__(
        self,
        spec: HostSpec,
        number: int,
        *,
        machine: Machine,
        network: Network,
        access: Access,
        roster: str,
    ) -> None:
        self.spec = spec
        self.number = number
        self.name = spec.name
        self.address = network.address(number)
        self.machine = machine
        self._network = network
        self._access = access
        self._roster = roster
        self._slowing: subprocess.Popen[bytes] | None = None

    @property
    def flavour(self) -> Flavour:
        return FLAVOURS[self.spec.flavour]

    # Life

    def provision(self) -> None:
        """Set it up like a machine that was just delivered, with the software of its flavour."""
        self.machine.provision()
        self.machine.write("etc/hosts", self._roster)
        self._access.admit(self.machine)
        self.flavour.install(self.machine, self.spec.etcd_version)

    def power_on(self, *, wait: bool = True) -> None:
        """Boot it. `wait` until ssh answers."""
        if self.machine.powered:
            raise BedError(f"{self.name} is on")
        self.machine.kill()  # what a guest that switched itself off may have left
        self._network.plug(self.number, plugged=True)
        self.machine.boot()
        if wait:
            self.machine.wait_for_boot()

    def power_off(self) -> None:
        """Take its power and its link, at once."""
        self._network.plug(self.number, plugged=False)  # first: a dead host sends no resets
        self.machine.kill()
        self._slowing = None

    def reprovision(self) -> None:
        """Power off, and come back as a new machine of the same name: empty, with new keys.

        The host key is not the known one any more; see `trust`.
        """
        self.power_off()
        self.machine.wipe()
        self.provision()
        self.power_on()

    def trust(self) -> None:
        """Let the bot know the host key that it has now."""
        self._access.trust(self.machine, self.address)

    # Truth

    def run(
        self,
        argv: Sequence[str],
        *,
        check: bool = True,
        timeout: float = 30,
        stdin: str = "",
        environment: dict[str, str] | None = None,
    ) -> Ran:
        """Run a command on it as root, from outside: without network, ssh or sudo.

        Raises BedError when it is off, and, unless told otherwise, for a status other than 0.
        """
        ran = self.machine.run(argv, timeout=timeout, stdin=stdin, environment=environment or {})
        if check and ran.status:
            said = (ran.errors or ran.output).strip()[-2000:]
            raise BedError(f"{self.name}: status {ran.status} of: {shlex.join(argv)}\n{said}")
        return ran

    def ssh(self, argv: Sequence[str], *, user: str = BOT, timeout: float = 30) -> Ran:
        """Run a command over ssh, from the bot's namespace; status 255 is ssh's own failure."""
        line = self._access.ssh(self.address, shlex.join(argv), user=user)
        return attempt(self._network.bot.command(line), timeout=timeout)

    def path(self, where: str) -> Path:
        """Where a file of the host (`/etc/hosts`) is on this machine, on or off."""
        return self.machine.path(where.lstrip("/"))

    def journal(self, unit: str | None = None) -> str:
        """What its journal has, or one unit's part of it, on or off."""
        argv = ["journalctl", "--no-pager", "--quiet", "-o", "short-precise"]
        argv += ["-D", str(self.machine.root / "var/log/journal")]
        return call([*argv, *(["-u", unit] if unit else [])])

    # Faults

    def freeze(self) -> None:
        """Stop everything on it; its kernel still answers pings."""
        self.machine.freeze(frozen=True)

    @property
    def frozen(self) -> bool:
        """Whether it is frozen; a host without power is not."""
        return self.machine.powered and self.machine.frozen

    def thaw(self) -> None:
        self.machine.freeze(frozen=False)

    def unplug(self) -> None:
        """Pull its network cable."""
        self._network.plug(self.number, plugged=False)

    def plug(self) -> None:
        self._network.plug(self.number, plugged=True)

    def loss(self, percent: int) -> None:
        """Lose so many percent of its frames, each way; 0 ends it."""
        self._network.lose({self.number: percent})

    def latency(self, milliseconds: int) -> None:
        """Be so far away, there and back; 0 ends it, and `heal_network` does not.

        Raises BedError where the kernel has no `tc netem` (see `no_latency`).
        """
        self._network.delay(self.name, milliseconds)

    def limit_memory(self, mebibytes: int | None) -> None:
        """Let all of it together have so much memory. etcd is what the kernel kills first."""
        self.machine.limit_memory(mebibytes)

    def slow_disk(self, milliseconds: int) -> None:
        """Let each sync of the running etcd take so much longer; 0 ends it.

        Holds for this process of etcd, not for the next.
        """
        if self._slowing:
            self._slowing.terminate()  # strace lets go of it
            self._slowing.wait(10)
            self._slowing = None
        if not milliseconds:
            return
        [etcd] = self.machine.processes("etcd")
        calls = "fsync,fdatasync"
        delay = f"inject={calls}:delay_enter={milliseconds * 1000}"
        strace = ["strace", "-f", "-o", "/dev/null", "-e", f"trace={calls}", "-e", delay]
        strace = ["strace", "-f", "-o", "/dev/null", "-e", f"trace={calls}", "-e", delay]
        self._slowing = self.machine.tool([*strace, "-p", str(etcd)])
        until(lambda: _traced(etcd), 10, f"strace has etcd of {self.name}")

    def fill_disk(self) -> None:
        """Fill the file system of etcd's data to the last byte; needs `disk_mib`."""
        if not self.spec.disk_mib:
            raise BedError(f"{self.name} has no disk of its own to fill; give it disk_mib")
        # dd ends with an error: that is when it is full.
        filler = f"of={self.machine.path(_FILLER)}"
        attempt(["dd", "if=/dev/zero", filler, "bs=64K", "oflag=append", "conv=notrunc"])

    def free_disk(self) -> None:
        """End what `fill_disk` did."""
        self.machine.path(_FILLER).unlink(missing_ok=True)


def _traced(process: int) -> bool:
    """Whether every thread of a process has a tracer."""
    statuses = Path(f"/proc/{process}/task").glob("*/status")
    return all("TracerPid:\t0\n" not in status.read_text() for status in statuses)
