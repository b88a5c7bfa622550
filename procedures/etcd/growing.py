"""Growing a restored cluster back, one member after another. (P34; R3, R5, R6, R8)"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from procedures.actions.etcd.add_member import AddMember
from procedures.actions.etcd.check_healthy import CheckHealthy, CheckMember, WriteAndRead
from procedures.actions.etcd.check_same_data import CheckSameData
from procedures.actions.etcd.promote_member import PromoteMember
from procedures.actions.host.files import is_text, rewritten
from procedures.actions.host.run_etcd import StartEtcd
from procedures.etcd.admission import NEW_ID, taking_back
from procedures.etcd.joining import initial_cluster, staying
from procedures.etcd.peer_urls import is_local
from procedures.etcd.standing import Standing
from procedures.model import envfile
from procedures.model.errors import Refused
from procedures.model.host import At, FileSeen
from procedures.model.ids import ClusterName, MemberId
from procedures.model.inventory import Cluster, Platform
from procedures.model.member import Identity
from procedures.model.plan import Undo
from procedures.model.platform import layout
from procedures.model.procedure import Runbook
from procedures.model.restoring import Seed

_FIRST_WITH_LEARNERS = (3, 4)


def joining(cluster: Cluster, first: Standing, stopped: Sequence[Standing]) -> tuple[Standing, ...]:
    """Who is a member in the end, the first one included: an odd number (R8).

    A host that answers joins as the member that it was, if its configuration says which, and no
    other's says the same; where etcd knows no learners, nobody does (R6), nor where nobody could
    reach the first one.
    """
    if not _knows_learners(first) or any(is_local(url) for url in first.seed.peer_urls):
        return (first,)
    able: list[Standing] = []
    for each in stopped:
        taken = {name for other in (first, *able) for name in _marks(other)}
        if each is not first and _may_join(cluster, first, each) and not taken & _marks(each):
            able.append(each)
    return (first, *able[: len(able) // 2 * 2])


def _may_join(cluster: Cluster, first: Standing, each: Standing) -> bool:
    minor = first.tool.minor if first.tool else ""
    return (
        each.values.get("ETCD_NAME") in cluster.endpoints
        and len(each.seed.peer_urls) == 1
        and not is_local(each.seed.peer_urls[0])
        and not each.forced
        and each.minor in {None, minor}
        and each.stuck is None
        and each.config is not None
        and is_text(_text(each.config))
    )


def _marks(each: Standing) -> set[str]:
    """What no two members share."""
    return {each.seed.name, *each.seed.peer_urls}


def _knows_learners(first: Standing) -> bool:
    minor = first.tool.minor if first.tool else ""
    return tuple(int(part) for part in minor.split(".")) >= _FIRST_WITH_LEARNERS


def tell(joins: Sequence[Standing], stopped: Sequence[Standing], run: Runbook) -> None:
    """Say how many members there are in the end, and who stays out."""
    count = len(joins)
    run.fact(
        f"Afterwards {count} of {count} members, tolerance {(count - 1) // 2}: "
        f"{', '.join(each.seed.name for each in joins)}."
    )
    for each in stopped:
        if each not in joins:
            why = (
                each.stuck
                or each.forced
                or "with it there would be an even number, or it cannot join as it is (R6, R8)"
            )
            how = f"scale-up {each.host.name}" if _knows_learners(joins[0]) else "member add"
            run.fact(f"{each.host.name} stays off: {why}. Add it later with /etcd {how}.")
    if local := [url for url in joins[0].seed.peer_urls if is_local(url)]:
        name = joins[0].seed.name
        run.fact(
            f"The peer URL of {name} is {local[0]}, where no other host reaches it. Before others "
            f"are added: /etcd member fix-peer-url {name} https://ADDRESS:2380."
        )


@dataclass(frozen=True, slots=True)
class Growing:
    """Writes this part of a plan; `first` is there, on `at` with `config`, and takes writes."""

    cluster: ClusterName
    platform: Platform
    first: Seed
    at: At
    config: FileSeen
    run: Runbook

    def by(self, others: Sequence[Standing]) -> None:
        """Let these join, each when the one before votes; then compare the data of all.

        Each is told of those before it only, as etcd wants it; so all are told of all in the end.
        """
        peers = {self.first.name: self.first.peer_urls[0]}
        told = [(self.at, self.config)]
        for each in others:
            peers[each.seed.name] = each.seed.peer_urls[0]
            told.append(self._one(each, peers))
        if others:
            self.run.step("Check that all members are healthy", CheckHealthy(self.cluster))
            self.run.step("Check that all have the same data", CheckSameData(self.cluster))
            self.run.step("Check that the cluster takes writes", WriteAndRead(self.cluster))
        for at, config in told:
            self._note(at, config, peers)

    def _note(self, at: At, config: FileSeen, peers: dict[str, str]) -> None:
        """It is read at a first start only, so no restore is refused for it."""
        before, path = _text(config), layout(self.platform).config
        listed = envfile.read(before).get("ETCD_INITIAL_CLUSTER", "")
        try:
            if set(listed.split(",")) == set(initial_cluster(peers).split(",")):
                return
            note = rewritten(self.cluster, at, path, config, staying(before, peers))
        except Refused as refused:
            self.run.fact(f"{path} on {at.host} keeps its list of members: {refused}")
            return
        self.run.step(f"Note the new membership on {at.host}", note)

    def _one(self, each: Standing, peers: dict[str, str]) -> tuple[At, FileSeen]:
        """A learner counts for no quorum, so that nothing waits for it (R6)."""
        run, at = self.run, At(each.host.name, each.machine.machine_id)
        name, [url] = each.seed.name, each.seed.peer_urls
        assert each.config is not None  # noqa: S101 (it was chosen for having one)
        changes: dict[str, str | None] = {
            "ETCD_INITIAL_CLUSTER": initial_cluster(peers),
            "ETCD_INITIAL_CLUSTER_STATE": "existing",
            "ETCD_FORCE_NEW_CLUSTER": None,
        }
        content = envfile.edited(_text(each.config), changes)
        path = layout(self.platform).config
        run.step(
            f"Let {each.host.name} join an existing cluster",
            rewritten(self.cluster, at, path, each.config, content),
            undo=Undo(f"The former {path} is kept beside it, as .…quorumbot-<its SHA-256>."),
        )
        added = run.step(
            f"Add {name} as a learner",
            AddMember(self.cluster, name, url),
            gives=NEW_ID,
            undo=taking_back(run),
        )
        run.step(f"Start etcd on {each.host.name}", StartEtcd(self.cluster, self.platform, at))
        # Nobody knows the id before: these steps take what the addition gave.
        member = Identity(cast("MemberId", added), name, (url,))
        run.step(f"Wait until {name} has caught up", CheckMember(self.cluster, member))
        run.step(f"Let {name} vote", PromoteMember(self.cluster, member))
        return at, replace(each.config, content=content.encode("utf-8", "surrogateescape"))


def _text(config: FileSeen) -> str:
    return config.content.decode("utf-8", "surrogateescape")
