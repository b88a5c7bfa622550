"""Where the programs that the sandbox starts are."""

import asyncio
import os
import re
import shutil
from pathlib import Path

from bot.sandbox.errors import SandboxError

CACHE = Path(__file__).parents[2] / ".cache" / "bin"
"""Where `./try --setup` unpacks them, in a checkout."""

_VERSION = re.compile(r"etcd Version: (\d+\.\d+)\.")
_ANSWER_S = 10.0

_SPLIT_MINOR = 5
"""From 3.5 on, snapshots are read by a tool of their own."""

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


async def snapshot_tools(etcd: str) -> dict[str, str]:
    """Which tool reads this etcd's snapshots, by its minor: the one beside it, or on the PATH."""
    process = await asyncio.create_subprocess_exec(
        etcd, "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    async with asyncio.timeout(_ANSWER_S):
        output, _ = await process.communicate()
    found = _VERSION.search(output.decode(errors="replace"))
    if found is None:
        raise SandboxError(f"{etcd} does not tell its version; choose another with PATH")
    minor = found[1]
    name = "etcdctl" if int(minor.partition(".")[2]) < _SPLIT_MINOR else "etcdutl"
    path = os.pathsep.join((str(Path(etcd).parent), os.environ.get("PATH", os.defpath)))
    tool = shutil.which(name, path=path)
    return {minor: tool} if tool else {}
