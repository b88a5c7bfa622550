"""etcd's own tools, which have the last word on whether a snapshot can be read.

Their word is needed and no proof: they read a damaged snapshot without complaint. The proof is in
`trailer`.
"""

import asyncio
import os
import re
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from procedures.model.errors import Permanent, Retryable

_VERSION_S = 10.0
_STATUS_S = 60.0
_SLOWEST_BYTES_A_S = 10 * 1024**2
_FIRST_WITH_ETCDUTL, _FIRST_WITHOUT_ETCDCTL = (3, 5), (3, 6)
_MINOR = re.compile(r"(\d{1,3})\.(\d{1,3})(?:[.+-][0-9A-Za-z.+-]*)?")
_SAID = re.compile(r"^(etcd[cu]tl) version: (\d+\.\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Reading:
    """What `snapshot status` read; `hash` in hexadecimal, as it shows it to people."""

    hash: str
    revision: int
    total_keys: int
    total_size: int


class _Status(BaseModel):
    hash: int = Field(ge=0)
    revision: int = Field(ge=0)
    total_keys: int = Field(ge=0, alias="totalKey")
    total_size: int = Field(ge=0, alias="totalSize")


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that was found, and what it says it is."""

    path: str
    name: str
    minor: str


def minor_of(version: str) -> str:
    """`3.4` of `3.4.23`. Raises Permanent for what is no version."""
    match = _MINOR.fullmatch(version)
    if match is None:
        message = f"{version!r} is no version of etcd, so no tool can be chosen for its snapshots."
        raise Permanent(message)
    return f"{int(match[1])}.{int(match[2])}"


class Tools:
    """Finds the tool for a minor of the server, and lets it read snapshots.

    `places` names, for a minor, the program or the directory that it is in; what is not named is
    looked for on the PATH. From 3.5 it is etcdutl, before 3.6 etcdctl; for 3.5 either.
    """

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = places

    async def find(self, minor: str) -> Tool:
        """Find the tool of this very minor. Raises Permanent, with what was seen instead."""
        names = _names(minor)
        seen = []
        for path in self._candidates(minor, names):
            tool = await _said(path)
            if tool is not None and tool.minor == minor and tool.name in names:
                return tool
            said = f"is {tool.name} {tool.minor}" if tool else "does not say what it is"
            seen.append(f"{path} {said}")
        wanted = " or ".join(names)
        if not seen:
            place = self._places.get(minor)
            seen.append(f"there is none {f'at {place}' if place else 'on the PATH'}")
        message = (
            f"Snapshots of etcd {minor} have to be read by {wanted} {minor}: {'; '.join(seen)}. "
            f'Install it, and say where it is with `backups.tools: {{"{minor}": PATH}}`.'
        )
        raise Permanent(message)

    async def fault(self, minor: str) -> str | None:
        """Say why snapshots of this minor cannot be checked; None: they can."""
        try:
            await self.find(minor)
        except Permanent as error:
            return str(error)
        return None

    async def read(self, tool: Tool, path: str, size: int) -> Reading:
        """Let the tool read a snapshot of `size` bytes.

        Raises Permanent when it cannot, Retryable when it did not come to its end.
        """
        limit_s = _STATUS_S + size / _SLOWEST_BYTES_A_S
        code, output, errors = await _run(
            [tool.path, "snapshot", "status", path, "--write-out=json"], limit_s
        )
        if code is None:
            message = (
                f"{tool.name} did not read the snapshot within {limit_s:.0f} s: take it again."
            )
            raise Retryable(message)
        if code < 0:
            message = (
                f"{tool.name} was ended by signal {-code} while it read the snapshot: try again."
            )
            raise Retryable(message)
        if code:
            message = f"{tool.name} {tool.minor} cannot read the snapshot: {_line(errors)}."
            raise Permanent(message)
        try:
            status = _Status.model_validate_json(output)
        except ValidationError as error:
            message = f"{tool.name} {tool.minor} gave no status of the snapshot: {_line(output)}."
            raise Permanent(message) from error
        return Reading(f"{status.hash:x}", status.revision, status.total_keys, status.total_size)

    def _candidates(self, minor: str, names: tuple[str, ...]) -> list[str]:
        place = self._places.get(minor)
        if place is None or Path(place).is_dir():
            found = [shutil.which(name, path=place) for name in names]
        else:
            found = [shutil.which(place)]
        return [path for path in found if path]


def _names(minor: str) -> tuple[str, ...]:
    major, _, after = minor.partition(".")
    number = int(major), int(after)
    names = [
        *(["etcdutl"] if number >= _FIRST_WITH_ETCDUTL else []),
        *(["etcdctl"] if number < _FIRST_WITHOUT_ETCDCTL else []),
    ]
    return tuple(names)


async def _said(path: str) -> Tool | None:
    code, output, _ = await _run([path, "version"], _VERSION_S)
    match = _SAID.search(output.decode(errors="replace")) if code == 0 else None
    return Tool(path, match[1], match[2]) if match else None


async def _run(argv: list[str], limit_s: float) -> tuple[int | None, bytes, bytes]:
    """Run a program to its end: exit status (None: not within the limit), output and errors."""
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            # Nothing of ours: ETCDCTL_* would be taken for flags.
            env={"ETCDCTL_API": "3", "PATH": os.environ.get("PATH", os.defpath)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        return 127, b"", (error.strerror or str(error)).encode()
    try:
        async with asyncio.timeout(limit_s):
            output, errors = await process.communicate()
    except TimeoutError:
        return None, b"", b""
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return process.returncode, output, errors


def _line(text: bytes) -> str:
    """The first line that says something, fit to be shown."""
    lines = (line.strip() for line in text.decode(errors="replace").splitlines())
    first = next((line for line in lines if line), "it gave no reason").removeprefix("Error: ")
    return "".join(char for char in first[:200] if char.isprintable()).rstrip(".")
