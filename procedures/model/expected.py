"""Which members of a cluster are expected, as the runs that change them have recorded it."""

from collections.abc import Mapping
from dataclasses import dataclass

from procedures.model.ids import MemberName, RunId


@dataclass(frozen=True, slots=True)
class Expected:
    """What is recorded of a cluster: each expected member with its client URL.

    `members` is None where nothing is recorded that can be believed: then the configuration
    counts. `version` grows with each change, and `run` made the last one. `fault` tells why a
    record is not believed; it begins with `it` or `its`.
    """

    members: Mapping[MemberName, str] | None = None
    version: int = 0
    run: RunId | None = None
    fault: str | None = None
