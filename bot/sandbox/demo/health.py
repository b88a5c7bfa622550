"""Whether an etcd member answers that it is healthy."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from bot.sandbox.demo.pki import Files

_SECONDS = 2.0


class Health:
    """Asks members for `/health` with the client certificate.

    The member's own certificate is not looked at: a test that gave it a wrong one still has to
    know when the member is up. Nothing but "healthy" is read from the answer.
    """

    def __init__(self, files: Files) -> None:
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._tls.check_hostname = False
        self._tls.verify_mode = ssl.CERT_NONE
        self._tls.load_cert_chain(files.cert, files.key)

    async def healthy(self, url: str) -> bool:
        """False also for no answer within two seconds."""
        # In a thread: asyncio cannot give up a TLS handshake with a frozen member without
        # leaving its socket open for half a minute.
        return await asyncio.to_thread(self._ask, url)

    async def unhealthy(self, urls: Mapping[str, str]) -> list[str]:
        """The names, out of `{name: url}`, that are not healthy; asked all at once."""
        answers = await asyncio.gather(*(self.healthy(url) for url in urls.values()))
        return [name for name, good in zip(urls, answers, strict=True) if not good]

    def _ask(self, url: str) -> bool:
        address = urlsplit(url).netloc
        with closing(HTTPSConnection(address, timeout=_SECONDS, context=self._tls)) as connection:
            try:
                connection.request("GET", "/health")
                report = json.loads(connection.getresponse().read())
            except (OSError, HTTPException, ValueError):
                return False
        return isinstance(report, dict) and report.get("health") == "true"
