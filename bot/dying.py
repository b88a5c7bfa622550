"""Child processes that do not outlive the process that started them."""

import os
import sys
from collections.abc import Sequence

# Runs in the child, in place of a `preexec_fn`: Python code between fork and exec is unsafe in a
# process that has threads. The second check closes the gap between the fork and the call.
_DIE_WITH_PARENT = """\
import ctypes, os, signal, sys
PR_SET_PDEATHSIG = 1
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    os.kill(os.getpid(), signal.SIGKILL)
try:
    os.execvp(sys.argv[2], sys.argv[2:])
except OSError as error:
    sys.exit(f"{sys.argv[2]}: {error.strerror}")
"""


def dying(argv: Sequence[str]) -> list[str]:
    """The command line that runs `argv` until it ends, or this process does, however it ends.

    Start it from the main thread: the kernel takes the end of the starting thread for the parent's
    death. A program that is not there shows as an exit, with words on stderr.
    """
    return [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid()), *argv]
