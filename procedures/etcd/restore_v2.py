"""Restore the v2 and v3 data of a cluster that has lost its quorum. (catalogue P32; R14; X7-X16)

etcd knows one way to begin with a v2 store: a member's own data, and the order to forget all other
members. That order is given on one host, for one start, and taken back before anything joins; given
on each, or left in place, it makes as many clusters as hosts. `/etcd restore` is the better way
wherever the v2 store is not needed.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

from procedures.actions.etcd.check_forced import CheckForced
from procedures.actions.etcd.check_healthy import CheckMember, WriteAndRead
from procedures.actions.etcd.peer_url import UpdatePeerUrl
from procedures.actions.etcd.verify_snapshot import VerifySnapshot
from procedures.actions.host.api_server import StartApi
from procedures.actions.host.data_owner import OwnLikeData
from procedures.actions.host.files import rewritten
from procedures.actions.host.keep_v2 import RemoveV2
from procedures.actions.host.restart_etcd import RestartOnly
from procedures.actions.host.restore_v2 import RestoreV2, UnpackV2
from procedures.actions.host.run_etcd import StartEtcd
from procedures.actions.host.send_snapshot import SendSnapshot
from procedures.engine.ports import Look
from procedures.etcd.asking import Asking
from procedures.etcd.growing import Growing, joining, tell
from procedures.etcd.joining import initial_cluster
from procedures.etcd.restoring import (
    Args,
    Seen,
    first_host,
    ground,
    require_stoppable,
    see,
    swap_data,
    tell_hosts,
)
from procedures.etcd.snapshots import moment, pinned
from procedures.etcd.standing import Standing
from procedures.etcd.v2_store import NO_COPIER, find_copier, require_unit
from procedures.etcd.watchers import ask_to_restart
from procedures.model import envfile
from procedures.model.host import FileSeen
from procedures.model.ids import MemberId
from procedures.model.member import Identity
from procedures.model.plan import Risk, Undo
from procedures.model.platform import layout
from procedures.model.procedure import Procedure, Runbook
from procedures.model.restoring import Tool
from procedures.model.v2 import FORCED_PEER_URL

_FORCE, _ENABLE = "ETCD_FORCE_NEW_CLUSTER", "ETCD_ENABLE_V2"
_FIRST_WITHOUT_V2 = (3, 4)
_NO_V2 = f"neither {_ENABLE}=true nor --enable-v2 is set"


@dataclass(frozen=True, slots=True)
class Able:
    """What copies both stores on a host, and the command line of its unit."""

    tool: Tool | None
    line: str


@dataclass(frozen=True, slots=True)
class Scene:
    """All that any restore looks at, and what each host that answers is able to, by name."""

    seen: Seen
    able: Mapping[str, Able]


async def look(args: Args, look: Look) -> Scene:
    """See the cluster from here and from its hosts, and read the archive again."""
    cluster = look.inventory.clusters[args.cluster]
    require_unit(cluster.platform, "/etcd restore")
    seen = await see(args, look, archives=True)
    found = await asyncio.gather(*(_able(seen, each, look) for each in seen.standing))
    names = [each.host.name for each in seen.standing]
    return Scene(seen, dict(zip(names, found, strict=True)))


async def _able(seen: Seen, each: Standing, look: Look) -> Able:
    asking = Asking(look, seen.cluster, each.host)
    show = ("systemctl", "show", "etcd.service", "--property=ExecStart")
    tool, line = await asyncio.gather(
        find_copier(asking, layout(seen.cluster.platform), seen.minor),
        asking.said(show, range(256)),
    )
    return Able(tool, line.out)


def plan(args: Args, scene: Scene, run: Runbook) -> None:
    """Try it beside the data; stop all; force one member alone, once; then grow back."""
    seen = scene.seen
    loss = ground(args, seen)
    require_stoppable(seen)
    first = first_host(args, seen, _unfit(scene))
    tool, seed, at = scene.able[first.host.name].tool, first.seed, seen.at(first)
    assert tool is not None  # noqa: S101 (it was chosen for having one)
    stopped = [each for each in seen.standing if each.has_etcd(seen.cluster)]
    archive, platform = pinned(seen.choice.snapshot), seen.cluster.platform
    joins = joining(seen.cluster, first, stopped)
    run.title = f"Restore both stores of {args.cluster} from {archive.name} on {first.host.name}"
    _facts(args, seen, first, loss, run)
    tell(joins, stopped, run)
    for each in joins:
        if not _serves_v2(each, scene.able[each.host.name], seen.minor):
            run.fact(f"{each.host.name} will serve no v2 store: {_NO_V2} (X13).")
    data = layout(platform).data
    run.step("Read the archive again", VerifySnapshot(args.cluster, archive))
    run.step(f"Send it to {first.host.name}", SendSnapshot(args.cluster, at, archive))
    run.step("Unpack it there", UnpackV2(args.cluster, platform, at))
    run.step(
        "Restore it beside the data, while nothing is stopped yet",
        RestoreV2(args.cluster, platform, at, archive, tool),
    )
    like = f"{data}/member" if first.member else data
    run.step("Give it the owner of the data", OwnLikeData(args.cluster, platform, at, like))
    apis = swap_data(args, seen, first, run)
    member, config = _forced(args, seen, first, run)
    run.step(
        f"Tell the cluster where peers reach {seed.name}",
        UpdatePeerUrl(args.cluster, member, seed.peer_urls[0]),
    )
    run.step("Check that the cluster takes writes", WriteAndRead(args.cluster))
    for at_api, name in apis:
        start = StartApi(args.cluster, platform, at_api, name)
        run.step(f"Start the API server on {at_api.host}", start)
    others = tuple(each for each in joins if each is not first)
    Growing(args.cluster, platform, seed, at, config, run).by(others)
    run.step(
        f"Remove what is left of the archive on {first.host.name}",
        RemoveV2(args.cluster, platform, at),
    )
    ask_to_restart(seen.cluster, seen.faults, run)


def _forced(args: Args, seen: Seen, first: Standing, run: Runbook) -> tuple[Identity, FileSeen]:
    """Start one member with the order to forget the others, and take the order back.

    Gives the member, and its configuration as it is then.
    """
    platform, at, seed = seen.cluster.platform, seen.at(first), first.seed
    path, name = layout(platform).config, first.host.name
    assert first.config is not None  # noqa: S101 (it was chosen for having one)
    before = first.config.content.decode("utf-8", "surrogateescape")
    forcing = envfile.edited(before, {_FORCE: "true"})
    kept = f"The former {path} is kept beside it, as .…quorumbot-<its SHA-256>."
    run.step(
        f"Have etcd on {name} forget all other members at its next start",
        rewritten(args.cluster, at, path, first.config, forcing),
        undo=Undo(
            f"{kept} Put it back before etcd is started on any other data: it would forget all "
            "other members again."
        ),
    )
    run.step(f"Start etcd on {name}", StartEtcd(args.cluster, platform, at))
    snapshot = seen.choice.snapshot
    check = CheckForced(args.cluster, platform, at, seed, snapshot.revision, snapshot.origin.v2)
    found = run.step(
        "Check that it is a cluster of one, with both stores", check, gives="the member's id"
    )
    # Never the former content again: a late duplicate of the first write would find it.
    alone: dict[str, str | None] = {
        _FORCE: None,
        "ETCD_INITIAL_CLUSTER": initial_cluster({seed.name: seed.peer_urls[0]}),
        "ETCD_INITIAL_CLUSTER_STATE": "existing",
    }
    after = envfile.edited(before, alone) + f"# Restored by Quorumbot from {snapshot.name}.\n"
    was = replace(first.config, content=forcing.encode("utf-8", "surrogateescape"))
    run.step(
        "Take that order back",
        rewritten(args.cluster, at, path, was, after),
        undo=Undo(kept),
    )
    # Nobody knows the id before: these steps take what the check gave.
    member = Identity(cast("MemberId", found), seed.name, (FORCED_PEER_URL,))
    run.step(
        f"Restart etcd on {name} without it",
        RestartOnly(args.cluster, platform, at, member),
    )
    run.step(f"Wait until {seed.name} serves", CheckMember(args.cluster, member))
    return member, replace(was, content=after.encode("utf-8", "surrogateescape"))


def _unfit(scene: Scene) -> dict[str, tuple[str, ...]]:
    """What speaks against each host, apart from what does for any restore."""
    found = {}
    for each in scene.seen.standing:
        able, minor, wrong = scene.able[each.host.name], scene.seen.minor, []
        if able.tool is None:
            wrong.append(NO_COPIER)
        if not _serves_v2(each, able, minor):
            wrong.append(f"{_NO_V2}, so it serves no v2 store (X13)")
        if len(each.seed.peer_urls) > 1:
            wrong.append("it has more than one peer URL")
        found[each.host.name] = tuple(wrong)
    return found


def _serves_v2(each: Standing, able: Able, minor: str) -> bool:
    if tuple(int(part) for part in minor.split(".")) < _FIRST_WITHOUT_V2:
        return True
    return each.values.get(_ENABLE, "").lower() in {"true", "1"} or "--enable-v2" in able.line


def _facts(args: Args, seen: Seen, first: Standing, loss: str, run: Runbook) -> None:
    archive = seen.choice.snapshot
    run.fact(loss)
    run.fact(
        f"Archive {archive.name}, taken {moment(archive)} from {archive.origin.name} (etcd "
        f"{archive.origin.version}): revision {archive.revision}, and "
        f"{', '.join(archive.origin.v2)} in the v2 store; SHA-256 {archive.sha256}. "
        "What was written after that is lost, in both stores."
    )
    tell_hosts(args, seen, first, run)
    run.fact(
        f"Only on {first.host.name}, and only for one start, etcd is told to forget all other "
        "members: told so elsewhere too, there would be as many clusters."
    )
    run.fact(
        "Revisions do not grow, unlike with /etcd restore: whoever watches v3 keys is restarted by "
        "people, kubelets and controllers among them."
    )


PROCEDURE = Procedure(
    "etcd restore v2", Args, look, plan, risk=Risk.DESTRUCTIVE, lock="etcd/{cluster}"
)
