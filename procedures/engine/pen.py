"""What a run is journalled with while it is carried out."""

from typing import Protocol

from procedures.engine.ports import Work
from procedures.model.events import Event
from procedures.model.run import Run


class Pen(Protocol):
    """A run's journal, for the worker that holds its lease.

    Its methods raise when the lease is lost; whoever carries a run out stops at once then.
    """

    @property
    def run(self) -> Run:
        """The run as the journal has it now."""
        ...

    async def write(self, *events: Event) -> None:
        """Journal events, and hold the lease for as long as the run needs no person."""
        ...

    def work(self, step: int) -> Work:
        """A step's place in the run."""
        ...
