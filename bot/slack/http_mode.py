"""HTTP mode: Slack's signed requests, handed to Bolt."""

import re

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp

_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)


async def events_route(app: AsyncApp, request: web.Request) -> web.StreamResponse:
    """Verify and dispatch one request. Bolt checks the signature; its form is checked here.

    Bolt's verifier takes a number and ASCII for granted, and its parser a body that makes sense.
    """
    timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
    signature = request.headers.get("X-Slack-Signature", "")
    if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
        return web.Response(status=401, text="not signed by Slack\n")
    try:
        bolt_request = await to_bolt_request(request)
    except ValueError:
        return web.Response(status=400, text="not a request of Slack's\n")
    response: web.Response = await to_aiohttp_response(await app.async_dispatch(bolt_request))
    return response
