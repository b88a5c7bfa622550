"""What people paste into Slack is what the bot declares."""

from pathlib import Path

from ruamel.yaml import YAML

from bot.checking import SCOPES
from bot.slash_commands import slash_commands

MANIFEST = YAML(typ="safe", pure=True).load(
    Path(__file__).parents[3] / "deploy" / "slack-app-manifest.yaml"
)


def test_the_manifest_lists_the_declared_commands() -> None:
    """Name, description and usage hint; with escaping, which the grammar relies on."""
    listed = MANIFEST["features"]["slash_commands"]
    assert [(c["command"], c["description"], c["usage_hint"]) for c in listed] == [
        (c.command, c.description, c.usage_hint) for c in slash_commands()
    ]
    assert all(command["should_escape"] for command in listed)


def test_the_manifest_asks_for_the_scopes_in_use() -> None:
    """No scope is asked for that nothing uses, and `check` looks for the same ones."""
    assert set(MANIFEST["oauth_config"]["scopes"]["bot"]) == SCOPES
