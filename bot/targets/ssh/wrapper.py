"""The scripts that machines run.

What only looks is handed to `sh` as a whole, and leaves nothing. What changes something lies in
Quorumbot's own folder on the machine, under a name made from its content: so a log of sudo's says
what was done rather than how, and versions of it do not meet.
"""

import hashlib
import secrets
import shlex
from dataclasses import dataclass
from functools import cache
from importlib import resources

from procedures.model.errors import Permanent

_MOST_BYTES = 120_000
"""Linux takes no single argument of 128 KiB, and the login shell gets all as one."""

_LOOKING = frozenset({"machine", "ask", "read"})
_ACT = ("head.sh", "state.sh", "act.sh", "place.sh")


@dataclass(frozen=True, slots=True)
class Command:
    """What the login shell is told, and the word by which its answers are known."""

    line: str
    nonce: bytes


@dataclass(frozen=True, slots=True)
class Installation:
    """What has to be on a machine before anything is changed there."""

    name: str
    act: bytes
    work: bytes


def command(verb: str, *arguments: str, sudo: bool, state: str) -> Command:
    """Make the command for a verb. Raises Permanent where it is too long."""
    nonce = secrets.token_hex(16)
    if verb in _LOOKING:
        script = ["sh", "-c", _script("head.sh", "look.sh"), "quorumbot"]
    elif verb == "install":
        script = ["sh", "-c", _script("head.sh", "state.sh", "install.sh"), "quorumbot"]
    else:
        script = ["sh", place(state)]
    argv = [*(["sudo", "-n", "--"] if sudo else []), *script, nonce, state, verb, *arguments]
    line = shlex.join(argv)
    if len(line.encode(errors="surrogateescape")) > _MOST_BYTES:
        message = "A command is longer than a machine takes: hand its data over on stdin."
        raise Permanent(message)
    return Command(line, nonce.encode())


def place(state: str) -> str:
    """Where the scripts that change something are looked for."""
    return f"{state}/wrapper/{installation().name}.sh"


@cache
def installation() -> Installation:
    """The scripts that change something."""
    act, work = _script(*_ACT).encode(), _text("work.sh").encode()
    return Installation(hashlib.sha256(act + work).hexdigest()[:12], act, work)


def _script(*parts: str) -> str:
    return "".join(_text(part) for part in parts) + 'verb_"$verb" "$@"\n'


@cache
def _text(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
