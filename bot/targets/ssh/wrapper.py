"""The scripts that machines run, as one command; see `wrapper.sh` for what they keep and answer."""

import secrets
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from procedures.model.errors import Permanent
from procedures.model.paths import STATE

_MOST_BYTES = 120_000
"""Linux takes no single argument of 128 KiB, and the login shell gets all as one."""


@dataclass(frozen=True, slots=True)
class Command:
    """What the login shell is told, and the word by which its answers are known."""

    line: str
    nonce: bytes


def command(verb: str, *arguments: str, sudo: bool, state: str = STATE) -> Command:
    """Make the command for a verb of the wrapper's. Raises Permanent where it is too long."""
    nonce = secrets.token_hex(16)
    argv = ["sh", "-c", _script(verb), "quorumbot", nonce, state, verb, *arguments]
    if sudo:
        argv = ["sudo", "-n", "--", *argv]
    line = shlex.join(argv)
    if len(line.encode(errors="surrogateescape")) > _MOST_BYTES:
        message = "A command is longer than a machine takes: hand its data over on stdin."
        raise Permanent(message)
    return Command(line, nonce.encode())


def work_script() -> str:
    """The script that carries out a piece of work."""
    return _text("work.sh")


@cache
def _script(verb: str) -> str:
    parts = ["wrapper.sh", *(["files.sh"] if verb in {"read", "write", "send", "hash"} else [])]
    return "".join(_text(part) for part in parts) + 'verb_"$verb" "$@"\n'


@cache
def _text(name: str) -> str:
    """A script without what is for people only."""
    lines = resources.files(__package__).joinpath(name).read_text(encoding="utf-8").splitlines()
    return "".join(
        f"{line}\n" for line in lines if line.strip() and not line.lstrip().startswith("#")
    )


def places(folders: Sequence[str], state: str = STATE) -> tuple[str, ...]:
    """Where files may be written: what the platform allows, and the runs' own folders."""
    return (*folders, f"{state}/files")
