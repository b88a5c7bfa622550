"""What a worker can read, it does not tell."""

from pathlib import Path

import asyncssh

from bot.config import load
from bot.redacting import redactor

EXAMPLE = Path(__file__).parents[3] / "deploy" / "quorumbot.example.yaml"


def test_ssh_keys_are_secrets(tmp_path: Path) -> None:
    """A key that a program prints is not stored."""
    key = asyncssh.generate_private_key("ssh-ed25519").export_private_key()
    (tmp_path / "ssh-key").write_bytes(key)
    text = EXAMPLE.read_text(encoding="utf-8")
    config = tmp_path / "quorumbot.yaml"
    config.write_text(text.replace("/etc/quorumbot/prod/ssh-key", "ssh-key"), encoding="utf-8")
    said = redactor(load(config)).text(key.decode())
    for line in key.decode().splitlines()[1:-1]:
        assert line not in said
