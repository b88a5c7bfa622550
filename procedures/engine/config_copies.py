"""What procedures need of a place for copies of configurations."""

from typing import Protocol

from procedures.model.config_copy import ConfigCopy, Listed
from procedures.model.ids import ClusterName


class ConfigCopies(Protocol):
    """Where a site keeps what configures etcd on its hosts, beside the snapshots.

    Every call raises Retryable where the place is out of reach or full for the moment, and
    Permanent where it cannot be used as it is. Nothing is ever deleted: a copy is small.
    """

    async def keep(self, copy: ConfigCopy) -> None:
        """Store a copy, 0600, under its name at once, and read it again.

        A duplicate is harmless: it has the same name and is the same. Raises Permanent where what
        is read is something else.
        """
        ...

    async def listing(self, cluster: ClusterName) -> tuple[Listed, ...]:
        """All copies of a cluster's hosts, the newest first. What they hold is not read."""
        ...

    async def read(self, cluster: ClusterName, name: str) -> ConfigCopy:
        """Read one, whole as it was stored. Raises Permanent where it is damaged or not there."""
        ...
