"""Starting a service on a host, now and at each boot. (catalogue P01, P02)"""

from dataclasses import dataclass
from typing import ClassVar

from procedures.actions.host.command import Command
from procedures.actions.host.pieces import Piece
from procedures.model.host import At
from procedures.model.ids import ClusterName, RunId


@dataclass(frozen=True, slots=True)
class StartService(Command):
    """Enable and start a systemd unit.

    A late duplicate is harmless: the command bears a mark on the host, under which it runs once.
    """

    KIND: ClassVar[str] = "host.start-service/1"

    cluster: ClusterName
    at: At
    unit: str

    def _piece(self, _run: RunId) -> Piece:
        return Piece("start", ("systemctl", "enable", "--now", self.unit))
