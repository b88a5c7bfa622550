"""Help, at every level, from the declarations; only what the asker may do is shown."""

from collections.abc import Callable, Sequence

from commands.grammar import Help
from commands.registry import Command, Parameter, Registry


def render(registry: Registry, wanted: Help, may: Callable[[Command], bool]) -> str:
    """Write help for the commands that begin with the wanted words, as Slack's mrkdwn."""
    commands = [command for command in registry.below(wanted.words) if may(command)]
    if not commands:
        return "There is nothing here that you may ask for."
    exact = [command for command in commands if command.words == wanted.words]
    if exact:
        return _one(exact[0])
    group = registry.groups[wanted.words[0]]
    lines = [f"*/{' '.join(wanted.words)}*: {group.about}", ""]
    lines += [f"`{command.brief}`  {command.about}" for command in commands]
    others = sorted(word for word in registry.groups if word != group.word)
    lines += ["", f"`/{group.word} COMMAND help` has the options. See also {_commands(others)}."]
    return "\n".join(lines)


def _one(command: Command) -> str:
    lines = [f"`{command.usage}`", f"{command.about[0].upper()}{command.about[1:]}."]
    lines += [_line(parameter) for parameter in command.parameters]
    return "\n".join(lines)


def _line(parameter: Parameter) -> str:
    name = f"--{parameter.spelt}" if parameter.flag else parameter.name.upper()
    return f"• `{name}`  {parameter.about}"


def _commands(words: Sequence[str]) -> str:
    return ", ".join(f"`/{word} help`" for word in words)
