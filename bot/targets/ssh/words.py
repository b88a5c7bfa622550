"""What is said when a machine does not answer, or does not do what it should."""

from procedures.model.errors import InDoubt, Permanent, Retryable
from procedures.model.host import Mark
from procedures.model.inventory import Cluster, Host
from procedures.model.probe import Fault, FaultKind

READ_BYTES = 1024**2
"""The largest file that is read at once, and where the output of a question is cut off."""

NO_SPACE = "No space left"


class FaultError(Exception):
    """Carries a fault from where it is found to where it becomes the answer."""

    def __init__(self, kind: FaultKind, message: str) -> None:
        super().__init__(message)
        self.fault = Fault(kind, message)


def label(host: Host) -> str:
    """Name a machine for people."""
    return host.name if host.address == host.name else f"{host.name} ({host.address})"


def seconds(duration_ms: int) -> str:
    """Write a time for people."""
    return f"{duration_ms / 1000:g} s"


def no_access(cluster: Cluster) -> FaultError:
    """Nothing says how to get to the machines."""
    message = (
        f"No way to the machines of {cluster.name} is configured. Name user, key and known hosts "
        f"in `clusters.{cluster.name}.ssh`."
    )
    return FaultError(FaultKind.FILES, message)


def unreachable(host: Host, deadline_ms: int) -> FaultError:
    """No connection came about."""
    message = f"{label(host)} cannot be reached: no connection within {seconds(deadline_ms)}."
    return FaultError(FaultKind.UNREACHABLE, message)


def overdue(host: Host, program: str, limit_ms: int) -> FaultError:
    """A question was not answered in time."""
    message = f"{label(host)} did not answer `{program}` within {seconds(limit_ms)}."
    return FaultError(FaultKind.SILENT, message)


def not_a_file(host: Host, path: str) -> FaultError:
    """There is something, and it is no regular file."""
    return FaultError(FaultKind.SERVER, f"{path} on {label(host)} is not a regular file.")


def too_large(host: Host, path: str, size: int) -> FaultError:
    """The file is more than is read at once."""
    message = f"{path} on {label(host)} has {size} bytes, more than the 1 MiB that is read at once."
    return FaultError(FaultKind.SERVER, message)


_LASTING = frozenset({FaultKind.FILES, FaultKind.TRUST, FaultKind.DENIED})


def not_begun(what: str, fault: Fault) -> Retryable | Permanent:
    """There was no way to the machine, so nothing was done."""
    if fault.kind in _LASTING:
        return Permanent(f"{fault.message} So {what} was not begun.")
    return Retryable(f"{fault.message} So {what} was not begun, and can be tried again.")


def lost_sight(host: Host, what: str, fault: Fault) -> InDoubt:
    """It was begun, and the machine does not answer any more."""
    return InDoubt(f"What became of {what} on {label(host)} is not known. {fault.message}")


def lost(host: Host, what: str) -> InDoubt:
    """It was begun, and is gone without an exit status."""
    return InDoubt(
        f"{what[0].upper()}{what[1:]} on {label(host)} is gone without an exit status: the "
        f"machine was restarted, or it was killed. Look how far it came."
    )


def kept(host: Host, mark: Mark) -> Permanent:
    """It was settled before it could start."""
    return Permanent(
        f"{mark.run} {mark.key} was not started on {label(host)}, and cannot be any more: it was "
        f"looked for before it began. A new attempt may."
    )


def forgotten(host: Host, mark: Mark) -> Permanent:
    """The run is over, and its folder removed."""
    return Permanent(f"{mark.run} is over on {label(host)}: nothing of it is started any more.")


def work(argv0: str) -> str:
    """Name a piece of work after its program."""
    return f"`{argv0}`"


def failed(host: Host, what: str, why: str) -> Retryable | Permanent:
    """The machine itself could not do it, and left all as it was."""
    message = f"{what[0].upper()}{what[1:]} failed on {label(host)}: {why.rstrip('.')}."
    if NO_SPACE in why:
        return Retryable(f"{message} Make space there, and try again.")
    return Permanent(message)


def not_ours(host: Host, path: str) -> Permanent:
    """The path is not one that may be written."""
    return Permanent(
        f"{path} on {label(host)} is not written: it is not among the files that Quorumbot may "
        f"write on this platform."
    )


def escapes(host: Host, path: str, real: str) -> Permanent:
    """A symbolic link leads to another place."""
    return Permanent(
        f"{path} on {label(host)} is not written: a symbolic link leads to {real}, which is not "
        f"among the files that Quorumbot may write."
    )


def no_folder(host: Host, path: str) -> Permanent:
    """The folder that it belongs into is missing."""
    return Permanent(f"{path} on {label(host)} is not written: its folder is not there.")


def not_regular(host: Host, path: str) -> Permanent:
    """What is to be replaced is a link, a folder or a device."""
    return Permanent(f"{path} on {label(host)} is not written: what is there is no regular file.")


def changed(host: Host, path: str, was: str | None, found: str | None) -> Permanent:
    """Something else is there than what the plan rests on."""
    expected = f"SHA-256 {was[:12]}…" if was else "nothing"
    there = f"SHA-256 {found[:12]}…" if found else "nothing"
    return Permanent(
        f"{path} on {label(host)} is not written: {expected} was there before, and now {there}. "
        f"Somebody changed it. Look, and ask again."
    )


def in_the_way(host: Host, path: str) -> Permanent:
    """A file of that name is there, with other content."""
    return Permanent(f"{path} on {label(host)} is not written: another file is there already.")


def missing(host: Host, path: str) -> Permanent:
    """There is no such file to fetch."""
    return Permanent(f"There is no file {path} on {label(host)}.")


def broke_off(host: Host, path: str, received: int) -> Retryable:
    """A download ended early."""
    return Retryable(f"Reading {path} on {label(host)} broke off after {received} bytes.")


def cut_short(host: Host, path: str) -> Retryable:
    """An upload ended early; nothing of it was kept."""
    return Retryable(f"Writing {path} on {label(host)} broke off; nothing of it was kept.")


def not_asked(host: Host, what: str, why: str) -> InDoubt:
    """A machine that may have done something cannot be asked."""
    return InDoubt(f"Whether {what} was started on {label(host)} is not known. {why}")


def still_running(host: Host, run: str) -> Permanent:
    """What is kept of a run is in use."""
    return Permanent(f"Something of {run} is still running on {label(host)}: stop it first.")
