"""The error families. A message says what happened, to what, and what to do next."""


class QuorumbotError(Exception):
    """Anything that Quorumbot itself reports; its text is meant for people."""


class UsageError(QuorumbotError):
    """The request cannot be understood; the text says what would be."""


class Refused(QuorumbotError):  # noqa: N818 (a refusal is an answer, not a malfunction)
    """Understood, and not done: a rule or a right stands against it."""


class Retryable(QuorumbotError):  # noqa: N818 (names the family: the same call may succeed later)
    """Failed for a passing reason; the same call may succeed later."""


class Permanent(QuorumbotError):  # noqa: N818 (names the family: trying again changes nothing)
    """Failed for a lasting reason; trying again changes nothing."""


class InDoubt(QuorumbotError):  # noqa: N818 (names the family: a person has to look)
    """Nobody can tell whether it happened; a person has to look."""
