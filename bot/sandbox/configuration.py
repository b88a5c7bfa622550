"""The configuration that the sandbox's bot runs with."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True, slots=True)
class Machines:
    """The demo cluster's hosts: their addresses by member, and how a worker logs in to them.

    `masters` are those that run an API server, `ansible` the one from which all were installed.
    """

    platform: str
    addresses: Mapping[str, str]
    user: str
    key: str
    known_hosts: str
    masters: tuple[str, ...] = ()
    ansible: str | None = None

    @property
    def sections(self) -> dict[str, object]:
        """What a cluster's section says of them."""
        return {
            "platform": self.platform,
            "hosts": {name: {"address": address} for name, address in self.addresses.items()},
            "ssh": {
                "user": self.user,
                "sudo": True,
                "key": self.key,
                "known_hosts": self.known_hosts,
            },
            **({"masters": list(self.masters)} if self.masters else {}),
            **({"ansible": {"host": self.ansible}} if self.ansible else {}),
        }


def write_configuration(
    files: StateFiles,
    *,
    slack_url: str,
    credentials: Credentials,
    redis_url: str,
    ports: BotPorts,
    endpoints: Mapping[str, str],
    tools: Mapping[str, str],
    machines: Machines | None = None,
    namespace: Path | None = None,
) -> None:
    """Write `quorumbot.yaml`, and beside it the secrets that it names.

    `namespace` is where `machines` can be reached, by the worker and by `quorumbot check`.
    """
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
            "url": redis_url,
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
        **({"sandbox_namespace": str(namespace)} if namespace else {}),
        "backups": {"directory": "backups", "tools": dict(tools)},
        "channels": list(CHANNELS),
        "terminal_users": {own_user(): TERMINAL_USER},
        "clusters": {
            "demo": {
                **(machines.sections if machines else {"platform": "etcd"}),
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
