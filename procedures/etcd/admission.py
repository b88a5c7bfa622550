"""The part of a plan in which a host becomes a member. (P53-P55, P64, P68; R3-R6, R17, R21)

All is made ready on the host before anything waits for it. It joins as a learner, so that no write
waits either, and votes when it has caught up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from procedures.actions.etcd.add_member import AddMember
from procedures.actions.etcd.check_healthy import CheckMember
from procedures.actions.etcd.expect import Expect
from procedures.actions.etcd.promote_member import PromoteMember
from procedures.actions.host.files import (
    MoveAside,
    WriteFile,
    placed,
    rewritten,
    written_again,
)
from procedures.actions.host.ports import CheckPorts
from procedures.actions.host.run_etcd import StartEtcd
from procedures.etcd.data_place import require_placed
from procedures.etcd.first_certificates import Makings, make
from procedures.etcd.joining import joined, own, staying
from procedures.etcd.newcomer import Home, Newcomer
from procedures.etcd.peer_urls import is_local
from procedures.etcd.ports import Way
from procedures.etcd.spare import aside
from procedures.model.errors import Refused
from procedures.model.host import At, FileSeen
from procedures.model.ids import ClusterName, MemberId, MemberName
from procedures.model.member import Identity
from procedures.model.plan import Ref, Undo
from procedures.model.platform import layout
from procedures.model.probe import ListedMember
from procedures.model.procedure import Runbook

NEW_ID = "the id of the new member"
"""What an addition gives."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Writes the steps into a plan."""

    cluster: ClusterName
    new: Newcomer
    run: Runbook

    def reachable(self) -> None:
        """See that all reach each other; where something bars the way, ask people to open it."""
        for host in self.new.untried:
            self.run.fact(f"From {host} nobody could look whether the new member can be reached.")
        taken = sorted({each.way.shown for each in self.new.tried if each.taken})
        if taken:
            message = f"Something that is no etcd listens already, seen from {'; '.join(taken)}."
            raise Refused(message)
        ways = tuple(each.way for each in self.new.tried)
        if not ways:
            return
        check = CheckPorts(self.cluster, ways)
        barred = [each.way for each in self.new.tried if each.barred]
        if not barred:
            self.run.step("Check that the hosts reach each other's etcd", check)
            return
        self.run.ask(
            "Let the hosts reach each other's etcd",
            how=_opening(barred),
            check="each connection is tried again, from the host that makes it.",
            by=check,
        )

    def prepare(self) -> None:
        """Make the host ready, before anything waits for it.

        Its certificates come first: until they are signed and in place, nothing else changes.
        """
        if isinstance(self.new.makings, Makings):
            self._certificates(self.new.makings)
        spare, platform = self.new.spare, self.new.hosts.cluster.platform
        how, name = layout(platform), spare.host.name
        if moves := aside(spare.left, how):
            self.run.step(
                f"Move the data that lies on {name} aside",
                MoveAside(self.cluster, platform, self._at, *moves),
                undo=Undo(f"On {name}, while no etcd runs there: mv {moves[1]} {moves[0]}"),
            )
        self.run.step(f"Configure etcd on {name}", self._configured())
        of = self._template()
        for each in self.new.carried:
            path = each.runner.joining
            content = own(_text(each.source), of.row.name, of.place, self.new.place)
            if each.there is None or content != _text(each.there):
                self.run.step(
                    f"Write {path} on {name}, as on {of.place.host.name}",
                    placed(
                        self.cluster, self._at, path, each.there, content, mode=each.runner.mode
                    ),
                )

    def forget(self, gone: ListedMember) -> None:
        """Let its configuration name one no more that was a member when it joined, and went."""
        first, name = self._configured(), self.new.spare.host.name
        peers = {row.name: row.peer_urls[0] for row in self.new.others if row.id != gone.id}
        content = staying(first.content, peers | {name: self.new.peer_url})
        if content != first.content:
            self.run.step(f"Note the new membership on {name}", written_again(first, content))

    def _configured(self) -> WriteFile:
        of, spare = self._template(), self.new.spare
        path = layout(self.new.hosts.cluster.platform).config
        content = joined(_text(of.config), of.place, self.new.place, self.peers)
        return rewritten(self.cluster, self._at, path, spare.config, content)

    def _certificates(self, makings: Makings) -> None:
        spare = self.new.spare
        why = "; ".join(spare.unfit) or "they are of a CA that members do not trust"
        self.run.fact(f"Certificates of {spare.host.name}: {why}, so new ones are made (R17).")
        make(makings, self.run)

    def join(self) -> None:
        """Add it as a learner, start it, and let it vote when it has caught up."""
        name, url = self.new.spare.host.name, self.new.peer_url
        added = self.run.step(
            f"Add {name} as a learner",
            AddMember(self.cluster, name, url),
            gives=NEW_ID,
            undo=taking_back(self.run),
        )
        self.run.step(
            f"Start etcd on {name}",
            StartEtcd(self.cluster, self.new.hosts.cluster.platform, self._at),
        )
        # Nobody knows the id before: these steps take what the addition gave.
        member = Identity(cast("MemberId", added), name, (url,))
        self.run.step(f"Wait until {name} has caught up", CheckMember(self.cluster, member))
        self.run.step(f"Let {name} vote", PromoteMember(self.cluster, member))

    def record(self, title: str, members: Mapping[MemberName, str]) -> None:
        """Expect it besides these members."""
        cluster, name = self.new.hosts.cluster, MemberName(self.new.spare.host.name)
        url = cluster.configured.get(name) or self.new.client_url
        if url is None:
            message = "The configuration of no other member says where clients reach it."
            raise Refused(message)
        if is_local(url):
            of = self._template().place.host.name
            message = (
                f"Clients would be told to reach {name} at {url}, as those of {of} are, and that "
                f"leads each machine to itself. Correct ETCD_ADVERTISE_CLIENT_URLS on {of}, or "
                f"name {name} in `clusters.{cluster.name}.endpoints`."
            )
            raise Refused(message)
        wanted = {**members, name: url}
        if wanted != dict(cluster.endpoints):
            self.run.step(title, Expect(self.cluster, cluster.expected.members, wanted))

    @property
    def peers(self) -> dict[str, str]:
        """Who is a member when it joins, by name; it itself is one."""
        peers = {row.name: row.peer_urls[0] for row in self.new.others}
        return peers | {self.new.spare.host.name: self.new.peer_url}

    @property
    def _at(self) -> At:
        return At(self.new.spare.host.name, self.new.spare.machine.machine_id)

    def _template(self) -> Home:
        if self.new.template is None:
            message = (
                "The configuration of no other member can be read, to make the new one's from it."
            )
            raise Refused(message)
        of, how = self.new.template, layout(self.new.hosts.cluster.platform)
        name = self.new.spare.host.name
        so = f"{name}, which gets the same settings, would start with whatever lies there"
        require_placed(of.place.host.name, of.config, how, so)
        return of


def taking_back(run: Runbook) -> Undo:
    """Advise how the addition that comes next goes: one that never started has an id only."""
    member = Ref(len(run.steps) + 1, NEW_ID)
    return Undo(f"/etcd member remove {member}", args={"member": member})


def _opening(barred: list[Way]) -> str:
    """What people are to do about ways that are barred."""
    shown = "; ".join(f"from {way.shown}" for way in barred)
    return (
        f"Nothing gets through {shown}. Allow these TCP connections in the firewall of the host "
        "that is connected to (on OpenShift 3, in the iptables chain OS_FIREWALL_ALLOW), and in "
        "the security groups of the cloud. Leave the firewall itself on."
    )


def _text(file: FileSeen | None) -> str:
    return file.content.decode("utf-8", "surrogateescape") if file else ""
