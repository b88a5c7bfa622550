"""Signed HTTP: payloads are posted to the app's Request URL."""

import asyncio
import hashlib
import hmac
import json
import logging
import time
from urllib.parse import urlencode

import aiohttp

from bot.sandbox.workspace.app import Installation
from bot.sandbox.workspace.credentials import Credentials
from bot.sandbox.workspace.delivery.acks import Acks
from bot.sandbox.workspace.delivery.envelope import ACK_SECONDS, Envelope, EnvelopeType
from bot.sandbox.workspace.wire import Wire

_log = logging.getLogger(__name__)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the `X-Slack-Signature` of a request."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class SignedHttp:
    """Posts each payload and takes the answer for the ack."""

    def __init__(self, acks: Acks, credentials: Credentials, installation: Installation) -> None:
        """Sign with `credentials` and post to the installation's Request URL."""
        self._acks = acks
        self._credentials = credentials
        self._installation = installation
        self._session: aiohttp.ClientSession | None = None
        self._posting: set[asyncio.Task[None]] = set()

    async def send(self, envelope: Envelope, attempt: int) -> bool:
        """Begin to post; the answer arrives as the ack."""
        url = self._installation.request_url
        if url is None:
            return False
        task = asyncio.create_task(self._post(url, envelope, attempt))
        self._posting.add(task)
        task.add_done_callback(self._posting.discard)
        return True

    async def close(self) -> None:
        """Give up what is being posted."""
        for task in self._posting:
            task.cancel()
        await asyncio.gather(*self._posting, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _post(self, url: str, envelope: Envelope, attempt: int) -> None:
        content_type, body = _encoded(envelope)
        # The receiver checks against real time, so workspace time would be refused.
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self._credentials.signing_secret, timestamp, body),
        }
        if attempt:
            headers |= {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": "http_timeout"}
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=ACK_SECONDS)
            self._session = aiohttp.ClientSession(timeout=timeout)
        try:
            async with self._session.post(url, data=body, headers=headers) as response:
                text = await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            _log.warning("the Request URL %s did not answer: %r", url, error)
            return
        if response.status == 200:
            self._acks.resolve(envelope.id, _response(text))
        else:
            _log.warning("the Request URL %s refused a payload: HTTP %s", url, response.status)


def _encoded(envelope: Envelope) -> tuple[str, bytes]:
    form = "application/x-www-form-urlencoded"
    if envelope.type is EnvelopeType.EVENT:
        return "application/json", json.dumps(envelope.payload).encode()
    if envelope.type is EnvelopeType.SLASH:
        return form, urlencode(envelope.payload).encode()
    return form, urlencode({"payload": json.dumps(envelope.payload)}).encode()


def _response(text: str) -> Wire | None:
    if not text:
        return None
    try:
        parsed = json.loads(text)
    except ValueError:
        return {"text": text}
    return parsed if isinstance(parsed, dict) else {"text": text}
