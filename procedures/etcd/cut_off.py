"""Members that no longer hear each other because their certificates have expired. (R14, R17, R18)

TLS looks at dates when a connection is made. So an expired certificate cuts a member off from all
that connect anew, while what was connected before may go on for weeks.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from procedures.engine.ports import Look
from procedures.etcd.asking import Asking
from procedures.etcd.certificate_figures import day
from procedures.etcd.hosts import Hosts
from procedures.etcd.loss import heard_on, served
from procedures.etcd.own_certificates import OwnFiles
from procedures.etcd.view import View
from procedures.host.asking import LIMIT_MS, OnHost
from procedures.host.clock import Reading, pairs, read_clock, said
from procedures.model import quorum
from procedures.model.errors import Refused
from procedures.model.inventory import Cluster
from procedures.model.probe import Certificate, Fault
from procedures.model.quorum import Health

APART_MS = 300_000
"""Whose clocks are further apart than this prove nothing about the end of a certificate; ours."""

_OURS = "Quorumbot's own clock"


@dataclass(frozen=True, slots=True)
class CutOff:
    """What is known of a cluster with members that are not well.

    `expired` are the certificates that ports show and that have ended, by the clock of their host
    and by ours; by member. `served` tells who served a linearizable read, if anybody did.
    `asked` are the hosts whose own etcdctl could ask. `client_ends_s` is when Quorumbot's own
    certificate ends, `backups` whether snapshots are kept.
    """

    expired: Mapping[str, tuple[str, ...]]
    clocks: Mapping[str, Reading | Fault]
    served: str | None
    asked: tuple[str, ...]
    client_ends_s: int | None
    backups: bool

    def require_clocks(self) -> None:
        """Make sure that dates mean the same everywhere. Raises Refused (R18)."""
        if silent := [each.message for each in self.clocks.values() if isinstance(each, Fault)]:
            message = f"Whether certificates have expired is not proven (R18): {'; '.join(silent)}."
            raise Refused(message)
        known = pairs({**self.clocks, _OURS: Reading(0, 0)})
        apart = [each for each in known if each.by_ms + each.give_or_take_ms > APART_MS]
        if apart:
            message = (
                f"{said(apart)}, more than {APART_MS // 1_000} s, so that it is not proven that "
                "certificates have expired (R18). Set the clocks right first: that may be all "
                "that is wrong."
            )
            raise Refused(message)


def all_well(view: View) -> bool:
    """Tell whether there is nobody to ask about."""
    return view.listed and all(each.health is Health.HEALTHY for each in view.seen)


async def look_at_cut_off(hosts: Hosts, own: Mapping[str, OwnFiles], look: Look) -> CutOff:
    """Ask the hosts of members. Raises Refused where one does not answer."""
    cluster = hosts.cluster
    expired, clocks, heard = await asyncio.gather(
        asyncio.gather(*(_expired(cluster, each, look) for each in own.values())),
        asyncio.gather(*(_clock(cluster, each, look) for each in own.values())),
        asyncio.gather(
            *(
                heard_on(look, cluster, each.host, each.machine, sorted(cluster.endpoints.values()))
                for each in own.values()
            )
        ),
    )
    client = (await look.etcd.own_certificates(cluster)).client
    return CutOff(
        expired={name: paths for name, paths in zip(own, expired, strict=True) if paths},
        clocks=dict(zip(own, clocks, strict=True)),
        served=served(hosts.view, dict(zip(own, heard, strict=True))),
        asked=tuple(name for name, each in zip(own, heard, strict=True) if each.why_not is None),
        client_ends_s=client.not_after_s if isinstance(client, Certificate) else None,
        backups=_keeps(cluster, look),
    )


async def require_own(cluster: Cluster, look: Look) -> None:
    """Make sure that it is not Quorumbot whom nobody lets in. Raises Refused (R17)."""
    if cluster.tls is None:
        return
    now_s, found = look.clock.now_ms() // 1_000, await look.etcd.own_certificates(cluster)
    if isinstance(found.client, Certificate) and found.client.not_after_s <= now_s:
        message = (
            f"Quorumbot's own client certificate, {cluster.tls.cert}, ended "
            f"{day(found.client.not_after_s)}: no member lets it in, so nothing can be seen, nor "
            "checked afterwards (R17). Sign a new one with the CA of the cluster, put it in its "
            "place, and ask again."
        )
        raise Refused(message)
    if isinstance(found.ca, tuple) and all(each.not_after_s <= now_s for each in found.ca):
        message = (
            f"The CA in Quorumbot's own {cluster.tls.ca} ended "
            f"{day(max(each.not_after_s for each in found.ca))}, so that it trusts no member "
            "(R17). Where that is the CA of the cluster, all members and clients need a new one, "
            "which is not done here."
        )
        raise Refused(message)


def require_expired(view: View, cut: CutOff, own: Mapping[str, OwnFiles]) -> None:
    """Make sure that quorum is lost, and that nothing but dates explains it. Raises Refused."""
    why = "; ".join(f"{each.name}: {each.why}" for each in view.seen if each.why)
    if cut.served:
        message = (
            f"{cut.served}, so there is quorum, and all members are not stopped at once (R14). "
            f"From here: {why}"
        )
        raise Refused(message)
    voters = [each.name for each in view.voters]
    lasting = [name for name in voters if name not in cut.expired]
    needed = quorum.quorum(len(voters))
    if not cut.expired or len(lasting) >= needed:
        which = (
            f"only those of {' and '.join(sorted(cut.expired))} have, and {len(lasting)} of "
            f"{len(voters)} others make a quorum of {needed}"
            if cut.expired
            else f"none that {' and '.join(own)} show has, by the clocks of these hosts"
        )
        message = (
            "Members must be healthy first (R10), and expired certificates are not what is wrong "
            f"with them (R17): {which}. {why}"
        )
        raise Refused(message)
    cut.require_clocks()


async def _expired(cluster: Cluster, own: OwnFiles, look: Look) -> tuple[str, ...]:
    asking, now_s = Asking(look, cluster, own.host), look.clock.now_ms() // 1_000
    shown = [pair.cert for pair, uses in own.pairs.items() if any(use.port for use in uses)]
    ended = []
    for path in shown:
        leaf = own.leaf(path)
        # By the host's own clock; a file that is none gives the same status, so it was read before.
        argv = ("openssl", "x509", "-noout", "-checkend", "0", "-in", path)
        there = await asking.said(argv, (0, 1))
        if there.status == 1 and leaf is not None and leaf.ends_s <= now_s + APART_MS // 1_000:
            ended.append(path)
    return tuple(ended)


async def _clock(cluster: Cluster, own: OwnFiles, look: Look) -> Reading | Fault:
    until = asyncio.get_running_loop().time() + LIMIT_MS / 1_000
    return await read_clock(OnHost(look, cluster, own.host, until))


def _keeps(cluster: Cluster, look: Look) -> bool:
    try:
        look.inventory.retention_of(cluster)
    except Refused:
        return False
    return True
