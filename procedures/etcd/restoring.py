"""What restores of a cluster have in common: on which ground, on which host, and what is stopped.

(catalogue P32, P34; R14)
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from procedures.actions.etcd.check_lost import CheckLost
from procedures.actions.host.api_server import StartApi, StopApi
from procedures.actions.host.data_owner import Relabel
from procedures.actions.host.stop_etcd import StopEtcd
from procedures.actions.host.swap_data import PutDataInPlace, SetDataAside
from procedures.engine.ports import Look
from procedures.etcd.data_place import require_placed
from procedures.etcd.loss import Heard, host_of, lost, served
from procedures.etcd.newer import forbid_losing, tell_newer
from procedures.etcd.observe import observe
from procedures.etcd.snapshots import Choice, choose
from procedures.etcd.standing import Standing, standings
from procedures.etcd.view import Seen as Member
from procedures.etcd.view import View
from procedures.model import quorum
from procedures.model.errors import Refused, UsageError
from procedures.model.host import At
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster
from procedures.model.plan import Undo
from procedures.model.platform import layout
from procedures.model.probe import Fault
from procedures.model.procedure import Runbook
from procedures.model.restoring import RUN, aside, minor_of


@dataclass(frozen=True, slots=True)
class Args:
    """Which snapshot (None: the newest with quorum), and `on` which host it is restored first.

    A member that answers may have newer data: that is given up only where the snapshot is named.
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

    @property
    def heard(self) -> Mapping[str, Heard]:
        """What each host heard from the members."""
        return {each.host.name: each.heard for each in self.standing}

    def at(self, each: Standing) -> At:
        """Pin a machine."""
        return At(each.host.name, each.machine.machine_id)


async def see(args: Args, look: Look, *, archives: bool = False) -> Seen:
    """See the cluster from here and from its hosts, and read the snapshot, or archive, again."""
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
    choice = await choose(cluster.name, args.snapshot, look, archives=archives)
    minor = minor_of(choice.snapshot.origin.version)
    view = await observe(cluster, look)
    standing, faults = await standings(cluster, minor, look)
    return Seen(cluster, view, choice, standing, faults)


def stop_apis(args: Args, seen: Seen, run: Runbook) -> list[tuple[At, str]]:
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
                "masters, so that none serves what it has remembered; start them again when the "
                "last step of this run asks for it."
            ),
            check="nothing is looked at.",
        )
    for each, name in found:
        stop = StopApi(args.cluster, platform, seen.at(each), name)
        start = StartApi(args.cluster, platform, seen.at(each), name)
        undo = Undo(f"On {start.command}")
        run.step(f"Stop the API server on {each.host.name}", stop, undo=undo)
    return [(seen.at(each), name) for each, name in found]


def ground(args: Args, seen: Seen) -> str:
    """On which ground it is restored. Raises Refused where there is none.

    Also where newer data would be lost unsaid. That comes before all that tells people to stop a
    member, or a host: its data is to be saved first.
    """
    if not args.data_is_bad:
        runs = {each.host.name: each.runs for each in seen.standing}
        loss = lost(seen.cluster, seen.view, seen.heard, runs)
        if args.snapshot is None:
            forbid_losing(seen.view, seen.choice)
        return loss
    now = "Quorum exists." if served(seen.view, seen.heard) else "Quorum was not seen."
    return (
        "The data is declared bad by --data-is-bad; nothing here proves it. "
        f"{now} All that was written since the snapshot is given up."
    )


def require_stoppable(seen: Seen) -> None:
    """An etcd that runs where nobody can stop it would stay a cluster of its own."""
    out_of_hand = [member for member in _out_of_hand(seen) if member.status]
    if out_of_hand:
        homes = {member.name: host_of(seen.cluster, member) for member in out_of_hand}
        homeless = [name for name, home in homes.items() if home is None]
        why = reasons(seen)
        if homeless:
            why = (
                f"The configuration names no host of {_and(homeless)}: list it in "
                f"`clusters.{seen.cluster.name}.hosts`, or stop that etcd by hand. {why}"
            )
        message = (
            f"etcd answers on {_and(list(homes))}, and cannot be stopped there, because nobody "
            f"gets to the host (R14). {why}"
        )
        raise Refused(message.strip())
    for each in seen.standing:
        how = layout(seen.cluster.platform)
        require_placed(each.host.name, each.config, how, "it is not restored by this procedure")


def _out_of_hand(seen: Seen) -> list[Member]:
    """The members whose etcd nobody can look at on its host, by the name that it was told."""
    names = {each.host.name for each in seen.standing} | {
        each.values.get("ETCD_NAME", "") for each in seen.standing
    }
    return [member for member in seen.view.seen if member.name not in names]


def kept_off(seen: Seen) -> list[str]:
    """Where people have to see to it that no etcd runs: hosts, and members without a known one."""
    homeless = [
        each.name
        for each in _out_of_hand(seen)
        if host_of(seen.cluster, each) is None and not (each.listed and not each.listed.started)
    ]
    return [*seen.faults, *homeless]


def first_host(
    args: Args, seen: Seen, also: Mapping[str, tuple[str, ...]] | None = None
) -> Standing:
    """The host that is restored first: the one that is asked for, else the first that is fit.

    `also` says by host what else speaks against it.
    """
    size = seen.choice.snapshot.room
    wrong = {
        each.host.name: (
            *each.unfit(seen.cluster, seen.minor, size),
            *(also or {}).get(each.host.name, ()),
        )
        for each in seen.standing
    }
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
    why = "; ".join(f"{name}: {_and(each)}" for name, each in wrong.items()) or reasons(seen)
    message = f"No host of {args.cluster} is fit to be restored on. {why}"
    if seen.standing and not any(each.tool for each in seen.standing):
        message = f"{message}. {layout(seen.cluster.platform).for_tools}"
    raise Refused(message)


def tell_hosts(args: Args, seen: Seen, first: Standing, run: Runbook) -> None:
    """Say what the backup lacks, what is stopped where, and which hosts stay off."""
    if not served(seen.view, seen.heard):  # else the figures would be others at the next look
        tell_newer(seen.view, seen.choice.snapshot, run)
    if not args.data_is_bad:
        _tell_startable(seen, run)
    for each in seen.choice.passed_over:
        run.fact(f"Newer, and not whole: {each}.")
    why = "as asked" if args.on else "the first by name that is fit"
    run.fact(f"{first.host.name} ({first.host.address}) is restored first, {why}.")
    names = [each.host.name for each in seen.standing if each.has_etcd(seen.cluster)]
    run.fact(
        f"etcd is stopped on {_and(names)}, and no boot starts it there; the data is kept as "
        f"{aside(layout(seen.cluster.platform).data, RUN)}."
    )
    for one in seen.standing:
        if one.serves is not None:
            run.fact(
                f"etcd on {one.host.name} is configured for the cluster {one.serves}, and is not "
                "touched."
            )
    for name, fault in seen.faults.items():
        run.fact(
            f"{name} must stay off: {fault.message} Its data is of the old cluster, and the new "
            "cluster's id keeps it out of that; but enough such members would serve old data as a "
            f"cluster of their own. Move {layout(seen.cluster.platform).data}/member aside before "
            "etcd starts there."
        )
    for name in kept_off(seen):
        if name not in seen.faults:
            run.fact(f"{name} must stay off too: the configuration names no host of it.")
    run.fact(f"{RUN} stands for the id of this run.")


def _tell_startable(seen: Seen, run: Runbook) -> None:
    """Say that etcd may only have to be started. By data alone: processes come and go."""
    kept = [each.host.name for each in seen.standing if each.member]
    needed = quorum.quorum(len(seen.view.voters))
    if len(kept) >= needed:
        how = layout(seen.cluster.platform)
        run.fact(
            f"Data of members lies on {_and(kept)}, and {needed} make a quorum. Where etcd still "
            f"starts with it (`{shlex.join(how.start)}`), nothing is lost: nobody has tried that "
            "here. Look at why it does not run there before this is approved."
        )


def make_sure(args: Args, seen: Seen, first: Standing, run: Runbook) -> None:
    """See that quorum is still lost, before anything is stopped, and that it cannot come back.

    Hosts that do not answer may only be cut off from here: what runs there would go on as a cluster
    of its own, with clients that write to it (R14).
    """
    check = None if args.data_is_bad else CheckLost(args.cluster, seen.at(first))
    if kept_off(seen):
        _ask_to_keep_off(seen, first, check, run)
    elif check and layout(seen.cluster.platform).apis:
        # Without it the API servers would be off before the first etcd is asked.
        run.step("Make sure that quorum is still lost", check)


def _ask_to_keep_off(seen: Seen, first: Standing, check: CheckLost | None, run: Runbook) -> None:
    names = _and(kept_off(seen))
    what, stop, also = "etcd", "etcd there from its console, so that no boot starts it", ""
    looked = f"nobody serves a linearizable read, from here and on {first.host.name}."
    if layout(seen.cluster.platform).apis:
        what = "etcd and no API server"
        stop = "etcd and the API server there from its console, so that no boot starts them"
        also = " API servers would serve what they have remembered."
        looked += " No API server is looked at."
    run.ask(
        f"Make sure that no {what} runs on {names}",
        how=(
            f"Nobody can look at {names} from here. Take the power of each, or stop {stop}. "
            "Otherwise members that still reach each other would go on as a second cluster, and "
            f"what is written there is lost.{also}"
        ),
        check=looked if check else "nothing is looked at.",
        by=check,
    )


def swap_data(args: Args, seen: Seen, first: Standing, run: Runbook) -> list[tuple[At, str]]:
    """Stop all, set the data of all aside, and put the restored data in place on the first host.

    Gives the API servers that are stopped then.
    """
    make_sure(args, seen, first, run)
    apis = stop_apis(args, seen, run)
    platform, at = seen.cluster.platform, seen.at(first)
    stopped = [each for each in seen.standing if each.has_etcd(seen.cluster)]
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
            undo=back(seen, each, first),
        )
    run.step("Put the restored data in place", PutDataInPlace(args.cluster, platform, at))
    if first.labelled:
        run.step("Label it", Relabel(args.cluster, platform, at))
    return apis


def back(seen: Seen, each: Standing, first: Standing) -> Undo:
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


def reasons(seen: Seen) -> str:
    """Why hosts cannot be reached."""
    return " ".join(fault.message for fault in seen.faults.values())


def _and(names: "list[str] | tuple[str, ...]") -> str:
    return " and ".join(names)
