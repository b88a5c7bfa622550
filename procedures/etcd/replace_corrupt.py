"""Replace a member whose data is not that of the others, on its own host. (catalogue N5; R16, R4)

Source: etcd's guide on data corruption. Hashes decide which one that is, not the alarm: a leader
whose own data is bad raises it against others. The alarm refuses all writes, so it is taken back as
soon as those that are left are proven equal, and not only when the member is back.
"""

from dataclasses import dataclass
from typing import cast

from procedures.actions.etcd.add_member import AddMember
from procedures.actions.etcd.check_healthy import CheckHealthy, CheckMember, WriteAndRead
from procedures.actions.etcd.check_same_data import CheckSameData
from procedures.actions.etcd.disarm_corrupt import DisarmCorrupt
from procedures.actions.etcd.leadership import EnsureNotLeader
from procedures.actions.etcd.promote_member import PromoteMember
from procedures.actions.etcd.remove_member import RemoveMember
from procedures.actions.etcd.save_snapshot import SaveSnapshot
from procedures.actions.etcd.target import identity
from procedures.actions.host.files import MoveAside, rewritten
from procedures.actions.host.run_etcd import RetireEtcd, StartEtcd
from procedures.engine.ports import Look
from procedures.etcd.admission import NEW_ID, taking_back
from procedures.etcd.data_place import require_placed
from procedures.etcd.fitness import short_of_room
from procedures.etcd.hosts import Hosts, with_hosts
from procedures.etcd.joining import initial_cluster
from procedures.etcd.observe import find, listed
from procedures.etcd.same_data import Compared, alarmed, surely_compared
from procedures.etcd.spare import Spare, aside, look_at_spare
from procedures.etcd.view import CORRUPT, Seen, View, overlooking
from procedures.model import envfile, quorum
from procedures.model.errors import Refused
from procedures.model.host import FileSeen
from procedures.model.ids import ClusterName, MemberId
from procedures.model.member import Condition, Identity
from procedures.model.plan import Risk, Undo
from procedures.model.platform import layout
from procedures.model.procedure import Procedure, Runbook
from procedures.model.quorum import Health


@dataclass(frozen=True, slots=True)
class Args:
    """Which member, by name or hexadecimal id."""

    cluster: ClusterName
    member: str


@dataclass(frozen=True, slots=True)
class Scene:
    """The cluster and its machines, the member's own host, and the hashes of all voters."""

    hosts: Hosts
    home: Spare
    compared: Compared


async def look(args: Args, look: Look) -> Scene:
    """Compare the data of all, and see what the member's host is like."""
    cluster = look.inventory.clusters[args.cluster]
    layout(cluster.platform)
    look.inventory.retention_of(cluster)
    hosts = await with_hosts(args.cluster, look)
    _, row = find(hosts.view, args.member)
    found = await surely_compared(cluster, hosts.view, look)
    return Scene(hosts, await look_at_spare(cluster, hosts.host(row.name), look), found)


def plan(args: Args, scene: Scene, run: Runbook) -> None:
    """Remove it, take the alarm back, and let it join anew with the data of the others."""
    name, view = args.cluster, overlooking(scene.hosts.view, CORRUPT)
    seen, row = find(view, args.member)
    old, home, platform = identity(row), scene.home, scene.hosts.cluster.platform
    run.title = f"Replace the data of member {old.name} of {name}"
    expect = _proven(scene, seen, old)
    run.require(quorum.may_remove(view.members, old.id), "Bring the others back first, or restore.")
    rest = tuple(member for member in view.members if member.id != old.id)
    run.require(quorum.may_add(rest, learner=True))
    config = _config(scene, old)
    if short := short_of_room(scene.hosts, home):
        message = f"{home.host.name} cannot keep the old data beside the new: {short}."
        raise Refused(message)
    _facts(scene, view, old, expect, run)
    at, how = scene.hosts.at(home.host.name), layout(platform)
    snapshot = SaveSnapshot(name, not_from=old, despite_corrupt=True)
    run.step("Save and verify a snapshot", snapshot)
    if expect is Condition.CORRUPT:
        away = EnsureNotLeader(name, old, despite_corrupt=True)
        run.step(f"Hand leadership over if {old.name} has it", away)
    run.step(
        f"Remove {old.name}",
        RemoveMember(name, old, expect, despite_corrupt=True),
        undo=Undo("A removed id never returns: the steps below add it anew."),
    )
    run.step(f"Switch etcd on {old.name} off", RetireEtcd(name, platform, at))
    run.step("Compare the others, and take the alarm back", DisarmCorrupt(name))
    if moves := aside(home.left, how):
        run.step(
            f"Move the data of {old.name} aside",
            MoveAside(name, platform, at, *moves),
            undo=Undo(f"It stays as {moves[1]}, for whoever wants to know what happened to it."),
        )
    run.step(
        f"Let {old.name} join an existing cluster",
        rewritten(name, at, how.config, config, _joining(scene, config, old)),
    )
    added = run.step(
        f"Add {old.name} as a learner",
        AddMember(name, old.name, old.peer_urls[0]),
        gives=NEW_ID,
        undo=taking_back(run),
    )
    run.step(f"Start etcd on {old.name}", StartEtcd(name, platform, at))
    # Nobody knows the id before: these steps take what the addition gave.
    new = Identity(cast("MemberId", added), old.name, old.peer_urls)
    run.step(f"Wait until {old.name} has caught up", CheckMember(name, new))
    run.step(f"Let {old.name} vote", PromoteMember(name, new))
    run.step("Check that all members are healthy", CheckHealthy(name))
    run.step("Check that all have the same data", CheckSameData(name))
    run.step("Check that the cluster takes writes", WriteAndRead(name))


PROCEDURE = Procedure(
    "etcd replace-corrupt", Args, look, plan, risk=Risk.DESTRUCTIVE, lock="etcd/{cluster}"
)


def _proven(scene: Scene, seen: Seen, old: Identity) -> Condition:
    """Tell whether the member serves, or is down because it found itself. Raises Refused."""
    compared, view = scene.compared, scene.hosts.view
    odd = compared.odd()
    names = [compared.names[member] for member in odd]
    if odd == (old.id,):
        return Condition.CORRUPT
    if len(odd) > 1:
        message = (
            f"The data of {' and '.join(names)} differs from that of most members (R16): "
            f"{compared.said}. Only one is replaced while all others agree: people have to say "
            "what becomes of the rest."
        )
        raise Refused(message)
    if odd:
        message = (
            f"{old.name} has the data that most members have, and {names[0]} has not (R16): "
            f"{compared.said}. Name {names[0]}."
        )
        raise Refused(message)
    if seen.health is Health.DOWN and alarmed(view):
        return Condition.FAILED
    if seen.health is Health.DOWN:
        message = f"{old.name} is down, and no alarm CORRUPT is on (R16). Use /etcd replace."
        raise Refused(message)
    message = f"The data of {old.name} differs from nobody's (R16): {compared.said}."
    if compared.hashes.get(old.id) is None:
        message = f"The data of {old.name} could not be compared (R16): {compared.said}."
    elif alarmed(view):
        message += " If the alarm is of before, take it back: /etcd disarm-corrupt."
    raise Refused(message)


def _config(scene: Scene, old: Identity) -> FileSeen:
    config = scene.home.config
    path = layout(scene.hosts.cluster.platform).config
    if config is None:
        message = f"There is no {path} on {scene.home.host.name}, to let {old.name} join by."
        raise Refused(message)
    own = envfile.read(_text(config)).get("ETCD_NAME")
    if own != old.name:
        message = f"{path} on {scene.home.host.name} is that of {own!r}, not of {old.name} (R7)."
        raise Refused(message)
    how = layout(scene.hosts.cluster.platform)
    require_placed(scene.home.host.name, config, how, f"{old.name} would start with it again")
    if len(old.peer_urls) > 1:
        message = f"{old.name} has several peer URLs: {', '.join(old.peer_urls)}. Leave it one."
        raise Refused(message)
    return config


def _joining(scene: Scene, config: FileSeen, old: Identity) -> str:
    """Tell etcd at its first start where it belongs: else it founds a cluster of its own (R21)."""
    peers = {row.name: row.peer_urls[0] for _, row in listed(scene.hosts.view)}
    changes: dict[str, str | None] = {
        "ETCD_INITIAL_ADVERTISE_PEER_URLS": old.peer_urls[0],
        "ETCD_INITIAL_CLUSTER": initial_cluster(peers),
        "ETCD_INITIAL_CLUSTER_STATE": "existing",
        "ETCD_FORCE_NEW_CLUSTER": None,
    }
    return envfile.edited(_text(config), changes)


def _facts(scene: Scene, view: View, old: Identity, expect: Condition, run: Runbook) -> None:
    others = [scene.compared.names[each] for each in scene.compared.known if each != old.id]
    agree = f"{' and '.join(others)} hold the same data (HashKV at one revision)"
    if expect is Condition.CORRUPT:
        run.fact(f"{agree}, and {old.shown} holds other data.")
    else:
        run.fact(f"{agree}; {old.shown} is down, and the alarm CORRUPT is on.")
    voters = len(view.voters)
    left = voters - 1
    run.fact(
        f"Quorum: now {quorum.healthy(quorum.voters(view.members))} of {voters}; without it "
        f"{left} of {left}, tolerance {left - quorum.quorum(left)}; afterwards {voters} of "
        f"{voters}, tolerance {voters - quorum.quorum(voters)}."
    )
    if alarmed(view):
        run.fact("The alarm CORRUPT is on: the cluster refuses all writes until it is taken back.")
    run.fact(f"Whoever has read from {old.name} may have been told what is wrong.")


def _text(config: FileSeen) -> str:
    return config.content.decode("utf-8", "surrogateescape")
