"""What procedures need of the record of expected members. The store keeps it; tests use a twin."""

from collections.abc import Mapping
from typing import Protocol

from procedures.model.expected import Expected
from procedures.model.ids import ClusterName, MemberName


class Membership(Protocol):
    """The record of expected members, in the hands of one run.

    Whoever reads or writes it sees the inventory of its `World` follow.
    """

    async def read(self, cluster: ClusterName) -> Expected:
        """Read the record. Raises Retryable when the store does not answer."""
        ...

    async def write(
        self, cluster: ClusterName, was: Expected, to: Mapping[MemberName, str]
    ) -> None:
        """Put a record, one version on, in the place of the one that was read.

        A late duplicate is harmless: only the run that holds the cluster can write, and only over
        what it has read. Raises Permanent, and nothing is changed, where it is another one now.
        """
        ...
