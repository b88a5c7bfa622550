"""Commands on this machine, as lists of arguments, each with its time limit."""

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.testbed.errors import BedError

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {"PATH": _PATH, "LANG": "C.UTF-8", "HOME": "/root", "TERM": "dumb"}
"""What commands get: nothing of the caller's, whose variables (`ETCDCTL_…`) would change them."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended. `status` is negative for a signal."""

    status: int
    output: str
    errors: str


def attempt(
    argv: Sequence[str],
    *,
    timeout: float = 30,
    stdin: str = "",
    environment: Mapping[str, str] | None = None,
) -> Ran:
    """Run a command to its end, whatever that is. Raises BedError after `timeout` seconds."""
    try:
        done = subprocess.run(
            argv,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
            env=ENVIRONMENT | dict(environment or {}),
        )
    except subprocess.TimeoutExpired:
        raise BedError(f"not done within {timeout:g} s: {' '.join(argv)}") from None
    except FileNotFoundError as error:
        raise BedError(f"there is no {error.filename}") from error
    return Ran(done.returncode, done.stdout, done.stderr)


def call(
    argv: Sequence[str],
    *,
    timeout: float = 30,
    stdin: str = "",
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a command and return what it printed. Raises BedError unless it ends with status 0."""
    ran = attempt(argv, timeout=timeout, stdin=stdin, environment=environment)
    if ran.status:
        said = (ran.errors or ran.output).strip()[-2000:]
        raise BedError(f"status {ran.status} of: {' '.join(argv)}\n{said}")
    return ran.output


def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until `condition()` holds. Raises BedError with `what` after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise BedError(f"not within {seconds:g} s: {what}")
        time.sleep(0.02)
