"""Put back what configures etcd on a member's host, from a copy. (catalogue P31; rule R10)

Only what differs is written, and only what belongs to this member: another's name, peer URL or
certificate would make it somebody else, or nobody.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from procedures.actions.etcd.check_healthy import CheckHealthy, CheckMember
from procedures.actions.etcd.target import identity
from procedures.actions.host.copy_config import NO_PLACE, unfit
from procedures.actions.host.files import difference
from procedures.actions.host.restart_etcd import RestartEtcd
from procedures.actions.host.restore_file import RestoreFile
from procedures.engine.ports import World
from procedures.etcd.asking import Asking
from procedures.etcd.drift import hosts_of
from procedures.etcd.forcing import ordered_in
from procedures.etcd.hosts import Hosts, with_hosts
from procedures.etcd.observe import find
from procedures.etcd.rolling import Rolling
from procedures.etcd.same_data import forbid_while_corrupt
from procedures.model import certificate, envfile
from procedures.model.config_copy import ConfigCopy, CopiedFile, Listed
from procedures.model.errors import Refused
from procedures.model.host import FileSeen, Machine
from procedures.model.ids import ClusterName
from procedures.model.paths import within, writable
from procedures.model.plan import Risk, Undo
from procedures.model.platform import Layout, layout
from procedures.model.probe import Fault, ListedMember
from procedures.model.procedure import Procedure, Runbook

_MOST_NAMED = 5
_LEFT = Undo("The former files lie beside the new ones, as .NAME.quorumbot-SHA256: move them back.")


@dataclass(frozen=True, slots=True)
class Args:
    """Which member, by name or hexadecimal id; from which copy, the newest when None.

    `outage` accepts that nobody serves meanwhile, where there are one or two voters.
    """

    cluster: ClusterName
    member: str
    copy: str | None = None
    outage: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """The hosts, the copy, and what lies on the host by path; None where nothing does.

    A CA's record is not looked at: it is never put back. `nowhere` says where the copy has the data
    of the member, if none lies there.
    """

    hosts: Hosts
    copy: ConfigCopy
    present: Mapping[str, FileSeen | None]
    now_s: int
    nowhere: str | None = None


async def look(args: Args, world: World) -> Seen:
    """See the cluster, the copy, and the files that it holds as they are now."""
    if world.backups is None:
        raise Refused(NO_PLACE)
    cluster = world.inventory.clusters[args.cluster]
    layout(cluster.platform)
    hosts = await with_hosts(args.cluster, world)
    name = find(hosts.view, args.member)[1].name
    host = hosts.host(name)
    hosts.at(name)
    copies = world.backups.copies
    chosen = _chosen(args, name, await copies.listing(args.cluster))
    copy = await copies.read(args.cluster, chosen)
    deep = layout(cluster.platform).deep
    wanted = [each for each in copy.files if not within(each.path, deep)]
    found = await asyncio.gather(*(world.hosts.read(cluster, host, each.path) for each in wanted))
    present: dict[str, FileSeen | None] = {}
    for file, seen in zip(wanted, found, strict=True):
        if isinstance(seen, Fault):
            raise Refused(seen.message)
        present[file.path] = seen
    nowhere = await _nowhere(Asking(world, cluster, host), copy, present)
    return Seen(hosts, copy, present, world.clock.now_ms() // 1_000, nowhere)


async def _nowhere(
    asking: Asking, copy: ConfigCopy, present: Mapping[str, FileSeen | None]
) -> str | None:
    """An etcd that is sent to another folder would start with nothing, as the member that it was.

    What it has promised to the others it would not know any more.
    """
    how = layout(asking.cluster.platform)
    file = copy.file(how.config)
    if file is None or (there := present.get(how.config)) is None:
        return None
    now, then = (_folders(each.content, how) for each in (there, file))
    for name, folder in then.items():
        if folder != now[name] and not await asking.holds("test", "-d", folder):
            return f"its {name} leads to {folder}"
    return None


def _folders(config: bytes, how: Layout) -> dict[str, str]:
    """Where an etcd has its data, and its log, by the setting that says so."""
    values = envfile.read(config.decode(errors="replace"))
    data = f"{(values.get('ETCD_DATA_DIR') or how.data).rstrip('/')}/member"
    log = values.get("ETCD_WAL_DIR", "").rstrip("/") or f"{data}/wal"
    return {"ETCD_DATA_DIR": data, "ETCD_WAL_DIR": log}


def plan(args: Args, seen: Seen, run: Runbook) -> None:
    """Write what differs, restart, and make sure that the member is healthy."""
    hosts, copy = seen.hosts, seen.copy
    row = find(hosts.view, args.member)[1]
    member, at = identity(row), hosts.at(row.name)
    run.title = f"Restore the configuration of {row.name} in {args.cluster}"
    _require_own(seen, row)
    places = writable(hosts.cluster.platform)
    files = [each for each in copy.files if each.path in seen.present]
    changed = [each for each in files if _differs(each, seen.present[each.path])]
    written = [each for each in changed if within(each.path, places)]
    if not written:
        message = f"Nothing is to be restored: {row.name} has all files as in {copy.name}."
        raise Refused(message)
    forbid_while_corrupt(hosts.view)
    rolling = Rolling(args.cluster, hosts.view, (member,), run, args.outage)
    rolling.allow(hosts.view.members, member)
    taken = datetime.fromtimestamp(copy.taken_at_ms / 1_000, UTC)
    run.fact(f"From {copy.name}, taken {taken:%Y-%m-%d %H:%M} UTC from {copy.member.shown}.")
    run.fact(f"{len(written)} of {len(files)} files differ; the former ones are kept.")
    if record := len(copy.files) - len(files):
        run.fact(
            f"Files of the CA's record in the copy ({record}) stay as they are: one that goes back "
            "would give a serial number twice. Where it is lost, put it back by hand."
        )
    for each in changed:
        if each not in written:
            run.fact(f"{each.path} differs too, and is not one that Quorumbot writes.")
    rolling.hand_over(member)
    for each in written:
        before = seen.present[each.path]
        run.step(
            f"Restore {each.path}",
            RestoreFile(
                cluster=args.cluster,
                at=at,
                copy=copy.name,
                path=each.path,
                was=_sha256(before) if before else None,
                now=each.sha256,
                mode=each.mode,
                owner=each.owner,
                group=each.group,
                context=each.context,
                change=_change(each, before),
            ),
            undo=_LEFT,
        )
    run.step(
        f"Restart etcd on {row.name}",
        RestartEtcd(args.cluster, hosts.cluster.platform, at, member, outage=args.outage),
    )
    run.step(f"Wait until {row.name} has caught up", CheckMember(args.cluster, member))
    run.step("Check that all members are healthy", CheckHealthy(args.cluster))


def _chosen(args: Args, host: str, listed: tuple[Listed, ...]) -> str:
    """Name the copy that is meant. Raises Refused."""
    own = [each.name for each in listed if each.host == host]
    if args.copy is None and own:
        return own[0]
    if args.copy in {each.name for each in listed}:
        return str(args.copy)
    there = f"Of {host} there are {', '.join(own[:_MOST_NAMED])}." if own else ""
    what = f"copy {args.copy}" if args.copy else f"copy of {host}'s configuration"
    message = f"There is no {what}. {there or '/etcd backup config makes one.'}"
    raise Refused(message)


def _require_own(seen: Seen, row: ListedMember) -> None:
    """Make sure that the copy is this member's. Raises Refused with all that speaks against it."""
    copy, cluster = seen.copy, seen.hosts.cluster
    how = layout(cluster.platform)
    config = copy.file(how.config)
    values = envfile.read(config.content.decode(errors="replace")) if config else {}
    wrong = []
    if copy.host != row.name:
        wrong.append(f"it is of the host {copy.host}")
    if values.get("ETCD_NAME", row.name) != row.name:
        wrong.append(f"its ETCD_NAME is {values['ETCD_NAME']}")
    peers = values.get("ETCD_INITIAL_ADVERTISE_PEER_URLS")
    if peers and set(peers.split(",")) != set(row.peer_urls):
        listed = ",".join(row.peer_urls)
        wrong.append(f"its peer URL is {peers}, and that of {row.name} is {listed}")
    machine = seen.hosts.machines.get(row.name)
    hostname = machine.hostname if isinstance(machine, Machine) else copy.host
    usual = how.certificates(hostname)
    for name, path, urls in (
        ("ETCD_PEER_CERT_FILE", usual.peer.cert, ",".join(row.peer_urls)),
        ("ETCD_CERT_FILE", usual.server.cert, values.get("ETCD_ADVERTISE_CLIENT_URLS", "")),
    ):
        file = copy.file(values.get(name, path))
        leaf = certificate.read(file.content) if file else None
        if file is None or leaf is None:
            continue
        missing = [each for each in hosts_of(urls) if each not in leaf.names]
        if missing:
            wrong.append(f"its {file.path} is not for {' and '.join(missing)}")
        if leaf.ends_s <= seen.now_s:
            wrong.append(f"its {file.path} has expired")
    if seen.nowhere:
        wrong.append(f"{seen.nowhere}, where no data of the member lies")
    wrong += unfit(copy, how)
    wrong += [
        f"its {file.path} has {by}, so that etcd would forget all other members"
        for file in copy.files
        if file.path in seen.present and (by := ordered_in(file.content.decode(errors="replace")))
    ]
    if wrong:
        message = f"{copy.name} does not fit {row.name}: {'; '.join(wrong)} (R7, R17)."
        raise Refused(message)


def _differs(file: CopiedFile, there: FileSeen | None) -> bool:
    return there is None or (
        (_sha256(there), there.mode, there.owner, there.group)
        != (file.sha256, file.mode, file.owner, file.group)
    )


def _change(file: CopiedFile, there: FileSeen | None) -> str:
    """Show what changes in a text; of keys and certificates only that they do."""
    was = _sha256(there)[:12] if there else "nothing"
    if was == file.sha256[:12]:
        return "the content stays; owner and mode change"
    if file.secret or b"-----BEGIN" in file.content or (there and b"-----BEGIN" in there.content):
        what = "a private key, which is not shown" if file.secret else "a certificate"
        return f"{what}: SHA-256 {was} becomes {file.sha256[:12]}"
    before = there.content.decode(errors="replace") if there else ""
    return difference(file.path, before, file.content.decode(errors="replace"))


def _sha256(found: FileSeen) -> str:
    return hashlib.sha256(found.content).hexdigest()


PROCEDURE = Procedure(
    "etcd restore config", Args, look, plan, risk=Risk.DISRUPTIVE, lock="etcd/{cluster}"
)
