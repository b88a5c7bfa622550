"""Correct the URL at which a member's peers reach it. (catalogue P33; rules R5, R6, R10, R12)

Where hosts are configured, the URL has to be one at which etcd listens already, as the member's
host and those of its peers see it; what configures etcd there follows, and etcd is restarted.
"""

from dataclasses import dataclass

from procedures.actions.etcd.check_healthy import CheckHealthy, CheckMember
from procedures.actions.etcd.leadership import EnsureNotLeader
from procedures.actions.etcd.peer_url import UpdatePeerUrl
from procedures.actions.etcd.save_snapshot import SaveSnapshot
from procedures.actions.etcd.target import identity
from procedures.actions.host.files import rewritten
from procedures.actions.host.ports import CheckPorts
from procedures.actions.host.restart_etcd import RestartEtcd
from procedures.engine.ports import Look
from procedures.etcd.hosts import reached, with_hosts
from procedures.etcd.joining import staying
from procedures.etcd.leaving import tell_the_others
from procedures.etcd.listening import Listening, look_at_listening, require_listening
from procedures.etcd.observe import find, listed, not_well, observed
from procedures.etcd.peer_urls import peer_url, require_free
from procedures.etcd.residents import forbid_another
from procedures.etcd.same_data import forbid_while_corrupt
from procedures.etcd.view import View
from procedures.model import envfile, quorum
from procedures.model.errors import Refused
from procedures.model.ids import ClusterName
from procedures.model.member import Identity
from procedures.model.plan import Risk, Undo
from procedures.model.platform import layout
from procedures.model.probe import ListedMember
from procedures.model.procedure import Procedure, Runbook

ADVERTISED = "ETCD_INITIAL_ADVERTISE_PEER_URLS"


@dataclass(frozen=True, slots=True)
class Args:
    """Which member, by name or hexadecimal id, and its new peer URL."""

    cluster: ClusterName
    member: str
    url: str


@dataclass(frozen=True, slots=True)
class Scene:
    """The members, and the host of the one that is meant; None where none is configured."""

    view: View
    there: Listening | None


async def look(args: Args, look: Look) -> Scene:
    """See who is a member, at which URLs, and whether this one listens at the new one."""
    cluster, url = look.inventory.clusters[args.cluster], peer_url(args.url)
    look.inventory.retention_of(cluster)
    if not reached(cluster):
        return Scene(await observed(args.cluster, look), None)
    hosts = await with_hosts(args.cluster, look)
    _, row = find(hosts.view, args.member)
    return Scene(hosts.view, await look_at_listening(hosts, row, url, look))


def plan(args: Args, scene: Scene, run: Runbook) -> None:
    """Change the URL in the member list and on the hosts, and see that all are well."""
    view, url = scene.view, peer_url(args.url)
    _, row = find(view, args.member)
    member = identity(row)
    run.title = f"Set the peer URL of {member.name or member.id} in {args.cluster}"
    _allow(args, scene, row, run)
    old = ",".join(member.peer_urls)
    run.fact(f"Member {member.shown}: peer URL {old} becomes {url}.")
    update = UpdatePeerUrl(args.cluster, member, url)
    undo = Undo(
        f"/etcd member fix-peer-url {member.id} {old}",
        "etcd member fix-peer-url",
        {"cluster": args.cluster, "member": member.id, "url": old},
    )
    title = f"Set the peer URL of {member.name or member.id}"
    if scene.there is None:
        run.fact(
            f"Nobody looks at hosts for this. Make sure by hand that etcd listens at {url} and its "
            f"certificate is for it, and set {ADVERTISED} to it there, for its next start."
        )
    else:
        host = scene.there.homes.hosts.host(scene.there.at.host)
        forbid_another(host, scene.there.config, view, member)
        require_listening(scene.there, row, url, alone=len(view.members) == 1)
        _check(args.cluster, scene.there, run)
    run.step("Save and verify a snapshot", SaveSnapshot(args.cluster))
    run.step(title, update, undo=undo)
    if scene.there is not None:
        _configure(args.cluster, scene, row, url, run)
    unwell = not_well(view, apart_from=row.id)
    if unwell:
        run.fact(f"Not healthy before and after, so not waited for: {', '.join(unwell)}.")
    check = CheckHealthy(args.cluster, despite=unwell)
    run.step("Check that all members are healthy", check)


PROCEDURE = Procedure(
    "etcd member fix-peer-url", Args, look, plan, risk=Risk.REVERSIBLE, lock="etcd/{cluster}"
)


def _allow(args: Args, scene: Scene, row: ListedMember, run: Runbook) -> None:
    """Raises Refused where a rule, or what others have, stands against it."""
    member, view = identity(row), scene.view
    if row.learner:
        message = (
            f"{member.shown} is a learner (R6): before etcd 3.5.31 a change of its peer URL makes "
            "it a voter without asking. Promote it first, or remove it."
        )
        raise Refused(message)
    forbid_while_corrupt(view)
    if not view.quorum_proven:
        message = f"{args.cluster} has no quorum (R14): no change of its members can be committed."
        raise Refused(message)
    url = peer_url(args.url)
    require_free(view, url, apart_from=row.id)
    if member.peer_urls == (url,):
        message = f"{member.shown} has the peer URL {url} already. There is nothing to do."
        raise Refused(message)
    run.require(quorum.may_readdress(view.members, row.id, restarts=scene.there is not None))


def _check(cluster: ClusterName, there: Listening, run: Runbook) -> None:
    """Look once more, from the hosts that will connect."""
    for name in there.untried:
        run.fact(f"From the host of {name} nobody could look whether the URL can be reached.")
    if there.ways:
        run.step("Check that it can be reached there", CheckPorts(cluster, there.ways))


def _configure(
    cluster: ClusterName, scene: Scene, row: ListedMember, url: str, run: Runbook
) -> None:
    """Let the configuration of all say so too, and restart the member where its own changed."""
    there = scene.there
    assert there is not None  # noqa: S101 (the caller has looked)
    hosts, name = there.homes.hosts, row.name or row.id
    rows = [each for _, each in listed(scene.view) if each.started]
    peers = {each.name: url if each.id == row.id else each.peer_urls[0] for each in rows}
    content = staying(envfile.edited(there.text, {ADVERTISED: url}), peers)
    if content != there.text:
        path = layout(hosts.cluster.platform).config
        run.step(
            f"Let the configuration on {there.at.host} say so",
            rewritten(cluster, there.at, path, there.config, content),
        )
    others = [each for each in rows if each.id != row.id]
    tell_the_others(cluster, there.homes, others, peers, run)
    if envfile.read(there.text).get(ADVERTISED) == url:
        run.fact(f"{name} is configured for {url} already, so etcd is not restarted there.")
        return
    ruling = quorum.may_restart(scene.view.members, row.id)
    if not ruling.allowed:
        run.fact(f"etcd is not restarted: {ruling.because} ({ruling.rule}). It serves as it is.")
        return
    run.risk = Risk.DISRUPTIVE
    now = Identity(row.id, row.name, (url,))
    run.step(f"Hand leadership over if {name} has it", EnsureNotLeader(cluster, now))
    run.step(
        f"Restart etcd on {there.at.host}",
        RestartEtcd(cluster, hosts.cluster.platform, there.at, now),
    )
    run.step(f"Wait until {name} has caught up", CheckMember(cluster, now))
