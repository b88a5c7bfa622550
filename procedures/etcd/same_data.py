"""Whether the members hold the same data, and which one does not. (catalogue N5; rules R14, R16)

HashKV tells members apart only at one revision and one compaction. A majority of all voters, those
that gave no hash included, decides whose data is right; anything less is for people to decide.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from procedures.engine.ports import Look
from procedures.etcd.view import CORRUPT, View
from procedures.model.errors import Refused
from procedures.model.ids import MemberId
from procedures.model.inventory import Cluster
from procedures.model.probe import HashKv
from procedures.model.quorum import quorum

_MIB = 1024**2
_TRIES, _BETWEEN_MS = 5, 2_000


@dataclass(frozen=True, slots=True)
class Compared:
    """Hashes at one revision, by member; None for a voter that gave none. `names` are for words."""

    revision: int
    hashes: Mapping[MemberId, int | None]
    names: Mapping[MemberId, str]

    @property
    def known(self) -> dict[MemberId, int]:
        """The hashes of those that gave one."""
        return {member: each for member, each in self.hashes.items() if each is not None}

    @property
    def whole(self) -> bool:
        """Tell whether every voter gave one."""
        return len(self.known) == len(self.hashes)

    @property
    def equal(self) -> bool:
        """Tell whether nobody differs, of those that gave one."""
        return len(set(self.known.values())) == 1

    @property
    def said(self) -> str:
        """What each has told, for people."""
        return ", ".join(
            f"{self.names[member]} {'no hash' if each is None else f'{each:08x}'}"
            for member, each in self.hashes.items()
        )

    def odd(self) -> tuple[MemberId, ...]:
        """Those whose data is not that of most voters. Raises Refused where there is no most."""
        counted = Counter(self.known.values()).most_common(1)
        right, votes = counted[0] if counted else (0, 0)
        needed = quorum(len(self.hashes))
        if votes < needed:
            message = (
                f"At most {votes} of {len(self.hashes)} members hold the same data, and {needed} "
                f"would have to (R16): {self.said}. Nobody can tell here which is right. People "
                "have to, and then /etcd restore --data-is-bad from a snapshot."
            )
            raise Refused(message)
        return tuple(member for member, each in self.known.items() if each != right)


def too_large(cluster: Cluster, view: View) -> bool:
    """Tell whether hashing would take longer than the configuration wants."""
    return any(status.db_size > cluster.hash_up_to_bytes for _, status in view.statuses())


async def compared(cluster: Cluster, view: View, look: Look) -> Compared | None:
    """Ask every voter for its hash. None where a compaction has come in between."""
    asked = {
        seen.listed.id: seen.probe.endpoint
        for seen in view.voters
        if seen.listed and seen.probe and seen.status
    }
    revision = min((status.revision for _, status in view.statuses()), default=0)
    answers = await look.etcd.hashes(cluster, list(asked.values()), revision, fresh=True)
    found = {member: answers[endpoint] for member, endpoint in asked.items()}
    known = [each for each in found.values() if isinstance(each, HashKv)]
    if len({each.compact_revision for each in known}) > 1:
        return None
    rows = [seen.listed for seen in view.voters if seen.listed]
    hashes = {
        row.id: each.hash if isinstance(each := found.get(row.id), HashKv) else None for row in rows
    }
    names = {member.id: member.shown for member in view.members}
    return Compared(known[0].revision if known else revision, hashes, names)


async def surely_compared(cluster: Cluster, view: View, look: Look) -> Compared:
    """The same, where something rests on it. Raises Refused where it cannot be told."""
    if too_large(cluster, view):
        message = (
            f"The data is larger than `hash_up_to_bytes` of {cluster.name} allows to compare "
            f"({cluster.hash_up_to_bytes // _MIB:,} MiB), and nothing is done without a proof "
            "(R16). Raise it in the configuration."
        )
        raise Refused(message)
    for _ in range(_TRIES):
        found = await compared(cluster, view, look)
        if found is not None:
            return found
        await look.clock.sleep_ms(_BETWEEN_MS)
    message = (
        f"The members of {cluster.name} have not come to the same compaction, so that their data "
        "cannot be compared (R16). Ask again."
    )
    raise Refused(message)


def alarmed(view: View) -> bool:
    """Tell whether the alarm CORRUPT is on, whomever it names."""
    return any(each.kind == CORRUPT for each in view.alarms)


def forbid_while_corrupt(view: View) -> None:
    """R16: where data differs, nothing is changed but that. Raises Refused."""
    if alarmed(view):
        message = (
            "The alarm CORRUPT is on: members hold different data (R16). Nothing else is changed "
            "before /etcd replace-corrupt MEMBER; /etcd health says whose data differs."
        )
        raise Refused(message)
