"""Messages, threads and ephemerals."""

from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field

from bot.sandbox.workspace.clock import Clock
from bot.sandbox.workspace.feed import Feed
from bot.sandbox.workspace.wire import Wire

_KEPT_PER_CHANNEL = 20_000


@dataclass(slots=True, eq=False)
class Post:
    """One message; `body` is its wire form without what the thread adds."""

    channel_id: str
    ts: str
    body: Wire
    thread_ts: str | None = None
    viewer: str | None = None
    """The only user who sees it, for an ephemeral message."""
    replies: list["Post"] = field(default_factory=list)

    @property
    def is_top_level(self) -> bool:
        """Whether it shows in the channel itself."""
        return self.thread_ts is None or self.body.get("subtype") == "thread_broadcast"

    def visible_to(self, viewer: str | None) -> bool:
        """Whether `viewer` (a user id, or nobody in particular) may see it."""
        return self.viewer is None or self.viewer == viewer

    def wire(self) -> Wire:
        """Return the message in Slack's wire form."""
        shown = [reply for reply in self.replies if reply.viewer is None]
        thread: Wire = {}
        if self.thread_ts is not None:
            thread["thread_ts"] = self.thread_ts
        elif shown:
            users = list(dict.fromkeys(reply.body.get("user", "") for reply in shown))
            thread = {
                "thread_ts": self.ts,
                "reply_count": len(shown),
                "reply_users_count": len(users),
                "reply_users": users[:5],
                "latest_reply": shown[-1].ts,
                "is_locked": False,
                "subscribed": False,
            }
        ephemeral = {"is_ephemeral": True} if self.viewer else {}
        return {"type": "message", "ts": self.ts, **self.body, **thread, **ephemeral}


class Messages:
    """All messages of the workspace; a channel forgets its oldest beyond a bound."""

    def __init__(self, clock: Clock, feed: Feed) -> None:
        """Start empty; changes are told to `feed`."""
        self._clock = clock
        self._feed = feed
        self._channels: defaultdict[str, OrderedDict[str, Post]] = defaultdict(OrderedDict)
        self._client_ids: OrderedDict[tuple[str, str], str] = OrderedDict()

    def add(
        self,
        channel_id: str,
        body: Wire,
        *,
        thread_ts: str | None = None,
        viewer: str | None = None,
    ) -> Post:
        """Store a new message; `thread_ts`, if any, must be that of a stored top-level message."""
        post = Post(channel_id, self._clock.stamp(), body, thread_ts, viewer)
        posts = self._channels[channel_id]
        posts[post.ts] = post
        if len(posts) > _KEPT_PER_CHANNEL:
            posts.popitem(last=False)
        self._tell(post)
        if thread_ts is not None and (parent := posts.get(thread_ts)):
            parent.replies.append(post)
            self._tell(parent)
        return post

    def find(self, channel_id: str, ts: str) -> Post | None:
        """Find any message, ephemerals included."""
        return self._channels[channel_id].get(ts)

    def remember(self, client_msg_id: str, post: Post) -> None:
        """Note under which id of the client a message was posted."""
        self._client_ids[post.channel_id, client_msg_id] = post.ts
        if len(self._client_ids) > _KEPT_PER_CHANNEL:
            self._client_ids.popitem(last=False)

    def posted_as(self, channel_id: str, client_msg_id: str) -> str | None:
        """Return the ts of what was posted under an id of the client, even if it is gone."""
        return self._client_ids.get((channel_id, client_msg_id))

    def root_of(self, channel_id: str, ts: str) -> Post | None:
        """Find the message that starts the thread in which `ts` is."""
        post = self.find(channel_id, ts)
        if post is None or post.viewer is not None:
            return None
        return self.find(channel_id, post.thread_ts) if post.thread_ts else post

    def replace(self, post: Post, body: Wire) -> None:
        """Give a stored message another body."""
        post.body = body
        self._tell(post)

    def remove(self, post: Post) -> None:
        """Forget a message; its replies stay readable."""
        self._channels[post.channel_id].pop(post.ts, None)
        self._feed.publish(
            {"type": "deleted", "channel_id": post.channel_id, "ts": post.ts}, post.viewer
        )
        parent = self.find(post.channel_id, post.thread_ts) if post.thread_ts else None
        if parent is not None:
            parent.replies.remove(post)
            self._tell(parent)

    def timeline(self, channel_id: str, *, viewer: str | None = None) -> list[Post]:
        """Return a channel's top-level messages that `viewer` may see, oldest first."""
        posts = self._channels[channel_id].values()
        return [post for post in posts if post.is_top_level and post.visible_to(viewer)]

    def thread(self, channel_id: str, ts: str, *, viewer: str | None = None) -> list[Post]:
        """Return a thread that `viewer` may see, parent first; empty when there is none."""
        parent = self.find(channel_id, ts)
        posts = [parent, *parent.replies] if parent else []
        return [post for post in posts if post.visible_to(viewer)]

    def _tell(self, post: Post) -> None:
        if self._feed.watched:
            self._feed.publish(
                {"type": "message", "channel_id": post.channel_id, "message": post.wire()},
                post.viewer,
            )
