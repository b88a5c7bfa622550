"""The configuration that the sandbox's bot runs with."""

from collections.abc import Mapping
from dataclasses import dataclass

from ruamel.yaml import YAML

from bot.process import own_user
from bot.sandbox.files import StateFiles
from bot.sandbox.ports import LOOPBACK
from bot.sandbox.workspace.credentials import Credentials

CHANNELS = ("C0OPS", "C0ETCDALERTS")
AUDIT_CHANNEL = "C0ETCDALERTS"
INCIDENT_CHANNEL = "C0ETCDALERTS"
APPROVERS = "S0APPROVERS"
TERMINAL_USER = "U0ALICE"


@dataclass(frozen=True, slots=True)
class BotPorts:
    """Where the bot's processes listen."""

    front: int
    worker: int
    events: int
    """The front's Request URL, in HTTP mode."""


def write_configuration(
    files: StateFiles,
    *,
    slack_url: str,
    credentials: Credentials,
    redis_port: int,
    ports: BotPorts,
    endpoints: Mapping[str, str],
    tools: Mapping[str, str],
) -> None:
    """Write `quorumbot.yaml`, and beside it the secrets that it names."""
    files.write_secret("slack-bot-token", credentials.bot_token)
    files.write_secret("slack-app-token", credentials.app_token)
    files.write_secret("slack-signing-secret", credentials.signing_secret)
    roles = ("front", "worker")
    config = {
        "slack": {
            "api_url": f"{slack_url}/api/",
            "bot_token": {"file": "secrets/slack-bot-token"},
            "app_token": {"file": "secrets/slack-app-token"},
            "signing_secret": {"file": "secrets/slack-signing-secret"},
        },
        "redis": {
            "url": f"redis://{LOOPBACK}:{redis_port}/0",
            "password": {"file": "secrets/redis-password"},
        },
        "signing": {
            **{role: {"file": f"secrets/{role}.key"} for role in roles},
            "trusted": [
                {"id": f"{role}-1", "role": role, "public_key": files.signing_key(role)}
                for role in roles
            ],
        },
        "audit": {"channel": AUDIT_CHANNEL},
        "listen": {
            "front": f"{LOOPBACK}:{ports.front}",
            "worker": f"{LOOPBACK}:{ports.worker}",
        },
        "sandbox_clock": "clock",
        "backups": {"directory": "backups", "tools": dict(tools)},
        "channels": list(CHANNELS),
        "terminal_users": {own_user(): TERMINAL_USER},
        "clusters": {
            "demo": {
                "platform": "etcd",
                "endpoints": dict(endpoints),
                "tls": {"ca": "demo/ca.crt", "cert": "demo/client.crt", "key": "demo/client.key"},
                "channels": list(CHANNELS),
                "incident_channel": INCIDENT_CHANNEL,
                "approvers": {"group": APPROVERS},
            }
        },
    }
    with files.config.open("w", encoding="utf-8") as file:
        file.write("# Written by `quorumbot sandbox` at each start; changes are lost.\n")
        YAML().dump(config, file)
