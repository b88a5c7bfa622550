"""Why a sandbox cannot run."""


class SandboxError(Exception):
    """The sandbox cannot start or go on; the message is one line that says what to do."""
