"""All faults at once, each with its place; secrets by reference, and never shown."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bot.config import ConfigError, load
from bot.secret import Secret, SecretRef

KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

GOOD = f"""
slack:
  bot_token: {{env: SLACK_BOT_TOKEN}}
  app_token: {{file: secrets/app}}
redis: {{url: "rediss://redis.example:6379/0", password: {{file: secrets/redis}}}}
signing:
  trusted: [{{id: front-1, role: front, public_key: {KEY}}}]
channels: [C0OPS]
sites: [default, north]
clusters:
  prod:
    platform: okd3
    site: north
    endpoints: {{etcd-1: "https://10.0.0.1:2379", etcd-2: "https://10.0.0.2:2379"}}
    tls: {{ca: ca.crt, cert: client.crt, key: /etc/keys/client.key}}
    channels: [C0OPS]
"""


def faults(tmp_path: Path, text: str) -> tuple[str, ...]:
    path = tmp_path / "quorumbot.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path)
    return caught.value.faults


def test_a_good_file_becomes_an_inventory(tmp_path: Path) -> None:
    """Names become types, and relative paths are relative to the file."""
    path = tmp_path / "quorumbot.yaml"
    path.write_text(GOOD, encoding="utf-8")
    config = load(path)
    (cluster,) = config.inventory.clusters.values()
    assert (cluster.name, cluster.platform, cluster.site) == ("prod", "okd3", "north")
    assert cluster.tls is not None
    assert cluster.tls.ca == str(tmp_path / "ca.crt")
    assert cluster.tls.key == "/etc/keys/client.key"


def test_the_example_is_valid() -> None:
    """What people copy from works."""
    load(Path(__file__).parents[3] / "deploy" / "quorumbot.example.yaml")


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    """One run tells everything that is wrong, each with its path and what would be right."""
    text = """
slack: {bot_token: xoxb-inline, app_token: {env: A, file: b}, api_url: "http://slack.example/api"}
redis: {url: "redis://:secret@localhost"}
signing: {trusted: [{id: front-1, role: boss, public_key: short}]}
listen: {front: "9464"}
channels: ["#ops"]
clusters:
  Prod!: {endpoints: {}}
  prod: {endpoints: {a: "ftp://x:1"}, deadline_ms: 1, colour: blue}
"""
    said = "\n".join(faults(tmp_path, text))
    for part in (
        "slack.bot_token: must be a mapping",
        "slack.app_token: say either `env: NAME` or `file: PATH`",
        "redis.url: leave user and password out",
        "signing.trusted.0.role: Input should be 'front' or 'worker'",
        "signing.trusted.0.public_key: write the 32 bytes",
        "listen.front: write it as HOST:PORT",
        "channels.0: '#ops' does not have the form",
        "clusters.Prod!",
        "clusters.prod.endpoints.a: write it as https://HOST:PORT",
        "clusters.prod.deadline_ms: Input should be greater than or equal to 100",
        "clusters.prod.colour: is not known here",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("site: north", "site: south", "clusters.prod.site: 'south' is not among `sites`"),
        ("    channels: [C0OPS]", "    channels: [C0X]", "C0X is not among `channels`"),
        ("10.0.0.2", "10.0.0.1", "two members have the same address"),
        ("    tls:", "    tsl:", "clusters.prod.tsl: is not known here"),
        ('"https://10.0.0.2', '"http://10.0.0.2', "mix https and http"),
        ("  app_token: {file: secrets/app}\n", "", "mode socket needs `app_token`"),
        ("redis.example:6379", "redis.example:99999", "write it as redis://HOST:PORT"),
        ("channels: [C0OPS]\nsites", "channels: [C0OPS]\nchannels: []\nsites", "line"),
        ("slack:", "slack: [", "line"),
    ],
)
def test_each_fault_has_its_words(tmp_path: Path, old: str, new: str, fault: str) -> None:
    """A fault between two places of the file, or in its YAML, is said as clearly."""
    assert old in GOOD
    assert any(fault in each for each in faults(tmp_path, GOOD.replace(old, new, 1)))


def test_a_missing_or_unreadable_file_is_said(tmp_path: Path) -> None:
    """No stack trace for a wrong path, a binary file, or an empty one."""
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "nothing.yaml")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(tmp_path / "binary")
    assert faults(tmp_path, "") == ("the file: must be a mapping of names to values",)


def test_the_sandbox_address_must_be_this_machine(tmp_path: Path) -> None:
    """Tokens for a sandbox never leave the machine."""
    text = GOOD.replace("  bot_token", '  api_url: "https://evil.example/api/"\n  bot_token', 1)
    assert any("may only point to this machine" in each for each in faults(tmp_path, text))


def test_a_secret_shows_itself_only_when_asked() -> None:
    """Neither repr, str nor formatting gives it away."""
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "hunter2"


def test_secrets_come_from_the_environment_or_a_private_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that others can read is refused, and so is an empty value."""
    monkeypatch.setenv("QUORUMBOT_TEST_SECRET", "from-env\n")
    assert SecretRef(env="QUORUMBOT_TEST_SECRET").read(tmp_path).reveal() == "from-env"
    with pytest.raises(ValueError, match="is empty or not set"):
        SecretRef(env="QUORUMBOT_TEST_NOTHING").read(tmp_path)
    file = tmp_path / "secret"
    file.write_text("from-file\n")
    file.chmod(0o644)
    reference = SecretRef(file=Path("secret"))
    with pytest.raises(ValueError, match="chmod 600"):
        reference.read(tmp_path)
    file.chmod(0o600)
    assert reference.read(tmp_path).reveal() == "from-file"
    with pytest.raises(ValueError, match="No such file"):
        SecretRef(file=Path("nothing")).read(tmp_path)


def test_the_good_text_is_yaml() -> None:
    """The other tests change a file that was good to begin with."""
    assert YAML(typ="safe", pure=True).load(GOOD)["clusters"]["prod"]["site"] == "north"
