"""A plan: finite, frozen data that people read and approve, and that is carried out as it stands.

A plan holds text, whole numbers, truth values, lists, maps and two kinds of references; nothing
that changes from one look to the next (times, revisions, sizes) and no secret. So planning twice
gives the same digest for as long as nothing relevant has changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from typing import ClassVar, Protocol, cast

from pydantic import JsonValue

from procedures.model.canonical import Json, canonical, digest
from procedures.model.ids import ClusterName

_STEP, _SECRET = "$step", "$secret"


class Risk(StrEnum):
    """What a procedure may cost, the least first."""

    READ_ONLY = "read-only"
    REVERSIBLE = "reversible"
    DISRUPTIVE = "disruptive"
    DESTRUCTIVE = "destructive"


@dataclass(frozen=True, slots=True)
class Ref:
    """The result of an earlier step, which has not run yet. `what` is for people."""

    step: int
    what: str

    def __str__(self) -> str:
        """As the text of a plan shows it."""
        return f"<{self.what} from step {self.step}>"


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A secret by its name in the configuration; its value is read when the step runs."""

    name: str

    def __str__(self) -> str:
        """As the text of a plan shows it."""
        return f"<secret {self.name}>"


class Action(Protocol):
    """One kind of step, as a frozen dataclass: what it takes, and how people would type it."""

    KIND: ClassVar[str]
    """Name and version, e.g. `etcd.remove-member/1`: a stored plan outlives a deployment."""

    @property
    def command(self) -> str:
        """The exact command or API call."""
        ...

    @property
    def waits(self) -> str | None:
        """What it waits for and how long at most; None when it does not wait."""
        ...


@dataclass(frozen=True, slots=True)
class Retries:
    """How often an action is tried in all, while nothing happened for a passing reason, and how
    long is waited before it is tried again.
    """

    times: int
    wait_ms: int


@dataclass(frozen=True, slots=True)
class Undo:
    """What takes a step back: an ordinary request as people type it, or advice where none does.

    Where only the step itself shows what to take back, words and arguments refer to its result.
    """

    words: str
    command: str | None = None
    args: Mapping[str, str | int | bool | Ref | None] = field(default_factory=dict)

    def filled(self, results: Mapping[int, JsonValue]) -> "Undo":
        """Put the results of steps, which must be text, where references to them stand."""
        words, args = self.words, dict(self.args)
        for name, value in self.args.items():
            if isinstance(value, Ref):
                result = str(results[value.step])
                words, args[name] = words.replace(str(value), result), result
        return Undo(words, self.command, args)

    @property
    def typed(self) -> dict[str, str | int | bool | None]:
        """The arguments that refer to no step, as a request carries them."""
        return {name: value for name, value in self.args.items() if not isinstance(value, Ref)}


@dataclass(frozen=True, slots=True)
class Step:
    """One step, numbered from 1. `action` is its kind, `args` what it takes."""

    number: int
    title: str
    action: str
    args: Mapping[str, JsonValue]
    command: str
    waits: str | None = None
    undo: Undo | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a run will do, and what people are told about it before they decide.

    `facts` are lines such as the quorum before and after; `lock` names what no other run may
    change meanwhile.
    """

    procedure: str
    args: Mapping[str, str | int | bool | None]
    cluster: ClusterName
    title: str
    risk: Risk
    lock: str
    facts: tuple[str, ...]
    steps: tuple[Step, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over all of it, in hexadecimal: what people approve. Raises TypeError."""
        return digest(canonical(cast("Json", _json(self))))


def plain(action: Action) -> dict[str, JsonValue]:
    """Take an action apart. Raises TypeError for a value that a plan must not hold."""
    return {each.name: _json(getattr(action, each.name)) for each in fields(action)}  # type: ignore[arg-type]  # every action is a dataclass


def resolved(
    args: Mapping[str, JsonValue], results: Mapping[int, JsonValue]
) -> dict[str, JsonValue]:
    """Put the results of earlier steps where references to them stand.

    Raises LookupError for a step without a result.
    """
    return {name: _resolve(value, results) for name, value in args.items()}


def _resolve(value: JsonValue, results: Mapping[int, JsonValue]) -> JsonValue:
    if isinstance(value, Mapping):
        if _STEP in value:
            return results[int(str(value[_STEP]))]
        return {name: _resolve(item, results) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_resolve(item, results) for item in value]
    return value


def _json(value: object) -> JsonValue:
    """Write a value as JSON's own types; what a plan must not hold raises TypeError."""
    match value:
        case Ref(step=step, what=what):
            return {_STEP: step, "what": what}
        case SecretRef(name=name):
            return {_SECRET: name}
        case None | bool() | int() | str():
            written: JsonValue = value
        case Mapping():
            written = {_key(key): _json(item) for key, item in value.items()}
        case list() | tuple():
            written = [_json(item) for item in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            written = {each.name: _json(getattr(value, each.name)) for each in fields(value)}
        case _:
            message = f"a plan holds no {type(value).__name__}"
            raise TypeError(message)
    return written


def _key(key: object) -> str:
    if isinstance(key, str):
        return key
    message = f"a plan's keys are text, not {type(key).__name__}"
    raise TypeError(message)
