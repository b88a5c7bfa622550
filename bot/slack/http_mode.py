"""HTTP mode: Slack's signed requests, handed to Bolt."""

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp


async def events_route(app: AsyncApp, request: web.Request) -> web.StreamResponse:
    """Verify and dispatch one request. Bolt checks the signature; it must be sent whole."""
    if not request.headers.get("X-Slack-Request-Timestamp", "").isdigit():
        # Bolt's verifier takes a number for granted.
        return web.Response(status=401, text="no valid X-Slack-Request-Timestamp\n")
    bolt_request = await to_bolt_request(request)
    response: web.Response = await to_aiohttp_response(await app.async_dispatch(bolt_request))
    return response
