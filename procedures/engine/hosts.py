"""What procedures need from machines. The adapter speaks SSH; tests use an in-memory twin."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from procedures.model.host import Ended, FileSeen, Machine, Mark, Said, Trace
from procedures.model.ids import RunId
from procedures.model.inventory import Cluster, Host
from procedures.model.probe import Fault

ASK_MS = 10_000
"""So long a command that only looks may take."""


class HostLook(Protocol):
    """Looking at machines. Nothing is changed, and nothing of the looking stays on them.

    No method raises for a fault of a machine or of the way to it: the fault is in the answer.
    A command is a list of arguments and meets no shell. It runs as root where the cluster's
    access says so, never with a password prompt.
    """

    async def machine(self, cluster: Cluster, host: Host) -> Machine | Fault:
        """Tell who it is."""
        ...

    async def ask(
        self, cluster: Cluster, host: Host, argv: Sequence[str], limit_ms: int = ASK_MS
    ) -> Said | Fault:
        """Run a command that changes nothing. Its output is cut off at 1 MiB.

        A command that is not installed gives status 127; one that is not over in time is a Fault.
        """
        ...

    async def read(self, cluster: Cluster, host: Host, path: str) -> FileSeen | Fault | None:
        """Read a regular file of at most 1 MiB; None where there is nothing of that name."""
        ...


class Transcript(Protocol):
    """What one piece of work on one machine has printed, as far as it is stored."""

    @property
    def stored(self) -> int:
        """The place in the output up to which its lines are stored for good; 0 at first.

        What a place is only the machine knows; it grows with the output.
        """
        ...

    async def say(self, line: str, upto: int) -> None:
        """Take a line in, and the place where it ends: both get stored in one, or neither."""
        ...


class HostAct(Protocol):
    """Working on machines.

    A call raises Retryable when it proves to have done nothing for a passing reason, Permanent
    when it did nothing and never will, and InDoubt where nobody can tell.

    Work runs under a wrapper on the machine, in a process group of its own and with a time limit,
    which records that it was started, what it printed and its exit status, in a folder of the
    run's that only root can read. So whoever comes later finds it again, by its mark.
    """

    async def run(
        self,
        cluster: Cluster,
        host: Host,
        mark: Mark,
        argv: Sequence[str],
        *,
        limit_ms: int,
        transcript: Transcript,
        stdin: bytes = b"",
    ) -> Ended:
        """Start a command, or find it where its mark is there already, and follow it to its end.

        Each line that it prints is said, from the place up to which the transcript is stored: so
        a later caller leaves no line out and stores none twice. Raises InDoubt
        where it is lost, or when the machine cannot be reached any more. When it is over its limit
        it is ended, and the status is 124. A caller that is cancelled leaves it running: `stop`
        ends it.
        """
        ...

    async def settle(self, cluster: Cluster, host: Host, mark: Mark) -> Trace:
        """Look for a piece of work. What was not started is kept from ever being started.

        Raises InDoubt where the machine cannot be asked.
        """
        ...

    async def stop(self, cluster: Cluster, host: Host, mark: Mark) -> Trace:
        """End a piece of work with its whole process group, and make sure that it is gone."""
        ...

    async def write(
        self,
        cluster: Cluster,
        host: Host,
        path: str,
        content: bytes,
        *,
        was: str | None,
        mode: int = 0o600,
    ) -> None:
        """Put a file in the place of what `was` (SHA-256 of it; None: nothing is there), at once.

        Owner, mode and label of what is replaced are kept; a new one belongs to root. The former
        content stays beside it, as `.NAME.quorumbot-<first 12 digits of its SHA-256>`: hidden,
        because a kubelet runs whatever else lies beside a manifest. A late duplicate is harmless:
        it finds the new content there, or something else and is refused.
        Raises Permanent where something else is there than what `was`, or where the path is not
        one that the cluster's platform lets Quorumbot write.
        """
        ...

    def fetch(self, cluster: Cluster, host: Host, path: str) -> AsyncIterator[bytes]:
        """Stream a file from a machine. Raises Retryable when it breaks off."""
        ...

    async def send(
        self,
        cluster: Cluster,
        host: Host,
        path: str,
        chunks: AsyncIterator[bytes],
        *,
        mode: int = 0o600,
    ) -> str:
        """Stream into a new file, whole or not at all, and give its SHA-256 as the machine sees it.

        What is there already is replaced only if it is the same. Same paths as `write`.
        """
        ...

    async def forget(self, cluster: Cluster, host: Host, run: RunId) -> None:
        """Remove what the wrapper keeps of a run; nothing of it may be running any more."""
        ...
