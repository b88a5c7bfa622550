"""A run's whole log, as one file in its thread."""

import asyncio
import logging

import aiohttp

from bot.ports import Output
from bot.slack.calls import Calls
from bot.slack.errors import NotNowError, RefusedError
from bot.slack.excerpts import log_text
from bot.slack.thread import Below, Thread
from procedures.model.run import Run

_log = logging.getLogger(__name__)

_SEND_S = 120.0
_SENT = "sent"


class RunLog:
    """Uploads logs: one after the other, because they may be long."""

    def __init__(self, calls: Calls, thread: Thread, output: Output) -> None:
        self._calls = calls
        self._thread = thread
        self._output = output
        self._alone = asyncio.Lock()

    async def post(self, below: Below) -> None:
        """Post the log of a run that has ended, once; nothing where there was no output.

        The file's id is noted before Slack is told to show the file, so that a front which dies
        around that call does not lead to a second file.
        """
        name = f"log {below.run.ended_at_ms}"
        if not below.run.state.final or not below.run.steps or below.notes.get(name) == _SENT:
            return
        async with self._alone:
            try:
                file = below.notes.get(name) or await self._uploaded(below.run)
                if not file:
                    return
                await self._thread.note(below, name, file)
                await self._show(below, file)
            except RefusedError as refused:
                _log.error("the log of run %s cannot be posted: %s", below.run.id, refused)
            await self._thread.note(below, name, _SENT)

    async def _uploaded(self, run: Run) -> str:
        """Send the log to Slack, where nobody sees it yet; gives the file's id, or nothing."""
        lines = await self._output.output(run.id)
        data = await asyncio.to_thread(lambda: log_text(lines).encode())
        if not data:
            return ""
        client = self._calls.client
        ticket = await self._calls.call(
            "files.getUploadURLExternal",
            lambda: client.files_getUploadURLExternal(filename=f"{run.id}.log", length=len(data)),
            patient=False,
        )
        await self._send(str(ticket["upload_url"]), data)
        return str(ticket["file_id"])

    async def _send(self, url: str, data: bytes) -> None:
        client = self._calls.client
        try:
            async with (
                asyncio.timeout(_SEND_S),
                aiohttp.ClientSession() as session,
                session.post(url, data=data, proxy=client.proxy, ssl=client.ssl or True) as answer,
            ):
                answer.raise_for_status()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.warning("a log was not uploaded: %s", error)
            raise NotNowError from error

    async def _show(self, below: Below, file: str) -> None:
        client, root = self._calls.client, below.root
        await self._calls.call(
            "files.completeUploadExternal",
            lambda: client.files_completeUploadExternal(
                files=[{"id": file, "title": f"Log of run {below.run.id}"}],
                channel_id=root.channel,
                thread_ts=root.ts,
            ),
            patient=False,
        )
