"""Commands as declarations: grammar, help, slash-command hints and modals all come from these."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """What a parameter holds, which decides how it is checked."""

    CLUSTER = "cluster"
    MEMBER = "member"
    RUN = "run"
    TEXT = "text"
    SWITCH = "switch"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument, named as in the typed arguments.

    A flag is given as `--name VALUE`, a switch as `--name`. One that is a word of Python's has an
    underscore at its end there. What is `required` may be left out where `unless` is given.
    """

    name: str
    kind: Kind
    about: str
    required: bool = False
    flag: bool = False
    unless: str = ""

    @property
    def spelt(self) -> str:
        """The name of the flag as people type it, without its hyphens before."""
        return self.name.rstrip("_").replace("_", "-")

    @property
    def shown(self) -> str:
        """How usage lines show it."""
        word = self.name.rstrip("_").upper()
        if self.flag:
            word = f"--{self.spelt}" if self.kind is Kind.SWITCH else f"--{self.spelt} {word}"
        return word if self.required else f"[{word}]"


CLUSTER_FLAG = Parameter(
    "cluster", Kind.CLUSTER, "which cluster; may be left out where there is only one", flag=True
)


REASON_FLAG = Parameter("reason", Kind.TEXT, "why, for those who approve", flag=True)
OUTAGE_SWITCH = Parameter(
    "outage", Kind.SWITCH, "accept that nobody serves meanwhile, with one or two voters", flag=True
)
PLAN_SWITCH = Parameter("plan", Kind.SWITCH, "show the plan and ask nobody", flag=True)


@dataclass(frozen=True, slots=True)
class Command:
    """What people may type. `procedure` names what is run; None where the front answers itself.

    `words` begins with the slash command, e.g. ("etcd", "member", "remove").
    """

    words: tuple[str, ...]
    about: str
    parameters: tuple[Parameter, ...] = ()
    procedure: str | None = None

    @property
    def name(self) -> str:
        """The words, as people type them."""
        return " ".join(self.words)

    @property
    def on_cluster(self) -> bool:
        """Tell whether the command is about one cluster."""
        return any(parameter.kind is Kind.CLUSTER for parameter in self.parameters)

    @property
    def usage(self) -> str:
        """One line that says how to type it."""
        return " ".join(
            (f"/{self.name}", *(p.shown for p in self.parameters if not self._is_twin(p)))
        )

    @property
    def brief(self) -> str:
        """The same without options, for lists."""
        return " ".join((f"/{self.name}", *(p.shown for p in self.parameters if not p.flag)))

    def _is_twin(self, parameter: Parameter) -> bool:
        """Tell whether this flag only repeats a positional parameter of the same name."""
        return parameter.flag and any(
            other.name == parameter.name and not other.flag for other in self.parameters
        )


@dataclass(frozen=True, slots=True)
class Group:
    """A slash command, e.g. `/etcd`, and all that may follow it."""

    word: str
    about: str
    commands: tuple[Command, ...]


class Registry:
    """All commands."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self.groups: Mapping[str, Group] = MappingProxyType({group.word: group for group in groups})

    def below(self, words: Sequence[str]) -> tuple[Command, ...]:
        """The commands that begin with these words."""
        group = self.groups.get(words[0]) if words else None
        candidates = group.commands if group else ()
        return tuple(c for c in candidates if c.words[: len(words)] == tuple(words))
