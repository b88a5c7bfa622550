"""Setting who is expected to be a member."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.engine.ports import Finding, Happened, NotHappened, Unclear, Work, World
from procedures.model.errors import Permanent, Retryable
from procedures.model.ids import ClusterName, MemberName


@dataclass(frozen=True, slots=True)
class Expect:
    """Put a record of expected members in the place of the one that was approved as the former.

    `was` is None where none was believed. Nothing of the cluster changes. A late duplicate is
    harmless: the store refuses it without the run's lease, and over any other record.
    """

    KIND: ClassVar[str] = "etcd.expect/1"

    cluster: ClusterName
    was: Mapping[MemberName, str] | None
    to: Mapping[MemberName, str]

    @property
    def command(self) -> str:
        """What is recorded."""
        return f"record as the expected members of {self.cluster}: {written(self.to)}"

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Record it. Raises Permanent where another record is there than was approved."""
        found = await world.expected.read(self.cluster)
        if found.members == self.to:
            await work.say("they are recorded as expected already")
            return None
        if found.members != self.was:
            now = "nothing" if found.members is None else written(found.members)
            message = (
                f"The expected members of {self.cluster} are other ones than when this was "
                f"approved; recorded is {now}. Ask again, to have the plan made anew."
            )
            raise Permanent(message)
        await work.guard()
        await world.expected.write(self.cluster, found, self.to)
        await work.say(f"expected are {', '.join(self.to)}")
        return None

    async def probe(self, world: World, _work: Work) -> Finding:
        """Read the record: what a worker wrote that lost its run did not get in."""
        try:
            found = await world.expected.read(self.cluster)
        except Retryable as error:
            return Unclear(str(error))
        return Happened() if found.members == self.to else NotHappened()


def written(members: Mapping[MemberName, str]) -> str:
    """Write members and their URLs as people type them."""
    return ",".join(f"{name}={url}" for name, url in sorted(members.items()))
