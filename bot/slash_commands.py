"""The slash commands as Slack's app manifest lists them, made from the declarations."""

from bot.sandbox.workspace.server import SlashCommand
from commands.catalogue import REGISTRY


def slash_commands() -> list[SlashCommand]:
    """One for each group of commands."""
    return [
        SlashCommand(
            f"/{group.word}",
            group.about,
            " | ".join(dict.fromkeys(command.words[1] for command in group.commands)) + " | help",
        )
        for group in REGISTRY.groups.values()
    ]
