"""Text to a typed request: pure, and everything that is not understood gets a UsageError.

`/etcd member remove demo-3 --cluster demo --reason "disk died"`: the slash command and the words
after it choose the command; then come its arguments, in order or as flags.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from commands.registry import Command, Kind, Parameter, Registry
from commands.words import Form, Word, words
from procedures.model.errors import UsageError
from procedures.model.ids import ChannelId, RunId, read_run_id
from procedures.model.inventory import Cluster, Inventory

Value: TypeAlias = "str | int | bool | None"


@dataclass(frozen=True, slots=True)
class Ask:
    """A command with its arguments, checked as far as the inventory tells."""

    command: Command
    args: Mapping[str, Value]
    cluster: Cluster | None


@dataclass(frozen=True, slots=True)
class Help:
    """A wish for help on the commands that begin with these words; on all when empty."""

    words: tuple[str, ...]


def parse(
    registry: Registry,
    inventory: Inventory,
    slash: str,
    text: str,
    channel: ChannelId | None,
) -> Ask | Help:
    """Understand a command that was typed in a channel; None is the terminal.

    Raises UsageError, whose text says what was not understood and what would be.
    """
    given = words(text)
    group = slash.lstrip("/").lower()
    if group not in registry.groups:
        raise UsageError(_unknown("command", f"/{group}", [f"/{w}" for w in registry.groups]))
    command, rest = _command(registry, group, given)
    if command is None:
        return Help((group, *(word.text for word in rest)))
    if _ends_in_help(rest):
        return Help(command.words)
    args = _arguments(command, rest)
    return _resolved(command, args, inventory, channel)


def _command(
    registry: Registry, group: str, given: Sequence[Word]
) -> tuple[Command | None, Sequence[Word]]:
    """Find the command that the first words name. None with the words that ask for help."""
    chosen: list[str] = [group]
    for index, word in enumerate(given):
        if _is_help(word):
            return None, [Word(each) for each in chosen[1:]]
        longer = registry.below([*chosen, word.text.lower()])
        if not longer:
            following = sorted({c.words[len(chosen)] for c in registry.below(chosen)})
            said = " ".join(chosen)
            raise UsageError(_unknown(f"/{said} command", word.text, [*following, "help"]))
        chosen.append(word.text.lower())
        for command in longer:
            if command.words == tuple(chosen) and not _goes_on(
                registry, chosen, given[index + 1 :]
            ):
                return command, given[index + 1 :]
    if len(chosen) == 1:
        return None, ()
    following = sorted({c.words[len(chosen)] for c in registry.below(chosen)})
    message = f"/{' '.join(chosen)} needs one more word: {_or(following)}."
    raise UsageError(message)


def _goes_on(registry: Registry, chosen: Sequence[str], rest: Sequence[Word]) -> bool:
    """Tell whether the next word makes a longer command: `backup config` is not `backup`."""
    return bool(rest) and bool(registry.below([*chosen, rest[0].text.lower()]))


def _arguments(command: Command, given: Sequence[Word]) -> dict[str, str | bool]:
    """Assign words to parameters: positional ones in order, flags by name."""
    flags = {p.spelt: p for p in command.parameters if p.flag}
    positional = [p for p in command.parameters if not p.flag]
    args: dict[str, str | bool] = {}
    rest = list(given)
    while rest:
        word = rest.pop(0)
        name = word.flag
        if name is None:
            if not positional:
                message = (
                    f"{word.text!r} is one word too many. Usage: {command.usage}. "
                    "Put several words that belong together in quotes."
                )
                raise UsageError(message)
            _assign(args, positional.pop(0), word)
            continue
        if name not in flags:
            known = [f"--{flag}" for flag in flags]
            raise UsageError(_unknown("flag", f"--{name}", known, f"Usage: {command.usage}."))
        if flags[name].kind is Kind.SWITCH:
            if "=" in word.text:
                message = f"--{name} takes no value. Usage: {command.usage}."
                raise UsageError(message)
            args[flags[name].name] = True
            continue
        if "=" in word.text:
            value = Word(word.text.split("=", 1)[1], Form.QUOTED)
        elif rest and rest[0].flag is None:
            value = rest.pop(0)
        else:
            message = f"--{name} needs a value. Usage: {command.usage}."
            raise UsageError(message)
        _assign(args, flags[name], value)
    for parameter in command.parameters:
        if parameter.required and not {parameter.name, parameter.unless} & args.keys():
            message = f"{parameter.name.upper()} is missing. Usage: {command.usage}."
            raise UsageError(message)
    return args


def _assign(args: dict[str, str | bool], parameter: Parameter, word: Word) -> None:
    if word.form is Form.USER:
        message = f"{parameter.name.upper()} is a name, not a person."
        raise UsageError(message)
    if not word.text:
        message = f"{parameter.name.upper()} is empty."
        raise UsageError(message)
    value = _run_id(word.text) if parameter.kind is Kind.RUN else word.text
    if args.get(parameter.name, value) != value:
        message = (
            f"{parameter.name.upper()} is given twice: {args[parameter.name]!r} and {value!r}."
        )
        raise UsageError(message)
    args[parameter.name] = value


def _run_id(text: str) -> RunId:
    found = read_run_id(text)
    if found is None:
        message = (
            f"{_shown(text)} is no run id. One is r- and eight letters or digits, e.g. r-7K2M9QXD."
        )
        raise UsageError(message)
    return found


def _resolved(
    command: Command,
    args: Mapping[str, str | bool],
    inventory: Inventory,
    channel: ChannelId | None,
) -> Ask:
    """Fill in the cluster where the channel leaves no choice, and check it."""
    if not command.on_cluster:
        return Ask(command, dict(args), None)
    allowed = inventory.in_channel(channel)
    names = [cluster.name for cluster in allowed]
    wanted = args.get("cluster")
    if wanted is None:
        if len(allowed) != 1:
            where = "here" if channel is not None else "in the configuration"
            message = (
                f"Which cluster? Say --cluster and one of {_or(names)}."
                if allowed
                else f"There is no cluster that may be asked about {where}."
            )
            raise UsageError(message)
        chosen = allowed[0]
    else:
        found = [cluster for cluster in allowed if cluster.name == wanted]
        if not found:
            here = wanted in inventory.clusters
            note = f"{wanted} may not be asked about in this channel." if here else ""
            raise UsageError(note or _unknown("cluster", str(wanted), names))
        chosen = found[0]
    return Ask(command, {**args, "cluster": chosen.name}, chosen)


def _is_help(word: Word) -> bool:
    return word.form is Form.PLAIN and word.text.lower() in {"help", "--help", "-h", "?"}


def _ends_in_help(given: Sequence[Word]) -> bool:
    """Tell whether the last word asks for help; it does not where it is the value of a flag."""
    if not given or not _is_help(given[-1]):
        return False
    before = given[-2] if len(given) > 1 else None
    return (
        given[-1].flag is not None
        or before is None
        or before.flag is None
        or "=" in before.text
        or _is_help(before)
    )


def _unknown(what: str, given: str, known: Iterable[str], more: str = "") -> str:
    options = list(known)
    near = difflib.get_close_matches(given.lower(), options, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    choice = f" There is {_or(options)}." if options else ""
    return f"Unknown {what}: {_shown(given)}.{hint}{choice}{' ' if more else ''}{more}"


def _shown(given: str) -> str:
    return given if len(given) <= 60 else f"{given[:60]}…"


def _or(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
