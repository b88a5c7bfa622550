"""Where files may be written on a machine in memory, and what is there."""

import posixpath
from collections.abc import Sequence

from bot.targets.ssh import words
from bot.targets.ssh.fake_files import FakeFile, FakeFolder
from bot.targets.ssh.model import FakeMachine
from procedures.model.errors import Retryable
from procedures.model.inventory import Host
from procedures.model.paths import STATE, within

_SCRATCH = f"{STATE}/files"


def found_at(
    machine: FakeMachine, host: Host, path: str, writable: Sequence[str]
) -> FakeFile | None:
    """What is at a place that may be written; None where nothing is.

    Raises Permanent, and Retryable where the disk is full.
    """
    files, folder = machine.files, posixpath.dirname(path)
    places = (*writable, _SCRATCH)
    if not within(path, places):
        raise words.not_ours(host, path)
    if posixpath.dirname(folder) == _SCRATCH:
        try:
            files.folder(folder, 0o700)
        except OSError as error:
            raise _not_written(host, path, error) from error
    if not isinstance(files.get(folder), FakeFolder):
        raise words.no_folder(host, path)
    real = posixpath.join(files.real(folder), posixpath.basename(path))
    if not within(real, [files.real(each) for each in places]):
        raise words.escapes(host, path, real)
    node = files.get(path, follow=False)
    if node is not None and not isinstance(node, FakeFile):
        raise words.not_regular(host, path)
    return node


def put(machine: FakeMachine, host: Host, path: str, file: FakeFile) -> None:
    """Write a file. Raises Retryable where the disk is full."""
    try:
        machine.files.write(path, file)
    except OSError as error:
        raise _not_written(host, path, error) from error


def _not_written(host: Host, path: str, error: OSError) -> Retryable:
    return Retryable(f"{path} on {words.label(host)} is not written: {error}.")
