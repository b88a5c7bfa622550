"""The secrets that the workspace issues to the one app installed in it."""

import secrets
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """Tokens and signing secret of the app; the workspace accepts no others."""

    bot_token: str
    app_token: str
    signing_secret: str

    @classmethod
    def generate(cls) -> Self:
        """Make fresh random credentials in Slack's shapes."""
        return cls(
            bot_token=f"xoxb-0-{secrets.token_hex(16)}",
            app_token=f"xapp-1-A0QUORUMBOT-{secrets.token_hex(16)}",
            signing_secret=secrets.token_hex(16),
        )

    def mask(self, text: str) -> str:
        """Return `text` with each of these secrets replaced."""
        for secret in (self.bot_token, self.app_token, self.signing_secret):
            text = text.replace(secret, f"{secret[:5]}…")
        return text

    def __repr__(self) -> str:
        """Show that there are credentials, never what they are."""
        return "Credentials(bot_token='xoxb-…', app_token='xapp-…', signing_secret='…')"
