"""Channels and packages of etcd hosts on RHEL, one after the other. (P58; R9-R12, R19; X18)

Source: OpenShift's day-two guide, which disables all channels, enables two, and updates all hosts
at once. Here none is disabled, what is installed is pinned, and the others keep quorum. What there
is to update shows only on a host that is registered, so that registering is a run of its own.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from procedures.actions.etcd.check_healthy import CheckHealthy, CheckMember
from procedures.actions.etcd.check_versions import CheckVersions
from procedures.actions.etcd.save_snapshot import SaveSnapshot
from procedures.actions.etcd.target import identity
from procedures.actions.host.restart_etcd import RestartEtcd
from procedures.actions.host.update_packages import CheckRegistered, EnableChannels, UpdatePackages
from procedures.engine.ports import Look
from procedures.etcd.asking import Asking
from procedures.etcd.forcing import forbid_ordered_on
from procedures.etcd.hosts import Hosts, with_hosts
from procedures.etcd.leaving import home_of
from procedures.etcd.observe import listed
from procedures.etcd.rolling import Rolling
from procedures.etcd.same_data import forbid_while_corrupt
from procedures.model import packages
from procedures.model.errors import Refused, UsageError
from procedures.model.host import At
from procedures.model.ids import ClusterName
from procedures.model.inventory import Host, Platform
from procedures.model.member import Identity
from procedures.model.plan import Risk, Undo
from procedures.model.procedure import Procedure, Runbook

_PLATFORMS = frozenset({Platform.ETCD, Platform.OKD3})
"""Elsewhere etcd is of an image, and no package of the host."""

_ASK_MS = 60_000
_YUM_MS = 120_000


@dataclass(frozen=True, slots=True)
class Args:
    """Whose hosts; only this one of them.

    `outage` accepts that nobody serves meanwhile, where there are one or two voters.
    """

    cluster: ClusterName
    host: str | None = None
    outage: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """A member's host. Of one that is not registered, nothing else is known than what it has."""

    at: At
    member: Identity
    installed: Mapping[str, str]
    registered: bool = True
    lacks: tuple[str, ...] = ()
    updates: Mapping[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """Of etcd, as it is after the update."""
        at = self.updates.get(packages.ETCD) or self.installed[packages.ETCD]
        return packages.upstream(at)


@dataclass(frozen=True, slots=True)
class Scene:
    """The cluster, and its members' hosts."""

    hosts: Hosts
    seen: tuple[Seen, ...]


async def look(args: Args, look: Look) -> Scene:
    """Ask each host; nothing is planned for one that cannot be asked. Raises Refused."""
    cluster = look.inventory.clusters[args.cluster]
    look.inventory.retention_of(cluster)
    if cluster.platform not in _PLATFORMS:
        message = f"On {cluster.platform}, etcd is of an image: no package of its hosts is it."
        raise Refused(message)
    hosts = await with_hosts(args.cluster, look)
    homes = [
        (home, identity(row)) for _, row in listed(hosts.view) if (home := home_of(row, hosts))
    ]
    chosen = [each for each in homes if args.host in {None, each[0].name}]
    if not chosen:
        names = ", ".join(home.name for home, _ in homes)
        message = f"{args.host!r} is no host of a member. These are: {names}."
        raise UsageError(message)
    await forbid_ordered_on(hosts, [home.name for home, _ in chosen], look)
    seen = await asyncio.gather(*(_one(hosts, home, member, look) for home, member in chosen))
    return Scene(hosts, tuple(seen))


async def _one(hosts: Hosts, host: Host, member: Identity, look: Look) -> Seen:
    at, asking = hosts.at(host.name), Asking(look, hosts.cluster, host)
    identity = await asking.said(packages.IDENTITY, (0, 1, 127), _ASK_MS)
    there = await asking.said(packages.INSTALLED, (*range(len(packages.PACKAGES) + 1), 127))
    if 127 in {identity.status, there.status}:
        message = (
            f"{host.name} has no subscription-manager or no rpm: it is no RHEL, and its packages "
            "are updated in another way."
        )
        raise Refused(message)
    installed = packages.installed(there.out)
    if packages.ETCD not in installed:
        message = f"No package etcd is installed on {host.name}, so none is updated there."
        raise Refused(message)
    if identity.status:
        return Seen(at, member, installed, registered=False, lacks=packages.CHANNELS)
    enabled = packages.channels((await asking.said(packages.ENABLED, (0,), _ASK_MS)).out)
    lacks = tuple(each for each in packages.CHANNELS if each not in enabled)
    if lacks:
        return Seen(at, member, installed, lacks=lacks)
    offered = await asking.said(packages.UPDATES, (0, 100), _YUM_MS)
    newer = {
        name: version
        for name, version in packages.updates(offered.out).items()
        if name in installed
    }
    return Seen(at, member, installed, updates=newer)


def plan(args: Args, scene: Scene, run: Runbook) -> None:
    """Register what is not and open the channels; else update, one host after the other."""
    unready = [each for each in scene.seen if each.lacks]
    if unready:
        _register(args.cluster, unready, run)
        return
    due = [each for each in scene.seen if each.updates]
    if not due:
        message = f"The channels have nothing newer for {_names(scene.seen)}: nothing to update."
        raise Refused(message)
    run.title = f"Update {' and '.join(packages.PACKAGES)} on {_names(due)}"
    rolling = Rolling(
        args.cluster, scene.hosts.view, [each.member for each in due], run, args.outage
    )
    _allow(scene, due, rolling)
    run.step("Save and verify a snapshot", SaveSnapshot(args.cluster))
    for each in due:
        _update(scene, each, rolling)
    run.step("Check that all members are healthy", CheckHealthy(args.cluster))
    if len(scene.seen) == len(listed(scene.hosts.view)):
        version = scene.seen[0].version
        run.step(f"Check that all are etcd {version}", CheckVersions(args.cluster, version))


def _register(cluster: ClusterName, unready: Sequence[Seen], run: Runbook) -> None:
    run.title = f"Let {_names(unready)} get packages from Red Hat"
    run.fact("What there is to update shows only then: ask again afterwards.")
    run.fact("No channel is disabled.")
    for each in unready:
        name = each.at.host
        if not each.registered:
            run.ask(
                f"Register {name}",
                how=(
                    f"On {name}, as root: type `subscription-manager register`, which asks for "
                    "name and password itself. Write neither on a command line, nor here. Then "
                    "attach a subscription: `subscription-manager attach --pool=ID`."
                ),
                check=f"{name} says that it is registered.",
                by=CheckRegistered(cluster, each.at),
            )
        run.step(
            f"Enable the channels on {name}",
            EnableChannels(cluster, each.at, each.lacks),
            undo=Undo(
                f"On {name}: subscription-manager repos "
                + " ".join(f"--disable={channel}" for channel in each.lacks)
            ),
        )


def _allow(scene: Scene, due: Sequence[Seen], rolling: Rolling) -> None:
    """R10 and R19: the others keep quorum, and all are of one version then. Refuses."""
    view, run = scene.hosts.view, rolling.run
    forbid_while_corrupt(view)
    for each in due:
        rolling.allow(view.members, each.member)
        news = ", ".join(
            f"{name} {each.installed[name]} to {at}" for name, at in sorted(each.updates.items())
        )
        run.fact(f"{each.at.host}, machine {each.at.machine_id}, member {each.member.id}: {news}.")
    now = {status.version for _, status in view.statuses()}
    then = sorted({each.version for each in scene.seen})
    if len(then) > 1:
        message = f"Its hosts would have etcd {' and '.join(then)} (R19): let all have one channel."
        raise Refused(message)
    far = [each for each in now if not _next(each, then[0])]
    if far:
        message = f"From etcd {far[0]} to {then[0]} is more than one minor (R19): go one by one."
        raise Refused(message)
    if any(_minor(each) != _minor(then[0]) for each in now):
        run.fact(
            f"etcd {then[0]} is of another minor: once all have it, none can go back but by a "
            "restore of the snapshot."
        )


def _update(scene: Scene, each: Seen, rolling: Rolling) -> None:
    """etcd restarts with its package; once more, so that what runs is what was installed."""
    cluster, run = rolling.cluster, rolling.run
    name, restarts = each.at.host, packages.ETCD in each.updates
    if restarts:
        rolling.hand_over(each.member)
    run.step(
        f"Update the packages of {name}",
        UpdatePackages(cluster, each.at, each.member, each.updates, rolling.outage),
        undo=Undo(f"On {name}: yum history undo last"),
    )
    if restarts and rolling.outage:
        # Of one or two voters, all have to be healthy before the next stop.
        run.step(f"Wait until {each.member.name} serves", CheckMember(cluster, each.member))
    if restarts:
        run.step(
            f"Restart etcd on {name}",
            RestartEtcd(
                cluster,
                scene.hosts.cluster.platform,
                each.at,
                each.member,
                outage=rolling.outage,
            ),
        )
    run.step(f"Wait until {each.member.name} has caught up", CheckMember(cluster, each.member))


def _minor(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def _next(now: str, then: str) -> bool:
    (major, minor), wanted = _minor(now), _minor(then)
    return wanted in {(major, minor), (major, minor + 1)}


def _names(seen: Sequence[Seen]) -> str:
    return ", ".join(each.at.host for each in seen)


PROCEDURE = Procedure(
    "host rhsm-update", Args, look, plan, risk=Risk.DISRUPTIVE, lock="etcd/{cluster}"
)
