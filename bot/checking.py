"""`quorumbot check`: reaches everything that the configuration names, and says all faults."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.backups import tool_fault
from bot.checking_hosts import host_findings
from bot.config import Config, ConfigError, load
from bot.identity import keyring, signer
from bot.process import forget_proxies
from bot.redis_link import link
from bot.sandbox.passage import enter
from bot.slack.errors import error_code
from bot.slack.membership import membership
from bot.slack.workspace import make_client
from bot.store.connection import translated
from bot.store.expected import ExpectedMembers
from bot.targets.etcd.look import EtcdReader
from bot.targets.ssh.hosts import SshHosts
from procedures.etcd.view import look_at
from procedures.model.errors import QuorumbotError
from procedures.model.events import Role
from procedures.model.expected import Expected
from procedures.model.ids import ChannelId
from procedures.model.inventory import Cluster

SCOPES = frozenset(
    {
        "channels:read",
        "chat:write",
        "commands",
        "files:write",
        "groups:read",
        "usergroups:read",
        "users:read",
    }
)
"""What the bot token must be allowed, for what the bot does today."""

_OLDEST_REDIS = (6, 2)
_SLACK_ERRORS = (SlackApiError, aiohttp.ClientError, TimeoutError, OSError)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried. `text` says what is there, or what is wrong and what to do."""

    name: str
    ok: bool
    text: str


async def check(path: Path, *, as_json: bool) -> int:
    """Load the configuration, reach every dependency, print all findings. 1 when any is bad."""
    try:
        config = load(path)
    except ConfigError as error:
        checks = [Check("configuration", ok=False, text=fault) for fault in error.faults]
    else:
        checks = [Check("configuration", ok=True, text=f"{path} is valid"), *await _all(config)]
    ok = all(each.ok for each in checks)
    if as_json:
        print(json.dumps({"ok": ok, "checks": [asdict(each) for each in checks]}, indent=2))
    else:
        for each in checks:
            if each.ok:
                print(f"ok      {each.name}: {each.text}")
            else:
                print(f"FAULT   {each.name}: {each.text}", file=sys.stderr)
    return 0 if ok else 1


async def _all(config: Config) -> list[Check]:
    if config.file.slack.api_url:
        forget_proxies()
    if (namespace := config.file.sandbox_namespace) is None:
        here, there = await asyncio.gather(_services(config), _clusters(config))
    else:
        here = await _services(config)  # they are not to be seen from where the hosts are
        try:
            enter(namespace)
            there = await _clusters(config)
        except OSError as error:
            text = (
                f"the hosts are out of reach ({error.strerror}): it takes root, as the sandbox did"
            )
            there = [Check("sandbox_namespace", ok=False, text=text)]
    return [*_signing(config), *here, *there]


async def _services(config: Config) -> list[Check]:
    slack, redis = await asyncio.gather(_slack(config), _redis(config))
    return [*slack, *redis]


async def _clusters(config: Config) -> list[Check]:
    reader, hosts = EtcdReader(), SshHosts()
    tried: list[Callable[[], Awaitable[list[Check]]]] = [
        *(
            _cluster_check(config, reader, cluster)
            for cluster in config.inventory.clusters.values()
        ),
        *(
            _hosts_check(hosts, cluster)
            for cluster in config.inventory.clusters.values()
            if cluster.ssh is not None
        ),
    ]
    try:
        found = await asyncio.gather(*(each() for each in tried))
    finally:
        await reader.close()
        await hosts.close()
    return [each for several in found for each in several]


def _signing(config: Config) -> list[Check]:
    checks = []
    for role in Role:
        try:
            own = signer(config, role)
        except ConfigError as error:
            checks += [Check("signing", ok=False, text=fault) for fault in error.faults]
        else:
            checks.append(Check(f"signing.{role}", ok=True, text=f"signs as {own.id}"))
    return checks


async def _slack(config: Config) -> list[Check]:
    slack = config.file.slack
    checks = []
    for name, reference in slack.secrets.items():
        try:
            secret = reference.read(config.base)
        except ValueError as error:
            checks.append(Check(f"slack.{name}", ok=False, text=str(error)))
            continue
        if name == "signing_secret":
            text = "is there; only a request of Slack's can prove it"
            checks.append(Check(f"slack.{name}", ok=True, text=text))
            continue
        client = make_client(secret.reveal(), slack.api_url)
        if name == "bot_token":
            checks += await _bot(client, config)
        else:
            checks.append(await _app_token(client))
    return checks


async def _bot(client: AsyncWebClient, config: Config) -> list[Check]:
    """The bot's token; and where that is in order, whether the bot is where it is to speak."""
    token, name = await _bot_token(client)
    if not token.ok:
        return [token]
    places = _places(config)
    found = await asyncio.gather(*(membership(client, channel, name) for channel in places))
    return [
        token,
        *(
            Check(f"slack.channels.{channel}", ok=ok, text=f"{text} ({', '.join(settings)})")
            for (channel, settings), (ok, text) in zip(places.items(), found, strict=True)
        ),
    ]


def _places(config: Config) -> dict[ChannelId, list[str]]:
    """Each channel in which the bot is to speak, with the settings that say so."""
    places: dict[ChannelId, list[str]] = {}
    if config.file.audit is not None:
        places.setdefault(ChannelId(config.file.audit.channel), []).append("audit.channel")
    for name, cluster in config.inventory.clusters.items():
        for channel in cluster.channels:
            places.setdefault(channel, []).append(f"clusters.{name}.channels")
        if cluster.incident_channel is not None:
            setting = f"clusters.{name}.incident_channel"
            places.setdefault(cluster.incident_channel, []).append(setting)
    for channel in sorted(config.inventory.channels):
        places.setdefault(channel, ["channels"])
    return places


async def _bot_token(client: AsyncWebClient) -> tuple[Check, str]:
    """Look at the token; gives the bot's name as well."""
    try:
        answer = await client.auth_test()
    except _SLACK_ERRORS as error:
        text = f"auth.test failed: {error_code(error)}. Check the token and the network."
        return Check("slack.bot_token", ok=False, text=text), ""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    granted = {scope.strip() for scope in str(headers.get("x-oauth-scopes", "")).split(",")}
    missing = sorted(SCOPES - granted)
    if missing:
        text = f"it lacks the scopes {', '.join(missing)}: add them and reinstall the app"
        return Check("slack.bot_token", ok=False, text=text), ""
    name = str(answer["user"])
    return Check("slack.bot_token", ok=True, text=f"{name} in {answer['team']}"), name


async def _app_token(client: AsyncWebClient) -> Check:
    try:
        await client.apps_connections_open(app_token=client.token or "")
    except _SLACK_ERRORS as error:
        text = f"apps.connections.open failed: {error_code(error)}. It needs connections:write."
        return Check("slack.app_token", ok=False, text=text)
    return Check("slack.app_token", ok=True, text="Socket Mode may be used")


async def _redis(config: Config) -> list[Check]:
    try:
        async with link(config) as redis, translated():
            server = await redis.info("server")
            # One name for each call: Redis 6.2 takes no more.
            policy = [await redis.config_get(name) for name in _SETTINGS]
    except (ConfigError, QuorumbotError) as error:
        return [Check("redis", ok=False, text=str(error))]
    version = str(server["redis_version"])
    checks = []
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST_REDIS:
        checks.append(Check("redis", ok=False, text=f"version {version}: use 6.2 or later"))
    settings = {_plain(name): _plain(value) for one in policy for name, value in one.items()}
    for name, needed in _SETTINGS.items():
        if settings.get(name) != needed:
            text = f"{name} is {settings.get(name)!r}: set it to {needed!r}, or work can be lost"
            checks.append(Check("redis", ok=False, text=text))
    return checks or [Check("redis", ok=True, text=f"version {version}, every write on disk")]


_SETTINGS = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}


def _plain(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _cluster_check(
    config: Config, reader: EtcdReader, cluster: Cluster
) -> Callable[[], Awaitable[list[Check]]]:
    async def reach() -> list[Check]:
        recorded = await _recorded(config, cluster)
        expected = cluster.expecting(recorded)
        view = look_at(expected, await reader.sample(expected))
        name = f"clusters.{cluster.name}"
        bad = [seen for seen in view.seen if seen.why]
        minors = {".".join(status.version.split(".")[:2]) for _, status in view.statuses()}
        tools = [await tool_fault(config, cluster.site, minor) for minor in sorted(minors)]
        checks = [Check(name, ok=False, text=f"{seen.name}: {seen.why}") for seen in bad]
        checks += [Check(f"{name}.snapshots", ok=False, text=fault) for fault in tools if fault]
        checks = checks or [Check(name, ok=True, text=f"{len(view.seen)} members answer")]
        return [*checks, *_expectation(f"{name}.expected", recorded)]

    return reach


async def _recorded(config: Config, cluster: Cluster) -> Expected:
    """What is recorded of a cluster; nothing where the store is away, of which another tells."""
    try:
        async with link(config) as redis:
            found = await ExpectedMembers(redis, keyring(config)).read(cluster.name)
    except (ConfigError, QuorumbotError):
        return Expected()
    return found.expected


def _expectation(name: str, recorded: Expected) -> list[Check]:
    if recorded.fault is not None:
        text = (
            f"the record is not believed: {recorded.fault}. The configuration counts. Find out "
            "who wrote to Redis, then say /etcd expect"
        )
        return [Check(name, ok=False, text=text)]
    if recorded.members is None:
        return []
    names = ", ".join(recorded.members)
    return [Check(name, ok=True, text=f"{names}, by run {recorded.run}")]


def _hosts_check(hosts: SshHosts, cluster: Cluster) -> Callable[[], Awaitable[list[Check]]]:
    async def reach() -> list[Check]:
        found = await host_findings(hosts, cluster)
        return [
            Check(f"clusters.{cluster.name}.hosts.{name}", ok=ok, text=text)
            for name, (ok, text) in found.items()
        ]

    return reach
