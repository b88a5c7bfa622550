"""The app as it is installed: what it may do and where it is reached."""

from dataclasses import dataclass

DEFAULT_SCOPES = (
    "commands",
    "chat:write",
    "users:read",
    "usergroups:read",
    "channels:read",
    "groups:read",
    "files:write",
    "reactions:write",
    "im:write",
)


@dataclass(frozen=True, slots=True)
class SlashCommand:
    """A registered slash command and what the client shows while one types it."""

    command: str
    description: str
    usage_hint: str


@dataclass(slots=True)
class Installation:
    """What an administrator may change while the workspace runs."""

    scopes: tuple[str, ...] = DEFAULT_SCOPES
    request_url: str | None = None
    """Where payloads are posted; None means Socket Mode."""
