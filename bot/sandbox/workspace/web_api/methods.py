"""The table of all methods; a new one is one entry."""

from bot.sandbox.workspace.limits import POSTING, SPECIAL, TIER_1, TIER_2, TIER_3, TIER_4
from bot.sandbox.workspace.web_api import apps, chat, conversations, files, users, views
from bot.sandbox.workspace.web_api.call import Method, TokenKind

_WRITE = ("chat:write",)
_READ_CHANNELS = ("channels:read", "groups:read", "im:read", "mpim:read")
_READ_MESSAGES = ("channels:history", "groups:history", "im:history", "mpim:history")
_OPEN_DM = ("im:write", "mpim:write", "channels:manage", "groups:write")

METHODS: dict[str, Method] = {
    "apps.connections.open": Method(TIER_1, (), apps.open_connection, TokenKind.APP),
    "auth.test": Method(SPECIAL, (), apps.auth_test),
    "chat.delete": Method(TIER_3, _WRITE, chat.delete),
    "chat.getPermalink": Method(SPECIAL, (), chat.get_permalink),
    "chat.postEphemeral": Method(TIER_4, _WRITE, chat.post_ephemeral),
    "chat.postMessage": Method(POSTING, _WRITE, chat.post_message),
    "chat.update": Method(TIER_3, _WRITE, chat.update),
    "conversations.history": Method(TIER_3, _READ_MESSAGES, conversations.history),
    "conversations.info": Method(TIER_3, _READ_CHANNELS, conversations.info),
    "conversations.list": Method(TIER_2, _READ_CHANNELS, conversations.list_channels),
    "conversations.members": Method(TIER_4, _READ_CHANNELS, conversations.members),
    "conversations.open": Method(TIER_3, _OPEN_DM, conversations.open_conversation),
    "conversations.replies": Method(TIER_3, _READ_MESSAGES, conversations.replies),
    "files.completeUploadExternal": Method(TIER_4, ("files:write",), files.complete_upload),
    "files.getUploadURLExternal": Method(TIER_4, ("files:write",), files.get_upload_url),
    "reactions.add": Method(TIER_3, ("reactions:write",), conversations.add_reaction),
    "usergroups.list": Method(TIER_2, ("usergroups:read",), users.list_groups),
    "usergroups.users.list": Method(TIER_2, ("usergroups:read",), users.list_group_users),
    "users.info": Method(TIER_4, ("users:read",), users.info),
    "users.list": Method(TIER_2, ("users:read",), users.list_users),
    "views.open": Method(TIER_4, (), views.open_view),
    "views.publish": Method(TIER_4, (), views.publish),
    "views.push": Method(TIER_4, (), views.push),
    "views.update": Method(TIER_4, (), views.update),
}
