"""Who is in the workspace."""

from dataclasses import dataclass

from bot.sandbox.workspace.wire import Wire

TEAM_ID = "T0SANDBOX"
FOREIGN_TEAM_ID = "T0ELSEWHERE"
APP_ID = "A0QUORUMBOT"
BOT_ID = "B0QUORUMBOT"
BOT_USER_ID = "U0QUORUMBOT"
SLACKBOT_ID = "USLACKBOT"
TEAM_DOMAINS = {TEAM_ID: "sandbox", FOREIGN_TEAM_ID: "elsewhere"}
INSTALLED_AT = 1_735_689_600


@dataclass(frozen=True, slots=True)
class User:
    """A person or the bot, as the Web API shows them."""

    id: str
    handle: str
    real_name: str
    team_id: str = TEAM_ID
    is_bot: bool = False
    is_guest: bool = False
    is_stranger: bool = False

    def wire(self) -> Wire:
        """Return the `user` object of `users.info`."""
        profile: Wire = {
            "real_name": self.real_name,
            "real_name_normalized": self.real_name,
            "display_name": self.handle,
            "display_name_normalized": self.handle,
            "team": self.team_id,
            "status_text": "",
            "status_emoji": "",
        }
        if self.is_bot:
            profile |= {"api_app_id": APP_ID, "bot_id": BOT_ID}
        return {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.handle,
            "real_name": self.real_name,
            "deleted": False,
            "color": "9f69e7",
            "tz": "Etc/UTC",
            "tz_label": "Coordinated Universal Time",
            "tz_offset": 0,
            "profile": profile,
            "is_admin": False,
            "is_owner": False,
            "is_primary_owner": False,
            # A single-channel guest carries both flags.
            "is_restricted": self.is_guest,
            "is_ultra_restricted": self.is_guest,
            "is_stranger": self.is_stranger,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "is_workflow_bot": False,
            "is_connector_bot": False,
            "is_email_confirmed": not self.is_bot,
            "has_2fa": False,
            "updated": INSTALLED_AT,
        }


@dataclass(frozen=True, slots=True)
class UserGroup:
    """A named group of people."""

    id: str
    handle: str
    name: str
    user_ids: tuple[str, ...]

    def wire(self) -> Wire:
        """Return one element of `usergroups.list`."""
        return {
            "id": self.id,
            "team_id": TEAM_ID,
            "is_usergroup": True,
            "is_external": False,
            "name": self.name,
            "description": "",
            "handle": self.handle,
            "auto_type": None,
            "date_create": INSTALLED_AT,
            "date_update": INSTALLED_AT,
            "date_delete": 0,
            "created_by": SLACKBOT_ID,
            "updated_by": SLACKBOT_ID,
            "deleted_by": None,
            "prefs": {"channels": [], "groups": []},
            "user_count": str(len(self.user_ids)),
        }


USERS = (
    User("U0ALICE", "alice", "Alice Archer"),
    User("U0BOB", "bob", "Bob Baker"),
    User("U0CAROL", "carol", "Carol Cooper"),
    User("U0DAVE", "dave", "Dave Dyer"),
    User("U0GUEST", "guest", "Gus Guest", is_guest=True),
    User("U0MALLORY", "mallory", "Mallory Mason", team_id=FOREIGN_TEAM_ID, is_stranger=True),
    User(BOT_USER_ID, "quorumbot", "Quorumbot", is_bot=True),
)
GROUPS = (UserGroup("S0APPROVERS", "etcd-approvers", "etcd approvers", ("U0BOB", "U0CAROL")),)
