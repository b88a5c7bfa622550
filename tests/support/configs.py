"""Configurations of a test's own: made from nothing, or from a sandbox's with changes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from bot.sandbox.configuration import BotPorts, write_configuration
from bot.sandbox.files import StateFiles
from bot.sandbox.ports import free_ports
from bot.sandbox.workspace.credentials import Credentials
from tests.support.redis import RedisServer


def changed(config: Path, to: Path, changes: Mapping[str, object]) -> Path:
    """Write a copy whose secrets stay where they are; `changes` go by dotted path."""
    plain: dict[str, Any] = YAML(typ="safe").load(config)
    _absolute(plain, config.parent)
    for path, value in changes.items():
        *above, last = path.split(".")
        place = plain
        for key in above:
            place = place.setdefault(key, {})
        place[last] = value
    with to.open("w", encoding="utf-8") as file:
        YAML().dump(plain, file)
    return to


def _absolute(node: object, base: Path) -> None:
    """Make each file that is named relative to the configuration absolute."""
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if key in {"file", "ca", "cert", "key"} and isinstance(value, str):
            node[key] = str(base / value)
        else:
            _absolute(value, base)


def from_nothing(
    directory: Path, redis: RedisServer, endpoints: Mapping[str, str], tls: Mapping[str, Path]
) -> Path:
    """Write a configuration with keys of its own and one quickly sampled cluster `demo`.

    There is no Slack behind it.
    """
    for name in ("secrets", "demo"):
        (directory / name).mkdir(parents=True)
    files = StateFiles(directory)
    files.write_secret("redis-password", redis.password)
    write_configuration(
        files,
        slack_url="http://127.0.0.1:1",
        credentials=Credentials.generate(),
        redis_url=redis.url,
        ports=BotPorts(*free_ports(3)),
        endpoints=endpoints,
        tools={},
    )
    return changed(
        files.config,
        directory / "quick.yaml",
        {
            "clusters.demo.sample_gap_ms": 1_000,
            "clusters.demo.tls": {name: str(path) for name, path in tls.items()},
        },
    )
