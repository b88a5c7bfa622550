"""Which member of a cluster is meant, and in which condition people have seen it."""

from dataclasses import dataclass
from enum import StrEnum

from procedures.model.ids import MemberId


class Condition(StrEnum):
    """What is known of a member for certain; a plan rests on it."""

    HEALTHY = "healthy"
    FAILED = "failed"
    CORRUPT = "corrupt"  # it serves, and its data is not that of most members


@dataclass(frozen=True, slots=True)
class Identity:
    """A member by all three of its marks (R7): a plan means this one and no other."""

    id: MemberId
    name: str
    peer_urls: tuple[str, ...]

    @property
    def shown(self) -> str:
        """What people call it; one that never started has only an id."""
        return f"{self.name} ({self.id})" if self.name else self.id
