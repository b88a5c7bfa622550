"""What this process has seen of journals: they may grow, and nothing else."""

from collections import OrderedDict

from bot.store.signing import Journal
from procedures.model.ids import RunId

_MOST = 10_000
"""Of so many journals the heads are remembered, the latest ones that were read."""


class Memory:
    """Finds journals that were cut or rewritten since this process has read them."""

    def __init__(self) -> None:
        self._seen: OrderedDict[RunId, tuple[int, str]] = OrderedDict()

    def fault(self, run: RunId, journal: Journal) -> str | None:
        """Tell what is wrong with a journal that was read in full; remember it otherwise."""
        version, head = self._seen.get(run, (0, ""))
        if journal.version < version:
            return f"{run}: its journal is shorter than it was: {journal.version}, was {version}"
        if version and journal.hashes[version - 1] != head:
            return f"{run}: its journal was rewritten: entry {version - 1} is another"
        self.note(run, journal)
        return None

    def note(self, run: RunId, journal: Journal) -> None:
        """Remember a journal that was just read, or written to."""
        if journal.version:
            self._seen[run] = (journal.version, journal.head)
            self._seen.move_to_end(run)
            if len(self._seen) > _MOST:
                self._seen.popitem(last=False)
