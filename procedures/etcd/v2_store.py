"""Whether there is a v2 store, and what can copy it. (catalogue P23, P32; X13)"""

from dataclasses import dataclass

from procedures.etcd.asking import Asking
from procedures.etcd.standing import find_tool_that
from procedures.model.errors import Refused
from procedures.model.host import Machine
from procedures.model.inventory import Platform
from procedures.model.platform import Layout
from procedures.model.restoring import Tool
from procedures.model.v2 import WITH_V3, backup_argv, root_argv, root_names

NO_COPIER = (
    "it has no etcdctl of its server's minor, up to 3.4, whose backup has --with-v3; that of 3.5 "
    "leaves the ids of the cluster in a copy (X11, X13, X21)"
)

_LAST_WITH_NEW_IDS = (3, 4)
_PLATFORMS = (Platform.ETCD, Platform.OKD3)


@dataclass(frozen=True, slots=True)
class Store:
    """What lies at the root of a member's v2 store; or why it serves none."""

    names: tuple[str, ...] = ()
    why_not: str | None = None


def require_unit(platform: Platform, instead: str) -> None:
    """Go on only where etcd is a unit of its host's, with its tools beside it. Raises Refused."""
    if platform not in _PLATFORMS:
        message = (
            f"On {platform}, a v2 store is neither backed up nor restored by Quorumbot: that is "
            f"done where etcd is a unit of systemd (okd3). Use {instead}."
        )
        raise Refused(message)


async def store_of(asking: Asking, how: Layout, machine: Machine, url: str) -> Store:
    """Ask a member, on its own host."""
    argv = root_argv(f"{how.programs}etcdctl", how.certificates(machine.hostname), url)
    said = await asking.said(argv, range(256))
    if said.status == 0:
        return Store(root_names(said.out))
    lines = (said.err.strip() or said.out.strip()).splitlines()
    why = lines[0].removeprefix("Error:").strip() if lines else f"status {said.status}"
    return Store(why_not=why[:200])


async def find_copier(asking: Asking, how: Layout, minor: str) -> Tool | None:
    """Find the program that copies both stores, and gives the copy new ids. (X11, X21)

    That of 3.5 leaves the ids as they are, so that members of the old cluster would fit in.
    """
    if tuple(int(part) for part in minor.split(".")) > _LAST_WITH_NEW_IDS:
        return None

    async def copies(tool: Tool) -> bool:
        told = await asking.said(backup_argv(tool, "--help"), range(256))
        return WITH_V3 in told.out + told.err

    return await find_tool_that(asking, how, minor, copies)
