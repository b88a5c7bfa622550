"""The first certificates of a host that is to get a member. (catalogue P53, P65; rule R17)

They are like those of a member: of the same CA, good for the same ends, of the same owner.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from procedures.actions.host.files import rewritten
from procedures.actions.host.place_certificates import PlaceCertificates
from procedures.engine.ports import Look
from procedures.etcd.asking import Asking
from procedures.etcd.authority import Signer, days_of, find_signer, require_trust
from procedures.etcd.hosts import Hosts
from procedures.etcd.issuing import Issuing, put_back, tell_kept, tell_pair, tell_signer
from procedures.etcd.joining import Place
from procedures.etcd.own_certificates import OwnFiles, first, look_at_own
from procedures.model.errors import Refused
from procedures.model.host import At, Machine
from procedures.model.procedure import Runbook
from procedures.model.signing import NewPair


@dataclass(frozen=True, slots=True)
class Makings:
    """What they are made from: what lies there, what members have by host, and who signs.

    They are like those of the first one of `members`. `strangers` are users that own files of
    members, and that the host does not know; `openssl` tells whether it can make keys.
    """

    hosts: Hosts
    own: OwnFiles
    members: Mapping[str, OwnFiles]
    signer: Signer
    strangers: tuple[str, ...]
    openssl: bool
    now_s: int

    @property
    def name(self) -> str:
        """The host."""
        return self.own.host.name

    @property
    def model(self) -> OwnFiles:
        """Those after which they are made. Raises Refused where there are none."""
        for each in self.members.values():
            return each
        message = "No host of a member could be looked at, so nobody knows what to make."
        raise Refused(message)

    @property
    def trusted(self) -> Mapping[str, bytes]:
        """What the host has to trust as the member does, by file, where it differs."""
        model = self.model
        wanted = {
            use.ca: model.certs[like.ca].content
            for use, like in zip(self.own.uses, model.uses, strict=True)
            if like.ca in model.certs
        }
        there = {path: file.content for path, file in self.own.certs.items()}
        return {path: content for path, content in wanted.items() if there.get(path) != content}

    def pairs(self) -> tuple[NewPair, ...]:
        """What is to be made. Raises Refused with what stands against it."""
        if not self.openssl:
            message = f"{self.name} has no openssl, which makes the keys: install it there first."
            raise Refused(message)
        if self.strangers:
            names = " and ".join(self.strangers)
            message = (
                f"{self.name} has no user {names}, which owns the keys of members: install etcd "
                "there first."
            )
            raise Refused(message)
        for each in self.members.values():
            require_trust(each, self.signer, self.now_s)
        return first(self.own, self.model, self._names, self.hosts.cluster)

    @property
    def _names(self) -> list[str]:
        """What machines are called, and where they are: nothing of that is for all of them."""
        machines = (each for each in self.hosts.machines.values() if isinstance(each, Machine))
        named = (name for each in self.hosts.cluster.hosts for name in (each.name, each.address))
        return [*named, *(each.hostname for each in machines)]


async def look_at_makings(
    hosts: Hosts,
    new: Place,
    homes: Sequence[Place],
    look: Look,
    told: Mapping[str, str] | None = None,
) -> Makings:
    """See them. Raises Refused where nobody can sign.

    `homes` are hosts of members; `told` are the settings that the host will have, without it those
    that it has.
    """
    cluster = hosts.cluster
    signer = await find_signer(hosts, look)
    own, *members = await asyncio.gather(
        look_at_own(cluster, new.host, new.machine, look, told),
        *(look_at_own(cluster, each.host, each.machine, look) for each in homes),
    )
    owners = sorted({key.owner for each in members for key in each.keys.values()})
    asking = Asking(look, cluster, new.host)
    known = [await asking.holds("id", "-u", "--", each) for each in owners]
    return Makings(
        hosts=hosts,
        own=own,
        members={each.host.name: each for each in members},
        signer=signer,
        strangers=tuple(each for each, knows in zip(owners, known, strict=True) if not knows),
        openssl=await asking.holds("openssl", "version"),
        now_s=look.clock.now_ms() // 1_000,
    )


def make(makings: Makings, run: Runbook, days: str | None = None) -> None:
    """Make keys, have them signed, and put all in place; no etcd runs there yet. Raises Refused."""
    hosts, signer, name = makings.hosts, makings.signer, makings.name
    cluster, lasting = hosts.cluster, days_of(days, signer, makings.now_s)
    pairs, at = makings.pairs(), At(name, makings.own.machine.machine_id)
    tell_signer(signer, lasting, run)
    for each in pairs:
        like = f"like that of {makings.model.host.name}"
        run.fact(f"{name}: {each.cert}, {like}; {tell_pair(each)}.")
    for other, machine in hosts.machines.items():
        if other != name and not isinstance(machine, Machine):
            run.fact(f"Whether {other} trusts that CA could not be seen: {machine.message}")
    tell_kept(pairs, run)
    new = Issuing(cluster.name, cluster.platform, signer, lasting).by(at, pairs, run)
    for path, content in makings.trusted.items():
        run.step(
            f"Let {name} trust the CA of {makings.model.host.name}",
            rewritten(cluster.name, at, path, makings.own.certs.get(path), content.decode()),
        )
    run.step(
        f"Put the certificates of {name} in place",
        PlaceCertificates(cluster.name, at, pairs, new),
        undo=put_back(name, pairs),
    )
