"""Control requests that act as a person: slash commands, clicks, modals, events."""

from aiohttp import web

from bot.sandbox.workspace.composing import person_body, slackbot_body
from bot.sandbox.workspace.control.body import BadRequestError, Fields, body_of
from bot.sandbox.workspace.control.modals import follow_submission, state_values
from bot.sandbox.workspace.delivery.dispatcher import Dispatcher
from bot.sandbox.workspace.delivery.envelope import Ack
from bot.sandbox.workspace.payloads import (
    event_callback,
    message_action,
    slash_command,
    view_action,
    view_submission,
)
from bot.sandbox.workspace.people import User
from bot.sandbox.workspace.responses import post_response
from bot.sandbox.workspace.selections import chosen, elements_of
from bot.sandbox.workspace.wire import ApiError, Wire, as_objects
from bot.sandbox.workspace.workspace import Workspace


class Acting:
    """Delivers what people do, exactly as Slack would."""

    def __init__(self, workspace: Workspace, dispatcher: Dispatcher) -> None:
        """Act in `workspace`; payloads go through `dispatcher`."""
        self._workspace = workspace
        self._dispatcher = dispatcher

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.post("/control/command", self.command),
            web.post("/control/click", self.click),
            web.post("/control/submit", self.submit),
            web.post("/control/event", self.event),
        ]

    async def command(self, request: web.Request) -> web.Response:
        """Run a slash command; the words in the ack become a message."""
        body = await self._body(request)
        user, channel = body.user(), body.channel()
        name = body.one_of("command", self._workspace.commands)
        envelope = slash_command(self._workspace, user, channel, name, body.text("text"))
        ack = await self._dispatcher.deliver(envelope)
        if not ack.acked:
            reason = "operation_timeout" if ack.sent else "dispatch_failed"
            self._slackbot(channel.id, user, name, reason)
        elif ack.response:
            try:
                post_response(self._workspace, ack.response, channel_id=channel.id, user_id=user.id)
            except ApiError as refusal:
                self._slackbot(channel.id, user, name, refusal.error)
        return web.json_response(ack.wire())

    async def click(self, request: web.Request) -> web.Response:
        """Click an element of a message, or with `view_id` of a modal or Home tab."""
        body = await self._body(request)
        user = body.user()
        if "view_id" in body.raw:
            view = self._view(body.text("view_id"))
            action = self._action(body, as_objects(view["blocks"]))
            envelope = view_action(self._workspace, user, view, action)
        else:
            channel, ts = body.channel(), body.text("ts")
            post = self._workspace.messages.find(channel.id, ts)
            blocks = as_objects(post.body.get("blocks")) if post else []
            action = self._action(body, blocks)
            envelope = message_action(
                self._workspace, user, channel, ts=ts, post=post, action=action
            )
        ack = await self._dispatcher.deliver(envelope)
        return web.json_response(_without_response(ack))

    async def submit(self, request: web.Request) -> web.Response:
        """Submit a modal and do with it what the ack says."""
        body = await self._body(request)
        user, view = body.user(), self._view(body.text("view_id"))
        values = state_values(view, body.raw.get("values"))
        envelope = view_submission(self._workspace, user, view, values)
        ack = await self._dispatcher.deliver(envelope)
        if ack.acked:
            follow_submission(self._workspace, view, ack.response or {})
        return web.json_response(ack.wire())

    async def event(self, request: web.Request) -> web.Response:
        """Deliver an event; `user` and `channel` may be handle and name."""
        body = await self._body(request)
        event = {**body.raw, "type": body.text("type")}
        if user := self._workspace.directory.user_by_handle(str(event.get("user", ""))):
            event["user"] = user.id
        if channel := self._workspace.directory.channel_by_name(str(event.get("channel", ""))):
            event["channel"] = channel.id
        if event["type"] == "app_home_opened" and user is not None:
            event = {"channel": self._workspace.dm(user).id, "tab": "home"} | event
            if home := self._workspace.views.home(user.id):
                event["view"] = home
        typed = event["type"] in {"message", "app_mention"} and "ts" not in event
        if typed and user is not None and channel is not None and event.get("text"):
            post = self._workspace.messages.add(channel.id, person_body(user, str(event["text"])))
            kind = "im" if channel.dm_with else "channel"
            event |= {"ts": post.ts, "event_ts": post.ts, "channel_type": kind}
        ack = await self._dispatcher.deliver_event(event_callback(self._workspace, event))
        return web.json_response(_without_response(ack))

    async def _body(self, request: web.Request) -> Fields:
        return await body_of(request, self._workspace.directory)

    def _view(self, view_id: str) -> Wire:
        found = self._workspace.views.find(view_id=view_id)
        if found is None:
            raise BadRequestError(f"`view_id` {view_id!r} is not an open view")
        return found[1]

    def _action(self, body: Fields, blocks: list[Wire]) -> Wire:
        action_id, block_id = body.text("action_id"), body.optional_text("block_id")
        candidates = [
            (block, element)
            for block, element in elements_of(blocks)
            if element.get("action_id") == action_id
        ]
        # A forged block id may match none of them: then the first button lends its looks.
        matching = [pair for pair in candidates if block_id in (None, pair[0].get("block_id"))]
        block, element = next(iter(matching or candidates), ({}, {"type": "button"}))
        action: Wire = {
            "action_id": action_id,
            "block_id": block.get("block_id", "") if block_id is None else block_id,
            "action_ts": self._workspace.clock.stamp(),
        }
        for key in ("text", "style", "url", "confirm"):
            if key in element:
                action[key] = element[key]
        if "value" in body.raw:
            return action | chosen(element, body.raw["value"])
        return action | {"type": element["type"]} | _own_value(element)

    def _slackbot(self, channel_id: str, user: User, command: str, reason: str) -> None:
        self._workspace.messages.add(
            channel_id,
            slackbot_body(f'{command} failed with the error "{reason}"'),
            viewer=user.id,
        )


def _own_value(element: Wire) -> Wire:
    return {"value": element["value"]} if "value" in element else {}


def _without_response(ack: Ack) -> Wire:
    return {key: value for key, value in ack.wire().items() if key != "response"}
