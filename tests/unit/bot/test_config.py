"""All faults at once, each with its place; secrets by reference, and never shown."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bot.config import ConfigError, load
from bot.secret import Secret, SecretRef
from procedures.model.inventory import Ansible, Host, Jump, SshAccess

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

HOSTS = """
    hosts: {etcd-1: {address: 10.0.0.1}, etcd-2: {address: 10.0.0.2, port: 2222, user: root}}
    ssh: {user: ops, key: ssh-key, known_hosts: /etc/known_hosts,
          jump: {address: bastion}, sudo: true}
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


def test_machines_are_reached_as_it_says(tmp_path: Path) -> None:
    """Files are relative to the configuration; a machine may differ from the others."""
    path = tmp_path / "quorumbot.yaml"
    path.write_text(GOOD + HOSTS, encoding="utf-8")
    (cluster,) = load(path).inventory.clusters.values()
    assert cluster.hosts == (
        Host("etcd-1", "10.0.0.1"),
        Host("etcd-2", "10.0.0.2", port=2222, user="root"),
    )
    assert cluster.ssh == SshAccess(
        user="ops",
        key=str(tmp_path / "ssh-key"),
        known_hosts="/etc/known_hosts",
        jump=Jump("bastion", 22, None),
        sudo=True,
    )


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
        ("  app_token: {file: secrets/app}\n", "", "slack: say `app_token` for Socket Mode"),
        ("slack:", "slack:\n  mode: http", "slack.mode: is not known here"),
        ("redis.example:6379", "redis.example:99999", "write it as redis://HOST:PORT"),
        (":6379/0", ":6379/0?db=1", "redis.url: leave out what begins with ? or #"),
        (":6379/0", ":6379/0#1", "redis.url: leave out what begins with ? or #"),
        (":6379/0", ":6379/prod", "redis.url: the path '/prod' does not belong there"),
        (
            "rediss://redis.example:6379/0",
            "unix://run/redis",
            "redis.url: write it as unix:///PATH",
        ),
        ("rediss://redis.example:6379/0", "unix:///r?db=1", "redis.url: write it as unix:///PATH"),
        (":6379/0", ":6379/0/1", "redis.url: the path '/0/1' does not belong there"),
        ("10.0.0.1:2379", "10.0.0.1:2379/v3", "endpoints.etcd-1: the path '/v3' does not belong"),
        ("10.0.0.1:2379", "10.0.0.1:2379/", "endpoints.etcd-1: the path '/' does not belong"),
        ("10.0.0.1:2379", "10.0.0.1:2379?a=b", "endpoints.etcd-1: leave out what begins with ?"),
        ("10.0.0.1:2379", "10.0.0.1:2379#a", "endpoints.etcd-1: leave out what begins with ?"),
        ("10.0.0.1:2379", "root@10.0.0.1:2379", "endpoints.etcd-1: leave user and password out"),
        ("10.0.0.1:2379", "@10.0.0.1:2379", "endpoints.etcd-1: leave user and password out"),
        ("10.0.0.1:2379", "10.0.0.1 :2379", "endpoints.etcd-1: write it as https://HOST:PORT"),
        (
            f"{KEY}}}",
            f"{KEY}}}, {{id: worker-1, role: worker, public_key: {KEY}}}",
            "signing.trusted: front-1 and worker-1 have the same public key: give each a key",
        ),
        ("channels: [C0OPS]\nsites", "channels: [C0OPS]\nchannels: []\nsites", "line"),
        ("slack:", "slack: [", "line"),
    ],
)
def test_each_fault_has_its_words(tmp_path: Path, old: str, new: str, fault: str) -> None:
    """A fault between two places of the file, or in its YAML, is said as clearly."""
    assert old in GOOD
    assert any(fault in each for each in faults(tmp_path, GOOD.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("known_hosts: /etc/known_hosts,", "", "ssh: say either `known_hosts: FILE`"),
        ("known_hosts: /etc/known_hosts", "known_hosts: null", "ssh: say either `known_hosts: FI"),
        ("sudo: true", "host_ca: ca.pub", "ssh: say either `known_hosts: FILE` or `host_ca: FILE`"),
        ("key: ssh-key", "agent: false", "ssh: say `key: FILE`, or `agent: true`"),
        ("key: ssh-key", "agent: true, certificate: c", "ssh: `certificate` needs its `key`"),
        ("port: 2222", "port: 0", "hosts.etcd-2.port: Input should be greater than or equal to 1"),
        ("user: ops", "user: -oProxyCommand=x", "ssh.user: '-oProxyCommand=x' does not have"),
        ("{address: bastion}", "{address: -x}", "ssh.jump.address: '-x' does not have the form"),
        ("sudo: true", "check: no", "ssh.check: is not known here"),
        ("10.0.0.2, port: 2222", "10.0.0.1, port: 22", "etcd-1 and etcd-2 have the same address"),
        ("etcd-2: {address", "etcd-4: {address", "hosts: etcd-2 has an endpoint and no host"),
        ("port: 2222", "etcd: false", "hosts.etcd-2: it has an endpoint, so `etcd` is not false"),
        (
            "    ssh:",
            "    ansible: {host: m}\n    ssh:",
            "prod.ansible.host: m is not among `hosts`",
        ),
        (
            "    ssh:",
            "    ansible: {host: etcd-1, inventory: /etc/../x}\n    ssh:",
            "ansible.inventory",
        ),
        ("    ssh:", "    masters: [m]\n    ssh:", "masters: m is not among `hosts`"),
    ],
)
def test_each_fault_of_machines_has_its_words(
    tmp_path: Path, old: str, new: str, fault: str
) -> None:
    """Nobody is left with a way in that is open to others, or that leads nowhere."""
    assert old in HOSTS
    assert any(fault in each for each in faults(tmp_path, GOOD + HOSTS.replace(old, new, 1)))


def test_masters_are_of_openshift_3(tmp_path: Path) -> None:
    """Elsewhere nobody would know what to restart."""
    text = GOOD.replace("platform: okd3", "platform: kubespray") + HOSTS
    assert text != GOOD + HOSTS
    found = faults(tmp_path, text.replace("    ssh:", "    masters: [etcd-1]\n    ssh:"))
    assert any("masters: only okd3 and ocp311 have them" in each for each in found)


def test_ansible_is_of_openshift_3(tmp_path: Path) -> None:
    """It is on one host; where its files are, is where they are by default."""
    text = (GOOD + HOSTS).replace("    ssh:", "    ansible: {host: etcd-1}\n    ssh:")
    path = tmp_path / "good.yaml"
    path.write_text(text)
    (cluster,) = load(path).inventory.clusters.values()
    assert cluster.ansible == Ansible(
        "etcd-1", "/etc/ansible/hosts", "/usr/share/ansible/openshift-ansible"
    )
    found = faults(tmp_path, text.replace("okd3", "kubespray"))
    assert any("ansible: only okd3 and ocp311 are installed with it" in each for each in found)


@pytest.mark.parametrize(
    "url",
    ["redis://h", "redis://h:1/", "redis://h:1/15", "rediss://h:1", "unix:///run/redis/redis.sock"],
)
def test_a_redis_address_may_name_a_database_or_be_a_socket(tmp_path: Path, url: str) -> None:
    """A database by its number, or not at all; a socket by its absolute path."""
    path = tmp_path / "quorumbot.yaml"
    path.write_text(GOOD.replace("rediss://redis.example:6379/0", url), encoding="utf-8")
    assert load(path).file.redis.url == url


@pytest.mark.parametrize(
    "value",
    ["2020-99-99", "2020-01-01T99:00:00Z", "9" * 5_000, "!!int abc", "!!int ''", "!!bool x"],
)
def test_a_value_that_is_none_is_a_fault_like_others(tmp_path: Path, value: str) -> None:
    """What YAML takes for a date or a number, and cannot make, is said beside all other faults."""
    text = GOOD.replace("platform: okd3", f"platform: okd4\n    deadline_ms: {value}", 1)
    first, second = faults(tmp_path, text)
    assert first.startswith("clusters.prod.platform: Input should be 'etcd'")
    assert second.startswith("clusters.prod.deadline_ms: ")
    assert "looks like a date or a number and is none" in second
    assert len(second) < 200


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("2020-99-99: 1", "looks like a date or a number and is none"),
        ("2020-99-99", "the file: must be a mapping"),
        ('a: "\\UFFFFFFFF"', "is not YAML"),
        ("[" * 5_000, "is nested too deeply"),
    ],
)
def test_whatever_is_wrong_with_the_yaml_is_a_fault(tmp_path: Path, text: str, fault: str) -> None:
    """No text leads to a stack trace."""
    assert any(fault in each for each in faults(tmp_path, text))


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
    """An empty value and a missing file are refused, in words."""
    monkeypatch.setenv("QUORUMBOT_TEST_SECRET", "from-env\n")
    assert SecretRef(env="QUORUMBOT_TEST_SECRET").read(tmp_path).reveal() == "from-env"
    with pytest.raises(ValueError, match="is empty or not set"):
        SecretRef(env="QUORUMBOT_TEST_NOTHING").read(tmp_path)
    file = tmp_path / "secret"
    file.write_text("from-file\n")
    file.chmod(0o600)
    assert SecretRef(file=Path("secret")).read(tmp_path).reveal() == "from-file"
    with pytest.raises(ValueError, match="No such file"):
        SecretRef(file=Path("nothing")).read(tmp_path)


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o600, 0o640])
def test_the_group_may_read_a_secret(tmp_path: Path, mode: int) -> None:
    """Kubernetes mounts secrets so that a group can read them."""
    file = tmp_path / "secret"
    file.write_text("value")
    file.chmod(mode)
    assert SecretRef(file=file).read(tmp_path).reveal() == "value"


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602, 0o620, 0o660, 0o666])
def test_a_secret_that_is_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    """Neither may others read or write it, nor its group write it; it is said how to mend it."""
    file = tmp_path / "secret"
    file.write_text("value")
    file.chmod(mode)
    with pytest.raises(ValueError, match="chmod 600 it, or 640"):
        SecretRef(file=file).read(tmp_path)


def test_the_good_text_is_yaml() -> None:
    """The other tests change a file that was good to begin with."""
    assert YAML(typ="safe", pure=True).load(GOOD)["clusters"]["prod"]["site"] == "north"
