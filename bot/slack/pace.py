"""How often one run may edit its message and speak in its thread."""

import time

EDIT_S = 3.0
"""Between two edits of a run's message."""

EXCERPT_S = 3.0
"""Between two excerpts of a run's output."""

GATHER_S = 1.0
"""So long the first lines are gathered."""

_LONGEST_S = 15.0
_SLOWER_AFTER = 20


class Pace:
    """One run's; it begins anew with each front. A run that goes on for long speaks less often."""

    def __init__(self) -> None:
        self._edit_at = 0.0
        self._since = 0.0
        self._excerpt_at = 0.0
        self._excerpts = 0

    def edit_in_s(self) -> float:
        """In how many seconds an edit may be made; 0 for now."""
        return max(0.0, self._edit_at - time.monotonic())

    def edited(self) -> None:
        """Note that an edit was made."""
        self._edit_at = time.monotonic() + EDIT_S

    def excerpt_in_s(self, *, last: bool) -> float:
        """In how many seconds an excerpt may be posted, there being lines for one.

        The `last` one does not wait for others.
        """
        now = time.monotonic()
        if not self._excerpts:
            self._since = self._since or now
            return 0.0 if last else max(0.0, self._since + GATHER_S - now)
        slower = 1 if last else 1 + self._excerpts // _SLOWER_AFTER
        return max(0.0, self._excerpt_at + min(_LONGEST_S, slower * EXCERPT_S) - now)

    def excerpted(self) -> None:
        """Note that an excerpt was posted."""
        self._excerpt_at = time.monotonic()
        self._excerpts += 1
