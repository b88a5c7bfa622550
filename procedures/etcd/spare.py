"""Looking at a host that is to get a member: whether it is fit for that. (catalogue P51, P55)"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from procedures.engine.hosts import ASK_MS
from procedures.engine.ports import Look
from procedures.etcd.asking import Asking
from procedures.etcd.certificate_figures import unfit
from procedures.etcd.certificates_in_use import InUse, in_use
from procedures.etcd.certificates_seen import Key, kept_on, trusted_on
from procedures.etcd.data_place import room
from procedures.etcd.forcing import ordered_by_unit
from procedures.etcd.residents import other_cluster
from procedures.etcd.startable import not_startable
from procedures.host.asking import OnHost
from procedures.model.errors import Refused
from procedures.model.host import FileSeen, Machine
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster, Host
from procedures.model.platform import Layout, layout
from procedures.model.probe import Fault

_MEMBER = "member"
_AT_IT = frozenset({"active", "activating", "reloading"})
_BY_OTHERS = 0o044
_OWNER_MAKES, _GROUP_MAKES, _ALL_MAKE = 0o300, 0o030, 0o003
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Spare:
    """What a host is like that has no member yet.

    `told` is what would start an etcd there: a unit that systemd is at, or a manifest. `left` is
    what lies in its data folder, and `free_bytes` the room there; `shut` says why etcd may not
    write there, `stuck` why systemd could not start it, `forced` that its unit has etcd forget all
    other members at each start. `minor` is e.g. `3.4`, None where nothing tells it; `ca` is a
    SHA-256 sum, None where there is no such file; `unfit` says what is wrong with its certificates,
    and `serves` is the other cluster for which it is configured.
    """

    host: Host
    machine: Machine
    runs: bool
    told: str | None
    left: tuple[str, ...]
    shut: str | None
    forced: str | None
    minor: str | None
    free_bytes: int
    config: FileSeen | None
    ca: str | None
    unfit: tuple[str, ...]
    serves: ClusterName | None = None
    stuck: str | None = None


async def look_at_spare(
    cluster: Cluster, host: Host, look: Look, settings: Mapping[str, str] = _NOTHING
) -> Spare:
    """Look at it. Raises Refused where it cannot be seen.

    `settings` are those that its etcd will have, as far as they are known: they say where its
    certificates are.
    """
    how = layout(cluster.platform)
    machine = await look.hosts.machine(cluster, host)
    if isinstance(machine, Fault):
        message = f"{host.name} cannot be reached, so it cannot get a member: {machine.message}"
        raise Refused(message)
    asking = Asking(look, cluster, host)
    uses = _uses(how, host, machine, settings)
    # First by itself: the program that tells its version has the same name as the one looked for.
    runs = await asking.said(how.stopped, (0, 1))
    (told, left, minor, free, config, ca), (user, forced, stuck) = await asyncio.gather(
        asyncio.gather(
            _told(asking, how),
            asking.names(how.data),
            asking.minor(how.version, (0, 127)),
            room(asking, how.data),
            asking.file(how.config),
            asking.file(uses[-1].ca),
        ),
        asyncio.gather(
            _user(asking, how),
            ordered_by_unit(look, cluster, host),
            not_startable(asking, how),
        ),
    )
    until = asyncio.get_running_loop().time() + ASK_MS / 1_000
    return Spare(
        host=host,
        machine=machine,
        runs=runs.status == 0,
        told=told,
        left=left,
        shut=await _shut(asking, how.data, user) if user else None,
        forced=forced if isinstance(forced, str) else None,
        minor=minor,
        free_bytes=free,
        config=config,
        ca=hashlib.sha256(ca.content).hexdigest() if ca else None,
        unfit=await _unfit(OnHost(look, cluster, host, until), uses, user),
        serves=other_cluster(config, cluster, look.inventory),
        stuck=stuck,
    )


async def data_of(cluster: Cluster, host: Host, look: Look) -> tuple[str, ...] | None:
    """List what lies in a host's data folder; None where nobody can tell."""
    said = await look.hosts.ask(cluster, host, ("ls", "-A", layout(cluster.platform).data))
    if isinstance(said, Fault) or said.status:
        return None
    return tuple(sorted(said.out.split("\n")[:-1]))


def aside(left: Sequence[str], how: Layout) -> tuple[str, str] | None:
    """Tell where a member's data goes, inside its folder: from and to. None where there is none.

    The folder itself may be a mount of its own, and stays (X16).
    """
    if _MEMBER not in left:
        return None
    number = next(n for n in range(1, len(left) + 2) if f"{_MEMBER}.quorumbot-{n}" not in left)
    return f"{how.data}/{_MEMBER}", f"{how.data}/{_MEMBER}.quorumbot-{number}"


async def _told(asking: Asking, how: Layout) -> str | None:
    """Tell what would start an etcd by itself."""
    if how.unit is None:
        there = how.armed is not None and await asking.holds(*how.armed)
        return "a manifest of etcd is in place" if there else None
    shown = await asking.said(("systemctl", "show", how.unit, "--property=ActiveState"), (0,))
    state = shown.out.strip().partition("=")[2]
    return f"{how.unit} is {state}" if state in _AT_IT else None


async def _user(asking: Asking, how: Layout) -> str:
    """Tell as whom systemd runs etcd there, by name; empty for root, and where nothing tells."""
    if how.unit is None:
        return ""
    shown = await asking.said(("systemctl", "show", how.unit, "--property=User"), (0,))
    user = shown.out.strip().partition("=")[2]
    return "" if user == "root" or user.isdigit() else user


async def _shut(asking: Asking, path: str, user: str) -> str | None:
    """A fresh disk that is mounted there is root's: etcd ends at once. A group may let it in."""
    said = await asking.said(("stat", "-L", "-c", "%U %a", path), (0, 1))
    if said.status:
        return f"there is no {path}: make it, as {user}'s, as whom etcd runs"
    owner, mode = said.out.split()
    ways = (_OWNER_MAKES,) if owner == user else (_GROUP_MAKES, _ALL_MAKE)
    if any(int(mode, 8) & way == way for way in ways):
        return None
    return (
        f"{user}, as whom etcd runs, may not write to {path} ({int(mode, 8):04o}, {owner}): chown "
        f"{user}: {path}"
    )


async def _unfit(on: OnHost, uses: Sequence[InUse], user: str) -> tuple[str, ...]:
    """Tell what is wrong with the certificates of a host, by what `/etcd certs` judges by (R17)."""
    now_s = on.look.clock.now_ms() // 1_000
    kept, cas = await asyncio.gather(
        asyncio.gather(*(kept_on(on, use) for use in uses)),
        asyncio.gather(*(trusted_on(on, ca) for ca in dict.fromkeys(use.ca for use in uses))),
    )
    if all(each.leaf is None and each.key is None for each in kept):
        return ("it has no certificates for a member",)
    trusted, found = dict(cas), dict[str, dict[str, None]]()
    for each in kept:
        why = unfit(each, trusted[each.use.ca], now_s)
        if isinstance(each.key, Key) and user not in {"", each.key.owner}:
            why += _kept_from(user, each.use.pair.key, each.key)
        found.setdefault(each.use.pair.cert, {}).update(dict.fromkeys(why))
    missing = [f"{path} is missing or no certificate" for path, ca in trusted.items() if not ca]
    wrong = [f"{path}: {', '.join(why)}" for path, why in found.items() if why]
    return (*missing, *wrong)


def _kept_from(user: str, path: str, key: Key) -> list[str]:
    """A key that was copied as root, and is root's: etcd ends at once. A group may let it in."""
    if key.mode & _BY_OTHERS:
        return []
    return [f"{user}, as whom etcd runs, may not read {path} ({key.mode:04o}, {key.owner})"]


def _uses(how: Layout, host: Host, machine: Machine, told: Mapping[str, str]) -> list[InUse]:
    """What a member would show; peers come to the address, and people and masters to the name."""
    return [
        replace(use, hosts=tuple(dict.fromkeys((*use.hosts, host.address, machine.hostname))))
        for use in in_use(how, machine.hostname, host, told)
        if use.port
    ]
