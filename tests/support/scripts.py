"""The scripts that machines run, run here as a login shell would."""

import shlex
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from bot.targets.ssh.wrapper import command, installation

RUN = "r-00000001"


@dataclass(frozen=True)
class Told:
    """What a script printed, and its answers by words."""

    out: str
    answers: list[list[str]]


@dataclass(frozen=True)
class Machine:
    """A folder for the state, one for files, and one for programs in the place of others."""

    state: Path
    files: Path
    bin: Path

    def tell(self, verb: str, *arguments: str, data: bytes = b"") -> Told:
        """Run a script as a login shell would."""
        spelt = command(verb, *arguments, sudo=False, state=str(self.state))
        ran = subprocess.run(
            shlex.split(spelt.line), input=data, capture_output=True, timeout=60, check=False
        )
        nonce = spelt.nonce.decode()
        lines = ran.stderr.decode().splitlines()
        answers = [line.split(" ")[1:] for line in lines if line.startswith(f"{nonce} ")]
        return Told(ran.stdout.decode().partition(f"{nonce}\n")[2], answers)

    def begun(self, verb: str, *arguments: str) -> "subprocess.Popen[bytes]":
        """Begin a script that waits for input."""
        spelt = command(verb, *arguments, sudo=False, state=str(self.state))
        pipe = subprocess.PIPE
        return subprocess.Popen(shlex.split(spelt.line), stdin=pipe, stderr=subprocess.DEVNULL)

    def install(self) -> Told:
        """Put the scripts in their place, as they are."""
        what = installation()
        sizes = (str(len(what.act)), str(len(what.work)))
        return self.tell("install", what.name, *sizes, data=what.act + what.work)

    def replace(self, old: str, new: str) -> None:
        """Let the installed script look elsewhere."""
        (path,) = self.state.glob("wrapper/[0-9a-f]*[0-9a-f].sh")
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def pretend(self, program: str, script: str) -> None:
        """Put a program in the place of another."""
        path = self.bin / program
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        (act,) = self.state.glob("wrapper/[0-9a-f]*[0-9a-f].sh")
        if f"PATH={self.bin}:" not in act.read_text():
            self.replace("PATH=/usr/local/sbin", f"PATH={self.bin}:/usr/local/sbin")

    def run(self, key: str, *argv: str, limit: str = "60", data: bytes = b"") -> Told:
        return self.tell("run", RUN, key, limit, str(len(data)), "0", *argv, data=data)

    def write(self, path: Path, new: bytes, was: bytes | None) -> Told:
        before = "-" if was is None else sha256(was).hexdigest()
        arguments = (str(path), "600", before, sha256(new).hexdigest(), str(len(new)))
        return self.tell("write", *arguments, str(self.files), data=new)


@dataclass
class Later:
    """What work that runs in the background answers in the end."""

    answers: list[list[str]] = field(default_factory=list)


@contextmanager
def background(machine: Machine, key: str, *argv: str) -> Iterator[Later]:
    """Follow a piece of work in a thread; leaving waits for its end."""
    later = Later()
    thread = threading.Thread(target=lambda: later.answers.extend(machine.run(key, *argv).answers))
    thread.start()
    try:
        yield later
    finally:
        thread.join(30)


def wait_for(path: Path, name: str = "") -> None:
    """Wait until a file is there, or one of such a name in a folder."""
    until = time.monotonic() + 10
    while not (any(path.glob(name)) if name else path.exists()):
        assert time.monotonic() < until, path
        time.sleep(0.01)
