"""Where the programs that the sandbox starts are."""

import os
import shutil
from pathlib import Path

from bot.sandbox.errors import SandboxError

CACHE = Path(__file__).parents[2] / ".cache" / "bin"
"""Where `./try --setup` unpacks them, in a checkout."""

_PACKAGES = {
    "etcd": "etcd-server",
    "etcdctl": "etcd-client",
    "redis-server": "redis-server",
}


class MissingBinariesError(SandboxError):
    """Programs are missing; the message names them all and says how to get them."""


def find(*names: str) -> dict[str, str]:
    """The paths of these programs, from PATH or else from the checkout's cache."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), str(CACHE)))
    found = {name: shutil.which(name, path=path) for name in names}
    if missing := [name for name, where in found.items() if where is None]:
        packages = " ".join(_PACKAGES[name] for name in missing)
        raise MissingBinariesError(
            f"not found: {', '.join(missing)}. Run `./try --setup` in a checkout, which fetches "
            f"what is missing, or install your distribution's packages ({packages} on Debian)"
        )
    return {name: where for name, where in found.items() if where is not None}
