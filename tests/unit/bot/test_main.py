"""The command line: what it refuses before anything is reached, and with which exit status."""

from pathlib import Path

import pytest

from bot.main import FAILED, USAGE, main

CONFIG = """
slack: {bot_token: {env: TEST_BOT_TOKEN}, %s}
redis: {url: "redis://127.0.0.1:1"}
signing:
  trusted:
    - {id: front-1, role: front, public_key: 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=}
clusters: {demo: {endpoints: {demo-1: "http://127.0.0.1:1"}}}
"""
APP_TOKEN = "app_token: {env: TEST_APP_TOKEN}"  # noqa: S105 - a reference
SIGNING_SECRET = "signing_secret: {env: TEST_SIGNING_SECRET}"  # noqa: S105 - a reference


def serve(tmp_path: Path, slack: str, *args: str) -> int:
    path = tmp_path / "quorumbot.yaml"
    path.write_text(CONFIG % slack, encoding="utf-8")
    return main(["serve", "--config", str(path), *args])


@pytest.mark.parametrize(
    "address", ["abc", "70000", "a\nb", "host:", "host:abc", "", "²", "9" * 5_000]
)
def test_an_address_that_is_none_is_a_usage_error(
    tmp_path: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line that says what to write, and exit status 2."""
    assert serve(tmp_path, SIGNING_SECRET, "--http", address) == USAGE
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"quorumbot: --http {address!r}: ")
    assert line.endswith("write [HOST:]PORT, with a port below 65536.")


def test_a_port_that_is_none_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    """The sandbox's port is refused in the same way."""
    assert main(["sandbox", "--port", "70000"]) == USAGE
    assert capsys.readouterr().err == "quorumbot: --port '70000': write a number below 65536.\n"


@pytest.mark.parametrize(
    ("slack", "args", "missing"),
    [
        (SIGNING_SECRET, (), "slack.app_token: is missing. Socket Mode needs it"),
        (APP_TOKEN, ("--http", "8080"), "slack.signing_secret: is missing. HTTP mode needs it"),
        (APP_TOKEN, (), "slack.app_token: the environment variable TEST_APP_TOKEN is empty"),
        (SIGNING_SECRET, ("--http", "8080"), "TEST_SIGNING_SECRET is empty or not set"),
    ],
)
def test_serving_says_all_that_its_mode_lacks(
    tmp_path: Path,
    slack: str,
    args: tuple[str, ...],
    missing: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The flag alone chooses the mode; every secret that is missing for it is said at the start."""
    assert serve(tmp_path, slack, *args) == FAILED
    token, own = capsys.readouterr().err.splitlines()
    assert "slack.bot_token: the environment variable TEST_BOT_TOKEN is empty" in token
    assert missing in own
