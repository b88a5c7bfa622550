"""etcd's own tools, which have the last word on whether a snapshot can be read.

Their word is needed and no proof: they read a damaged snapshot without complaint. The proof is in
`trailer`.
"""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from bot.targets.backups.running import first_line, run
from procedures.model.errors import Permanent, Retryable

_VERSION_S = 10.0
_STATUS_S = 60.0
_SLOWEST_BYTES_A_S = 10 * 1024**2
_FIRST_WITH_ETCDUTL, _FIRST_WITHOUT_ETCDCTL = (3, 5), (3, 6)
_MINOR = re.compile(r"(\d{1,3})\.(\d{1,3})(?:[.+-][0-9A-Za-z.+-]*)?")
_SERVER = re.compile(r"^etcd Version: (\d+\.\d+)", re.MULTILINE)
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

    async def server(self, minor: str) -> str:
        """Find etcd itself of this very minor: beside the tool, else on the PATH.

        Raises Permanent, with what was seen instead.
        """
        place = self._places.get(minor)
        beside = _folder(place)
        seen = []
        for path in dict.fromkeys(filter(None, (_etcd(beside), _etcd(None)))):
            code, output, _ = await run([path, "--version"], _VERSION_S)
            said = _SERVER.search(output.decode(errors="replace")) if code == 0 else None
            if said is not None and said[1] == minor:
                return path
            seen.append(f"{path} is etcd {said[1]}" if said else f"{path} does not say what it is")
        why = "; ".join(seen) or f"there is none {f'in {beside} or ' if beside else ''}on the PATH"
        message = (
            f"A snapshot of etcd {minor} is tried with etcd {minor} on this machine: {why}. "
            f'Install it beside its tool, which `backups.tools: {{"{minor}": PATH}}` names.'
        )
        raise Permanent(message)

    async def read(self, tool: Tool, path: str, size: int) -> Reading:
        """Let the tool read a snapshot of `size` bytes.

        Raises Permanent when it cannot, Retryable when it did not come to its end.
        """
        limit_s = _STATUS_S + size / _SLOWEST_BYTES_A_S
        code, output, errors = await run(
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
            message = f"{tool.name} {tool.minor} cannot read the snapshot: {first_line(errors)}."
            raise Permanent(message)
        try:
            status = _Status.model_validate_json(output)
        except ValidationError as error:
            message = (
                f"{tool.name} {tool.minor} gave no status of the snapshot: {first_line(output)}."
            )
            raise Permanent(message) from error
        return Reading(f"{status.hash:x}", status.revision, status.total_keys, status.total_size)

    def _candidates(self, minor: str, names: tuple[str, ...]) -> list[str]:
        place = self._places.get(minor)
        if place is None or Path(place).is_dir():
            found = [shutil.which(name, path=place) for name in names]
        else:
            found = [shutil.which(place)]
        return [path for path in found if path]


def _folder(place: str | None) -> str | None:
    if place is None:
        return None
    return place if Path(place).is_dir() else str(Path(place).parent)


def _etcd(folder: str | None) -> str | None:
    return shutil.which("etcd", path=folder)


def _names(minor: str) -> tuple[str, ...]:
    major, _, after = minor.partition(".")
    number = int(major), int(after)
    names = [
        *(["etcdutl"] if number >= _FIRST_WITH_ETCDUTL else []),
        *(["etcdctl"] if number < _FIRST_WITHOUT_ETCDCTL else []),
    ]
    return tuple(names)


async def _said(path: str) -> Tool | None:
    code, output, _ = await run([path, "version"], _VERSION_S)
    match = _SAID.search(output.decode(errors="replace")) if code == 0 else None
    return Tool(path, match[1], match[2]) if match else None
