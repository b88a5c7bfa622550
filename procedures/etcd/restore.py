"""Restore a cluster that has lost its quorum from a snapshot. (catalogue P34; R14; X10-X21)

One host is restored first, under a new cluster id; all that can fail is tried before anything is
stopped, and the old data is kept on each host.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from procedures.actions.etcd.check_healthy import WriteAndRead
from procedures.actions.etcd.check_lost import CheckLost
from procedures.actions.etcd.check_restored import CheckRestored
from procedures.actions.etcd.verify_snapshot import VerifySnapshot
from procedures.actions.host.api_server import StartApi, StopApi
from procedures.actions.host.data_owner import OwnLikeData, Relabel
from procedures.actions.host.restore_snapshot import RestoreSnapshot
from procedures.actions.host.run_etcd import StartEtcd
from procedures.actions.host.send_snapshot import RemoveCopy, SendSnapshot
from procedures.actions.host.stop_etcd import StopEtcd
from procedures.actions.host.swap_data import PutDataInPlace, SetDataAside
from procedures.engine.ports import Look
from procedures.etcd.growing import Growing, joining, tell
from procedures.etcd.loss import lost, served
from procedures.etcd.observe import observe
from procedures.etcd.snapshots import Choice, choose, moment, pinned
from procedures.etcd.standing import Standing, standings
from procedures.etcd.view import View
from procedures.model.errors import Refused, UsageError
from procedures.model.host import At
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster
from procedures.model.plan import Risk, Undo
from procedures.model.platform import layout
from procedures.model.probe import Fault
from procedures.model.procedure import Procedure, Runbook
from procedures.model.restoring import BUMP, RUN, aside, least_revision, minor_of


@dataclass(frozen=True, slots=True)
class Args:
    """Which snapshot (None: the newest with quorum), and `on` which host it is restored first.

    `data_is_bad` declares that the data itself is the damage: then quorum is no obstacle, and the
    snapshot has to be named.
    """

    cluster: ClusterName
    snapshot: str | None = None
    on: str | None = None
    data_is_bad: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """The cluster, its hosts, those of them that do not answer, and the snapshot."""

    cluster: Cluster
    view: View
    choice: Choice
    standing: tuple[Standing, ...]
    faults: Mapping[str, Fault]

    @property
    def minor(self) -> str:
        """The minor of the server that the snapshot is from."""
        return minor_of(self.choice.snapshot.origin.version)

    def at(self, each: Standing) -> At:
        """Pin a machine."""
        return At(each.host.name, each.machine.machine_id)


async def look(args: Args, look: Look) -> Seen:
    """See the cluster from here and from its hosts, and read the snapshot again."""
    cluster = look.inventory.clusters[args.cluster]
    layout(cluster.platform)
    if not cluster.hosts:
        message = (
            f"The configuration names no hosts of {cluster.name}, and it is restored on them. List "
            f"them in `clusters.{cluster.name}.hosts`, and say in `clusters.{cluster.name}.ssh` "
            "how they are reached."
        )
        raise Refused(message)
    if args.data_is_bad and args.snapshot is None:
        message = (
            "With --data-is-bad, name the snapshot: the newest may hold what is bad. See "
            "/etcd backups."
        )
        raise UsageError(message)
    choice = await choose(cluster.name, args.snapshot, look)
    minor = minor_of(choice.snapshot.origin.version)
    view = await observe(cluster, look)
    standing, faults = await standings(cluster, minor, look)
    return Seen(cluster, view, choice, standing, faults)


def plan(args: Args, seen: Seen, run: Runbook) -> None:
    """Try it beside the data; stop all; set the data aside; start one member; check it."""
    loss = _loss(args, seen)
    _can_be_stopped(seen)
    first = _first(args, seen)
    stopped = [each for each in seen.standing if each.has_etcd(seen.cluster)]
    snapshot, tool, seed = pinned(seen.choice.snapshot), first.tool, first.seed
    assert tool is not None  # noqa: S101 (it was chosen for having one)
    joins = joining(seen.cluster, first, stopped)
    run.title = f"Restore {args.cluster} from {snapshot.name} on {first.host.name}"
    _facts(args, seen, first, loss, run)
    tell(joins, stopped, run)
    at, platform = seen.at(first), seen.cluster.platform
    data = layout(platform).data
    like = f"{data}/member" if first.member else data
    run.step("Read the snapshot again", VerifySnapshot(args.cluster, snapshot))
    run.step(f"Send it to {first.host.name}", SendSnapshot(args.cluster, at, snapshot))
    run.step(
        "Restore it beside the data, while nothing is stopped yet",
        RestoreSnapshot(args.cluster, platform, at, snapshot, tool, seed),
    )
    run.step("Give it the owner of the data", OwnLikeData(args.cluster, platform, at, like))
    if not args.data_is_bad and layout(platform).apis:
        # Without it the API servers would be off before the first etcd is asked.
        run.step("Make sure that quorum is still lost", CheckLost(args.cluster, at))
    apis = _stop_apis(args, seen, run)
    for each in stopped:
        run.step(
            f"Stop etcd on {each.host.name}",
            StopEtcd(args.cluster, platform, seen.at(each), args.data_is_bad),
            undo=Undo(f"On {each.host.name}: {shlex.join(layout(platform).revive)}"),
        )
    for each in stopped:
        run.step(
            f"Set the data of {each.host.name} aside",
            SetDataAside(args.cluster, platform, seen.at(each)),
            undo=_back(seen, each, first),
        )
    run.step("Put the restored data in place", PutDataInPlace(args.cluster, platform, at))
    if first.labelled:
        run.step("Label it", Relabel(args.cluster, platform, at))
    run.step(f"Start etcd on {first.host.name}", StartEtcd(args.cluster, platform, at))
    run.step(
        "Check that it is the restored cluster",
        CheckRestored(args.cluster, seed, least_revision(snapshot, tool)),
    )
    run.step("Check that the cluster takes writes", WriteAndRead(args.cluster))
    for at_api, name in apis:
        run.step(
            f"Start the API server on {at_api.host}",
            StartApi(args.cluster, platform, at_api, name),
        )
    others = tuple(each for each in joins if each is not first)
    Growing(args.cluster, platform, seed, run).by(others)
    run.step(
        f"Remove the copy of the snapshot on {first.host.name}",
        RemoveCopy(args.cluster, platform, at),
    )


PROCEDURE = Procedure(
    "etcd restore", Args, look, plan, risk=Risk.DESTRUCTIVE, lock="etcd/{cluster}"
)


def _stop_apis(args: Args, seen: Seen, run: Runbook) -> list[tuple[At, str]]:
    """API servers remember what they have read, so none may run meanwhile (R14)."""
    platform = seen.cluster.platform
    if not layout(platform).apis:
        return []
    found = [(each, name) for each in seen.standing for name in each.apis]
    run.fact(
        "API servers on other machines than these are not touched: stop them too, and start them "
        "afterwards. Kubelets and controllers are restarted last, by people."
    )
    if not found:
        run.ask(
            "Stop all API servers",
            how=(
                f"No host of {args.cluster} runs one that is known here. Stop those of its "
                "masters, so that none serves what it has remembered; start them again when this "
                "run is over."
            ),
            check="nothing is looked at.",
        )
    for each, name in found:
        stop = StopApi(args.cluster, platform, seen.at(each), name)
        start = StartApi(args.cluster, platform, seen.at(each), name)
        undo = Undo(f"On {start.command}")
        run.step(f"Stop the API server on {each.host.name}", stop, undo=undo)
    return [(seen.at(each), name) for each, name in found]


def _loss(args: Args, seen: Seen) -> str:
    """On which ground it is restored. Raises Refused where there is none."""
    heard = {each.host.name: each.heard for each in seen.standing}
    if not args.data_is_bad:
        runs = {each.host.name: each.runs for each in seen.standing}
        return lost(seen.cluster, seen.view, heard, runs)
    now = "Quorum exists." if served(seen.view, heard) else "Quorum was not seen."
    return (
        "The data is declared bad by --data-is-bad; nothing here proves it. "
        f"{now} All that was written since the snapshot is given up."
    )


def _can_be_stopped(seen: Seen) -> None:
    """An etcd that runs where nobody can stop it would stay a cluster of its own."""
    names = {each.host.name for each in seen.standing} | {
        each.values.get("ETCD_NAME", "") for each in seen.standing
    }
    out_of_hand = [
        member.name for member in seen.view.seen if member.status and member.name not in names
    ]
    if out_of_hand:
        message = (
            f"etcd answers on {' and '.join(out_of_hand)}, and cannot be stopped there, because "
            f"the host does not answer (R14). {_reasons(seen)}"
        )
        raise Refused(message)
    for each in seen.standing:
        if wrong := each.misplaced(layout(seen.cluster.platform)):
            message = f"{wrong[0].upper()}{wrong[1:]}, so it is not restored by this procedure."
            raise Refused(message)


def _first(args: Args, seen: Seen) -> Standing:
    """The host that is restored first: the one that is asked for, else the first that is fit."""
    how, size = layout(seen.cluster.platform), seen.choice.snapshot.size
    wrong = {each.host.name: each.unfit(how, seen.minor, size) for each in seen.standing}
    if args.on is not None:
        if args.on not in {host.name for host in seen.cluster.hosts}:
            names = ", ".join(host.name for host in seen.cluster.hosts)
            message = f"There is no host {args.on!r}. The hosts are {names}."
            raise UsageError(message)
        if args.on not in wrong:
            message = f"{args.on} cannot be reached: {seen.faults[args.on].message}"
            raise Refused(message)
        if wrong[args.on]:
            message = f"{args.cluster} cannot be restored on {args.on}: {_and(wrong[args.on])}."
            raise Refused(message)
    for each in seen.standing:
        if not wrong[each.host.name] and args.on in {None, each.host.name}:
            return each
    why = "; ".join(f"{name}: {_and(each)}" for name, each in wrong.items()) or _reasons(seen)
    message = f"No host of {args.cluster} is fit to be restored on. {why}"
    raise Refused(message)


def _facts(args: Args, seen: Seen, first: Standing, loss: str, run: Runbook) -> None:
    snapshot = seen.choice.snapshot
    run.fact(loss)
    how = (
        "with quorum"
        if snapshot.origin.quorum
        else "without quorum, so that it may lack what others had"
    )
    run.fact(
        f"Snapshot {snapshot.name}, taken {moment(snapshot)} from {snapshot.origin.name} "
        f"(etcd {snapshot.origin.version}) {how}: revision {snapshot.revision}, "
        f"{snapshot.total_keys} keys, SHA-256 {snapshot.sha256}. "
        "What was written after that revision is lost."
    )
    for each in seen.choice.passed_over:
        run.fact(f"Newer, and not whole: {each}.")
    why = "as asked" if args.on else "the first by name that is fit"
    run.fact(f"{first.host.name} ({first.host.address}) is restored first, {why}.")
    names = [each.host.name for each in seen.standing if each.has_etcd(seen.cluster)]
    run.fact(
        f"etcd is stopped on {_and(names)}, and no boot starts it there; the data is kept as "
        f"{aside(layout(seen.cluster.platform).data, RUN)}."
    )
    for name, fault in seen.faults.items():
        run.fact(
            f"{name} must stay off: {fault.message} Its data is of the old cluster, and the new "
            "token keeps it out of the new one; but enough such members would serve old data as a "
            f"cluster of their own. Move {layout(seen.cluster.platform).data}/member aside before "
            "etcd starts there."
        )
    run.fact(f"{RUN} stands for the id of this run.")
    if first.tool and first.tool.bumps:
        run.fact(f"Revisions grow by {BUMP}, and older ones are marked as compacted.")


def _back(seen: Seen, each: Standing, first: Standing) -> Undo:
    """How people swap the old data back; on all hosts, or the old cluster stays without quorum."""
    how = layout(seen.cluster.platform)
    move = ("mv", "--no-clobber", "--no-target-directory")
    member, old = f"{how.data}/member", aside(how.data, RUN)
    lines = [how.retire]
    if each is first:
        lines.append((*move, member, f"{how.data}/member.restored-{RUN}"))
    lines += [(*move, old, member), how.revive]
    typed = "; ".join(shlex.join(line) for line in lines)
    return Undo(f"On {each.host.name}, and likewise on all: {typed}")


def _reasons(seen: Seen) -> str:
    return " ".join(fault.message for fault in seen.faults.values())


def _and(names: "list[str] | tuple[str, ...]") -> str:
    return " and ".join(names)
