"""The secrets that a process knows, and so never tells."""

from pathlib import Path

import asyncssh
import pytest

from bot.config import load
from bot.redacting import redactor

EXAMPLE = Path(__file__).parents[3] / "deploy" / "quorumbot.example.yaml"
PUBLIC_KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
SECRETS = {
    "REDIS": "the-password-of-redis",
    "BOT": "xoxb-0-the-bot-token",
    "APP": "xapp-0-the-app-token",
    "SIGNING": "the-signing-secret-of-slack",
    "FRONT": "the-key-of-the-front",
    "WORKER": "the-key-of-the-worker",
    "KEY": "the-access-key-of-all",
    "SECRET": "the-secret-key-of-all",
    "NORTH_KEY": "the-access-key-of-north",
    "NORTH_SECRET": "the-secret-key-of-north",
}


def test_each_secret_of_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of Slack, of Redis, of signing, and of each place for snapshots, by their place."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "quorumbot.yaml"
    path.write_text(f"""
slack: {{bot_token: {{env: BOT}}, app_token: {{env: APP}}, signing_secret: {{env: SIGNING}}}}
redis: {{url: "rediss://redis.example:6379/0", password: {{env: REDIS}}}}
signing:
  front: {{env: FRONT}}
  worker: {{env: WORKER}}
  trusted: [{{id: front-1, role: front, public_key: {PUBLIC_KEY}}}]
sites: [default, north]
clusters: {{prod: {{endpoints: {{one: "http://10.0.0.1:2379"}}}}}}
backups:
  s3: {{bucket: some-bucket, access_key: {{env: KEY}}, secret_key: {{env: SECRET}}}}
  sites:
    north:
      s3: {{bucket: other, access_key: {{env: NORTH_KEY}}, secret_key: {{env: NORTH_SECRET}}}}
""")
    known = redactor(load(path))
    for value in SECRETS.values():
        assert value not in known.text(f"it said {value}."), value
    assert "[secret backups.north.secret_key]" in known.text(SECRETS["NORTH_SECRET"])


def test_keys_of_clusters_are_known_by_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Any line of a key file is a secret, whatever the file looks like."""
    text = EXAMPLE.read_text(encoding="utf-8")
    for name in ("ssh-key", "client.key"):
        (tmp_path / name).write_text(f"not-a-pem-but-the-{name}")
        text = text.replace(f"/etc/quorumbot/prod/{name}", name)
    config = tmp_path / "quorumbot.yaml"
    config.write_text(text, encoding="utf-8")
    said = redactor(load(config)).text("not-a-pem-but-the-ssh-key not-a-pem-but-the-client.key")
    assert "not-a-pem" not in said
    assert not caplog.records


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
