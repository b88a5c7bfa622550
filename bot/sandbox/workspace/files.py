"""Files and their three-step upload."""

import secrets
from dataclasses import dataclass, replace

from bot.sandbox.workspace.people import BOT_USER_ID, TEAM_ID
from bot.sandbox.workspace.wire import Wire


@dataclass(frozen=True, slots=True)
class File:
    """A file at one point of its way: announced, received (`content`), complete, and with a
    `channel_id` shared.
    """

    id: str
    name: str
    length: int
    created: int
    title: str = ""
    content: bytes | None = None
    is_complete: bool = False
    channel_id: str | None = None
    thread_ts: str | None = None

    @property
    def is_text(self) -> bool:
        """Whether the content reads as UTF-8 text."""
        try:
            (self.content or b"").decode()
        except UnicodeDecodeError:
            return False
        return True

    def wire(self, base_url: str) -> Wire:
        """Return the `file` object."""
        return {
            "id": self.id,
            "name": self.name,
            "title": self.title or self.name,
            "created": self.created,
            "timestamp": self.created,
            "mimetype": "text/plain" if self.is_text else "application/octet-stream",
            "filetype": "text" if self.is_text else "binary",
            "pretty_type": "Plain Text" if self.is_text else "Binary",
            "user": BOT_USER_ID,
            "user_team": TEAM_ID,
            "size": self.length,
            "mode": "snippet" if self.is_text else "hosted",
            "is_external": False,
            "is_public": self.channel_id is not None,
            "editable": False,
            "url_private": f"{base_url}/files/{self.id}",
            "url_private_download": f"{base_url}/files/{self.id}",
            "permalink": f"{base_url}/files/{self.id}",
        }


class Files:
    """All files of the workspace."""

    def __init__(self) -> None:
        """Start empty."""
        self._files: dict[str, File] = {}
        self._uploads: dict[str, str] = {}

    def announce(self, name: str, length: int, created: int) -> tuple[File, str]:
        """Begin an upload; return the file and the secret part of its upload address."""
        file = File(f"F0{secrets.token_hex(4).upper()}", name, length, created)
        token = secrets.token_hex(16)
        self._files[file.id] = file
        self._uploads[token] = file.id
        return file, token

    def receive(self, token: str, content: bytes) -> File | None:
        """Take the bytes for an upload address; None when it is unknown or the length differs."""
        file_id = self._uploads.get(token)
        if file_id is None or len(content) != self._files[file_id].length:
            return None
        del self._uploads[token]
        self._files[file_id] = replace(self._files[file_id], content=content)
        return self._files[file_id]

    def find(self, file_id: str) -> File | None:
        """Find a file by id."""
        return self._files.get(file_id)

    def share(
        self, file: File, *, title: str, channel_id: str | None, thread_ts: str | None
    ) -> File:
        """Finish an upload into a channel, or into none."""
        shared = replace(
            file, title=title, is_complete=True, channel_id=channel_id, thread_ts=thread_ts
        )
        self._files[file.id] = shared
        return shared

    def in_channel(self, channel_id: str | None) -> list[File]:
        """Return the shared files of a channel, or of all channels, oldest first."""
        return [
            file
            for file in self._files.values()
            if file.channel_id is not None and channel_id in (None, file.channel_id)
        ]
