"""The section `backups`: where it leads, and what is said of its faults."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.backups import make_backups, tool_fault
from bot.config import Config, ConfigError, load
from bot.targets.backups.local import LocalBackups
from bot.targets.backups.s3 import S3Backups
from procedures.model.errors import Refused
from procedures.model.ids import ClusterName, Site
from procedures.model.snapshot import Retention
from tests.contract.backups.values import an_origin, stream
from tests.contract.backups.worlds import LocalWorld, S3World

DEFAULT, NORTH = Site("default"), Site("north")
KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
REST = f"""
slack: {{bot_token: {{env: A}}, app_token: {{env: B}}}}
redis: {{url: "rediss://redis.example:6379/0"}}
signing: {{trusted: [{{id: front-1, role: front, public_key: {KEY}}}]}}
sites: [default, north]
clusters:
  prod: {{endpoints: {{one: "http://10.0.0.1:2379"}}}}
  far: {{endpoints: {{one: "http://10.0.0.2:2379"}}, site: north}}
"""
S3 = "{bucket: some-bucket, access_key: {env: S3_KEY}, secret_key: {env: S3_SECRET}}"


def loaded(tmp_path: Path, section: str) -> Config:
    path = tmp_path / "quorumbot.yaml"
    path.write_text(f"{REST}{section}\n", encoding="utf-8")
    return load(path)


def faults(tmp_path: Path, section: str) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, section)
    return "\n".join(caught.value.faults)


def test_a_directory_for_all(tmp_path: Path) -> None:
    """A relative path is relative to the file; retention has defaults."""
    config = loaded(tmp_path, "backups: {directory: snapshots}")
    for site in (DEFAULT, NORTH):
        backups = make_backups(config, site)
        assert isinstance(backups, LocalBackups)
        assert backups._directory == tmp_path / "snapshots"
    for cluster in config.inventory.clusters.values():
        assert config.inventory.retention_of(cluster) == Retention(30, 7)


def test_a_bucket_for_one_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said for a site takes the place of the rest."""
    monkeypatch.setenv("S3_KEY", "k")
    monkeypatch.setenv("S3_SECRET", "s")
    config = loaded(
        tmp_path,
        f"backups: {{directory: /d, retention: {{days: 90}}, sites: {{north: {{s3: {S3}, "
        "retention: {days: 3, distinct_days: 2}}}}",
    )
    assert isinstance(make_backups(config, DEFAULT), LocalBackups)
    backups = make_backups(config, NORTH)
    assert isinstance(backups, S3Backups)
    backups.close()
    kept = {
        name: config.inventory.retention_of(each)
        for name, each in config.inventory.clusters.items()
    }
    assert kept == {"prod": Retention(90, 7), "far": Retention(3, 2)}


async def test_without_a_place(tmp_path: Path) -> None:
    """It is allowed to have none; what needs one is refused, with words."""
    for section in ("", "backups: {sites: {north: {directory: /d}}}"):
        config = loaded(tmp_path, section)
        assert make_backups(config, DEFAULT) is None
        assert await tool_fault(config, DEFAULT, "3.4") is None
        with pytest.raises(Refused, match=r"site default has no place for snapshots.*`backups`"):
            config.inventory.retention_of(config.inventory.clusters[ClusterName("prod")])
    assert make_backups(config, NORTH) is not None


def test_all_faults_at_once(tmp_path: Path) -> None:
    """Each with its path, and with what would be right."""
    said = faults(
        tmp_path,
        """
backups:
  directory: /d
  retention: {days: 0, distinct_days: many}
  tools: {3.4: /t, latest: /t}
  colour: blue
  sites:
    North!: {directory: /d}
    north:
      s3:
        bucket: No/Bucket
        endpoint: ftp://store
        prefix: ../x
        access_key: AKIA
        secret_key: {env: A, file: b}
""",
    )
    for part in (
        "backups.retention.days: Input should be greater than or equal to 1",
        "backups.retention.distinct_days: Input should be a valid integer",
        'backups.tools.3.4.[key]: write it in quotes, e.g. "3.4"',
        "backups.tools.latest.[key]: 'latest' does not have the form",
        "backups.colour: is not known here",
        "backups.sites.North!.[key]: 'North!' does not have the form",
        "backups.sites.north.s3.bucket: 'No/Bucket' does not have the form",
        "backups.sites.north.s3.endpoint: write it as https://HOST:PORT",
        "backups.sites.north.s3.prefix: '../x' does not have the form",
        "backups.sites.north.s3.access_key: must be a mapping",
        "backups.sites.north.s3.secret_key: say either `env: NAME` or `file: PATH`",
    ):
        assert part in said, said


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("backups: {}", "backups: say either `directory: PATH` or `s3:"),
        (f"backups: {{directory: /d, s3: {S3}}}", "backups: say either `directory: PATH` or"),
        ("backups: {sites: {north: {}}}", "backups.sites.north: say either `directory: PATH`"),
        ("backups: /d", "backups: must be a mapping"),
        ("backups: {sites: {south: {directory: /d}}}", "backups.sites.south: is not among `sites`"),
    ],
)
def test_what_does_not_fit_together(tmp_path: Path, section: str, said: str) -> None:
    """One place and no other, for a site that there is."""
    assert said in faults(tmp_path, section)


def test_secrets_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them are named, when they are needed."""
    monkeypatch.delenv("S3_KEY", raising=False)
    section = (
        "backups: {sites: {north: {s3: {bucket: some-bucket, ca: none.crt, "
        "access_key: {env: S3_KEY}, secret_key: {file: none}}}}}"
    )
    with pytest.raises(ConfigError) as caught:
        make_backups(loaded(tmp_path, section), NORTH)
    assert [fault.partition(":")[0] for fault in caught.value.faults] == [
        "backups.sites.north.s3.access_key",
        "backups.sites.north.s3.secret_key",
        "backups.sites.north.s3.ca",
    ]


async def test_the_tools_are_those_that_are_named(
    tmp_path: Path, binary: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`tool_fault` looks where a save will look."""
    monkeypatch.setenv("PATH", "/nowhere")
    none = loaded(tmp_path, "backups: {directory: d}")
    assert "there is none on the PATH" in str(await tool_fault(none, DEFAULT, "3.4"))
    tools = f'{{"3.4": {binary("etcdctl")}, "3.5": etcd-3.5}}'
    named = loaded(tmp_path, f"backups: {{directory: d, tools: {tools}}}")
    assert await tool_fault(named, DEFAULT, "3.4") is None
    assert f"there is none at {tmp_path}/etcd-3.5" in str(await tool_fault(named, DEFAULT, "3.5"))


async def test_what_is_configured_works(
    local: LocalWorld,
    s3: S3World,
    binary: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A directory and a bucket, from the words of the configuration to a verified snapshot."""
    monkeypatch.setenv("S3_KEY", "test-key")
    (tmp_path / "secret").write_text("test-secret")
    (tmp_path / "secret").chmod(0o600)
    config = loaded(
        tmp_path,
        f"""
backups:
  directory: {local.directory}
  tools: &tools {{"3.4": {binary("etcdctl")}}}
  sites:
    north:
      tools: *tools
      s3:
        bucket: {s3.bucket}
        endpoint: {s3.server.url}
        region: eu-north-1
        access_key: {{env: S3_KEY}}
        secret_key: {{file: secret}}
        spool: {tmp_path}
""",
    )
    for name, site in (("prod", DEFAULT), ("far", NORTH)):
        backups = make_backups(config, site)
        assert backups is not None
        cluster = config.inventory.clusters[ClusterName(name)]
        taken = local.samples.three
        snapshot = await backups.save(cluster, an_origin(taken.revision), stream(taken.data))
        assert await backups.verify(snapshot) is None
        assert await backups.rotate(cluster, config.inventory.retention_of(cluster)) == ()
        if isinstance(backups, S3Backups):
            backups.close()
