"""Giving restored data the owner and label that etcd's data has. (catalogue P34)"""

from dataclasses import dataclass
from typing import ClassVar

from procedures.actions.host.command import Command
from procedures.actions.host.pieces import Piece
from procedures.model.host import At
from procedures.model.ids import ClusterName, RunId
from procedures.model.inventory import Platform
from procedures.model.platform import layout
from procedures.model.restoring import folder

_LIMIT_MS = 600_000


@dataclass(frozen=True, slots=True)
class OwnLikeData(Command):
    """Give what was restored the owner of `like`: the old data, or the data folder itself.

    The tool gives it the mode that etcd does, 0700. A late duplicate is harmless: the command
    bears a mark on the host, under which it runs once.
    """

    KIND: ClassVar[str] = "host.own-like-data/1"

    cluster: ClusterName
    platform: Platform
    at: At
    like: str

    def _piece(self, run: RunId) -> Piece:
        target = f"{folder(layout(self.platform).data, run)}/member"
        argv = ("chown", "--recursive", f"--reference={self.like}", target)
        return Piece("owner", argv, _LIMIT_MS)


@dataclass(frozen=True, slots=True)
class Relabel(Command):
    """Give data in its place the SELinux labels of that place.

    A late duplicate is harmless: it sets what is set.
    """

    KIND: ClassVar[str] = "host.relabel/1"

    cluster: ClusterName
    platform: Platform
    at: At

    def _piece(self, _run: RunId) -> Piece:
        argv = ("restorecon", "-R", f"{layout(self.platform).data}/member")
        return Piece("label", argv, _LIMIT_MS)
