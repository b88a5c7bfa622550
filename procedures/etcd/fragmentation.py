"""Whether it pays to defragment a member. (rule R11; thresholds of OpenShift's etcd operator)"""

from enum import StrEnum

from procedures.model.probe import Status

MIB = 1024**2
FRAGMENTED_PERCENT, FRAGMENTED_BYTES = 45, 100 * MIB
SPARE_BYTES = 64 * 1024
"""So much may be free in a file that has just been defragmented."""


class Worth(StrEnum):
    """How much there must be to win."""

    MUCH = "much"
    ANY = "any"

    @property
    def shown(self) -> str:
        """What is left alone, as the text of a plan says it."""
        if self is Worth.ANY:
            return f"less than {SPARE_BYTES // 1024} KiB of its file is free"
        return (
            f"less than {FRAGMENTED_PERCENT} % of its file is free, or the file is smaller than "
            f"{FRAGMENTED_BYTES // MIB} MiB"
        )


def free_percent(status: Status) -> int:
    """The share of the data file that holds nothing."""
    return (status.db_size - status.db_size_in_use) * 100 // max(status.db_size, 1)


def pays(status: Status, worth: Worth = Worth.MUCH) -> bool:
    """Tell whether there is enough to win."""
    if worth is Worth.ANY:
        return status.db_size - status.db_size_in_use >= SPARE_BYTES
    return free_percent(status) >= FRAGMENTED_PERCENT and status.db_size >= FRAGMENTED_BYTES


def figures(status: Status) -> str:
    """How much is free, for people."""
    size = status.db_size
    shown = f"{size / MIB:.1f} MiB" if size >= MIB else f"{size // 1024} KiB"
    return f"{free_percent(status)} % of {shown} free"
