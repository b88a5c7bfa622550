"""What metrics pages said a moment ago, so that who looks again need not wait again."""

from collections.abc import Mapping
from itertools import dropwhile

from procedures.model.ids import ClusterName
from procedures.model.probe import Fault, Metrics

_KEPT_MS = 60_000
_APART_MS = 500
"""Closer ones add nothing; the newest is kept in any case."""


class Scrapes:
    """The scrapes of the last minute, by cluster and endpoint."""

    def __init__(self) -> None:
        self._kept: dict[tuple[ClusterName, str], tuple[Metrics, ...]] = {}

    def keep(
        self, cluster: ClusterName, answers: Mapping[str, Metrics | Fault], now_ms: int
    ) -> None:
        """Add the answers of a round; a fault ends what is known of an endpoint."""
        for endpoint, answer in answers.items():
            before = self._kept.pop((cluster, endpoint), ())
            if isinstance(answer, Metrics):
                self._kept[cluster, endpoint] = (*_thinned(before), answer)
        self._kept = {
            key: recent
            for key, kept in self._kept.items()
            if (recent := tuple(dropwhile(lambda each: each.at_ms < now_ms - _KEPT_MS, kept)))
        }

    def of(self, cluster: ClusterName, endpoint: str) -> tuple[Metrics, ...]:
        """Those of one endpoint, oldest first."""
        return self._kept.get((cluster, endpoint), ())


def _thinned(kept: tuple[Metrics, ...]) -> tuple[Metrics, ...]:
    """Without the last, where that came right after the one before."""
    if len(kept) > 1 and kept[-1].at_ms - kept[-2].at_ms < _APART_MS:
        return kept[:-1]
    return kept
