"""Which people and channels exist, and who is where."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from bot.sandbox.workspace.people import BOT_USER_ID, GROUPS, INSTALLED_AT, TEAM_ID, USERS, User
from bot.sandbox.workspace.wire import Wire


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel or a direct conversation; `members` are user ids."""

    id: str
    name: str
    members: tuple[str, ...]
    is_ext_shared: bool = False
    dm_with: str | None = None

    @property
    def has_bot(self) -> bool:
        """Whether the bot is a member."""
        return BOT_USER_ID in self.members

    def visible_to(self, user_id: str) -> bool:
        """Whether a person may look at it: direct conversations are private."""
        return self.dm_with in (None, user_id)

    @property
    def wire_name(self) -> str:
        """The name that payloads carry."""
        return "directmessage" if self.dm_with else self.name

    def wire(self) -> Wire:
        """Return the `channel` object of `conversations.info`."""
        if self.dm_with:
            return {
                "id": self.id,
                "created": INSTALLED_AT,
                "is_im": True,
                "is_channel": False,
                "is_group": False,
                "is_mpim": False,
                "is_archived": False,
                "is_org_shared": False,
                "is_ext_shared": False,
                "user": self.dm_with,
                "is_user_deleted": False,
            }
        return {
            "id": self.id,
            "name": self.name,
            "name_normalized": self.name,
            "created": INSTALLED_AT,
            "creator": "U0ALICE",
            "is_channel": True,
            "is_group": False,
            "is_im": False,
            "is_mpim": False,
            "is_private": False,
            "is_archived": False,
            "is_general": False,
            "is_shared": self.is_ext_shared,
            "is_org_shared": False,
            "is_ext_shared": self.is_ext_shared,
            "is_pending_ext_shared": False,
            "pending_shared": [],
            "is_member": self.has_bot,
            "context_team_id": TEAM_ID,
            "unlinked": 0,
            "num_members": len(self.members),
            "previous_names": [],
            "topic": {"value": "", "creator": "", "last_set": 0},
            "purpose": {"value": "", "creator": "", "last_set": 0},
        }


_MEMBERS = ("U0ALICE", "U0BOB", "U0CAROL", "U0DAVE")
CHANNELS = (
    Channel("C0OPS", "ops", (*_MEMBERS, "U0GUEST", BOT_USER_ID)),
    Channel("C0ETCDALERTS", "etcd-alerts", (*_MEMBERS, BOT_USER_ID)),
    Channel("C0RANDOM", "random", _MEMBERS),
    Channel("C0SHAREDEXT", "shared-ext", ("U0ALICE", "U0MALLORY", BOT_USER_ID), is_ext_shared=True),
)


@dataclass(slots=True)
class Directory:
    """The people and channels of the workspace; direct conversations appear when opened."""

    users: dict[str, User] = field(default_factory=lambda: {user.id: user for user in USERS})
    channels: dict[str, Channel] = field(default_factory=lambda: {c.id: c for c in CHANNELS})

    def user_by_handle(self, handle: str) -> User | None:
        """Find a person by handle."""
        return next((user for user in self.users.values() if user.handle == handle), None)

    def channel_by_name(self, name: str) -> Channel | None:
        """Find a channel by name or id; a direct conversation is named `dm-HANDLE`."""
        return self.channels.get(name) or next(
            (channel for channel in self.channels.values() if channel.name == name), None
        )

    def dm(self, user: User) -> Channel:
        """Return the bot's direct conversation with `user`, opening it when needed."""
        opened = Channel(
            id="D" + user.id[1:],
            name=f"dm-{user.handle}",
            members=(user.id, BOT_USER_ID),
            dm_with=user.id,
        )
        return self.channels.setdefault(opened.id, opened)

    def handles(self, user_ids: Iterable[str]) -> list[str]:
        """Return the handles of these users."""
        return [self.users[user_id].handle for user_id in user_ids]

    def mentions(self) -> dict[str, str]:
        """Return what Slack writes for each `@name` and `#name` that a person types."""
        written = {f"@{u.handle}": f"<@{u.id}|{u.handle}>" for u in self.users.values()}
        written |= {f"@{g.handle}": f"<!subteam^{g.id}|@{g.handle}>" for g in GROUPS}
        channels = (c for c in self.channels.values() if not c.dm_with)
        return written | {f"#{c.name}": f"<#{c.id}|{c.name}>" for c in channels}
