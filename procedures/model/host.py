"""What is known of machines: who they are, what they said, what lies on them, what runs there."""

import re
from dataclasses import dataclass

from procedures.model.ids import RunId

_NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")


@dataclass(frozen=True, slots=True)
class Machine:
    """Who a machine is. `machine_id` stays with an installation, `boot_id` with one boot."""

    machine_id: str
    boot_id: str
    hostname: str


@dataclass(frozen=True, slots=True)
class Said:
    """What a command that only looks has printed, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def absent(self) -> bool:
        """Whether what was asked for is not there, instead of not readable."""
        return self.status != 0 and self.err.rstrip().endswith(": No such file or directory")


@dataclass(frozen=True, slots=True)
class FileSeen:
    """A regular file. `mode` is its permission bits; `context` its SELinux label, if any."""

    content: bytes
    mode: int
    owner: str
    group: str
    context: str | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """Which piece of work on a host: what bears one mark is started once at most, whoever asks.

    `name` tells pieces of one step apart: lower-case letters, digits and hyphens.
    """

    run: RunId
    step: int
    attempt: int
    name: str

    def __post_init__(self) -> None:
        """Refuse what could not stand in a path. Raises ValueError."""
        if not _NAME.fullmatch(self.name) or self.step < 1 or self.attempt < 1:
            message = f"{self!r} marks no piece of work"
            raise ValueError(message)

    @property
    def key(self) -> str:
        """How it is written below the run's folder on the host, e.g. `3-1-restore`."""
        return f"{self.step}-{self.attempt}-{self.name}"


@dataclass(frozen=True, slots=True)
class Ended:
    """Work that ran to its end, with its exit status; 128 + N where signal N ended it."""

    status: int


@dataclass(frozen=True, slots=True)
class Running:
    """Work that was started and has not ended."""


@dataclass(frozen=True, slots=True)
class NeverStarted:
    """Work that was not started and, from now on, cannot be: its mark is taken."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Work that was started and is gone without an exit status: the machine went down, or it
    was killed from outside. Nobody can tell how far it came.
    """


Trace = Ended | Running | NeverStarted | Lost


@dataclass(frozen=True, slots=True)
class At:
    """A host that is meant: its name in the inventory, and the installation that it had then.

    A machine that was set up anew under the same name is another one.
    """

    host: str
    machine_id: str
