"""Redaction: secrets never leave. What is stored or shown goes through here first."""

import re
from collections.abc import Mapping

from procedures.model.errors import UsageError
from procedures.model.redaction.automaton import Automaton
from procedures.model.redaction.form import LEAST_FOLDED, forms
from procedures.model.redaction.mark import is_name, shown, written
from procedures.model.redaction.registered import RegisteredStream
from procedures.model.redaction.sign import NAMES
from procedures.model.redaction.spelling import fold
from procedures.model.redaction.unregistered import UnregisteredStream

LEAST = 8
"""Bytes that a secret has at least; shorter ones are found in ordinary text by chance."""

_PIECE = 64 * 1024  # of a greater chunk at once: what is noted on the way takes more than it
_LONE = re.compile("[\ud800-\udc7f\udd00-\udfff]")


def objection(name: str, value: bytes) -> str | None:
    """Why a secret cannot be redacted, in a sentence that does not tell it; None if it can."""
    if not is_name(name):
        return f"the name of a secret is 1 to 64 letters, digits and `._/-`, not {name!r}"
    if len(value.strip()) < LEAST:
        return f"the secret {name} is shorter than {LEAST} bytes and cannot be redacted: change it"
    if len(fold(value)) < LEAST_FOLDED:
        return (
            f"the secret {name} is made of white space, quotes and backslashes and cannot be "
            "redacted: change it"
        )
    return None


class Redactor:
    """Knows the secrets of one run, by name. Make it once: it gets faster with use.

    A registered secret is found as it is, in hexadecimal, in base64 of either alphabet wherever
    it starts, percent-encoded, escaped as in JSON, HTML or a shell, or several of these mixed; with
    line wraps and indentation inside; in small letters or capitals. Of a secret of several lines
    each line of 16 bytes and more is found alone, too. Whatever secrets overlap is replaced by
    one mark, `[secret NAME]` with the name of the longest. White space, quotes and backslashes
    at the very ends of a secret do not count and stay.

    Secrets that nobody registered are found by what stands before them: see `sign`.
    """

    def __init__(self, secrets: Mapping[str, bytes]) -> None:
        """Compile. Raises UsageError with the words of `objection`."""
        for name, value in secrets.items():
            reason = objection(name, value)
            if reason is not None:
                raise UsageError(reason)
        self._names = (*secrets, *NAMES)
        self._registered = len(secrets)
        self._reach = 12 * max(map(len, secrets.values()), default=0) + 4096
        self._automaton = Automaton(
            form for secret, value in enumerate(secrets.values()) for form in forms(secret, value)
        )
        self._check_marks()

    @property
    def reach(self) -> int:
        """Bytes that a registered secret spans at most, in any form with all its wraps."""
        return self._reach

    def text(self, text: str) -> str:
        """Redact a whole text at once. What is no text, such as a surrogate, becomes U+FFFD."""
        # Surrogates from `surrogateescape` are bytes and may be a part of a secret.
        whole = _LONE.sub("\N{REPLACEMENT CHARACTER}", text)
        stream = self.stream()
        data = whole.encode(errors="surrogateescape")
        return (stream.feed(data) + stream.close()).decode(errors="replace")

    def stream(self) -> "Stream":
        """Begin to redact output that comes in chunks."""
        return Stream(
            RegisteredStream(self._automaton, self._reach),
            UnregisteredStream(self._registered),
            self._names,
        )

    def _check_marks(self) -> None:
        for name in self._names:
            marked = RegisteredStream(self._automaton, self._reach)
            text = marked.feed(shown(name).encode()) + marked.close(cut=False)
            if text != shown(name):
                raise UsageError(
                    f"the mark {name!r} would tell a secret: change the secret or its name"
                )


class Stream:
    """Redacts one output, chunk by chunk; how it is cut into chunks makes no difference.

    Between two calls it holds back only what may still turn out to be a part of a secret: at most
    `Redactor.reach` bytes, 400 more, and 16 KiB of a private key that is dropped in any case.
    """

    __slots__ = ("_names", "_registered", "_unregistered")

    def __init__(
        self,
        registered: RegisteredStream,
        unregistered: UnregisteredStream,
        names: tuple[str, ...],
    ) -> None:
        """Begin. `names` are those of all marks, by number."""
        self._registered = registered
        self._unregistered = unregistered
        self._names = names

    @property
    def held(self) -> int:
        """How many bytes are held back."""
        return self._registered.held + self._unregistered.held

    def feed(self, data: bytes) -> bytes:
        """Take a chunk; gives what is safe to store now."""
        pieces = (data[at : at + _PIECE] for at in range(0, len(data), _PIECE))
        return b"".join(
            written(self._unregistered.feed(self._registered.feed(piece)), self._names)
            for piece in pieces
        )

    def close(self, *, cut: bool = False) -> bytes:
        """Give the rest, when the output has ended; nothing may be fed any more.

        `cut` says that there may have been more, as when a command was killed: then the first
        half of a secret at the very end is replaced as well, as are 16 bytes of a longer one.
        """
        last = self._registered.close(cut=cut)
        rest = self._unregistered.feed(last) + self._unregistered.close()
        return written(rest, self._names)
