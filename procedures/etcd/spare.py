"""Looking at a host that is to get a member: whether it is fit for that. (catalogue P51, P55)"""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from procedures.engine.ports import Look
from procedures.etcd.asking import Asking
from procedures.etcd.data_place import room
from procedures.model.errors import Refused
from procedures.model.host import FileSeen, Machine, Said
from procedures.model.inventory import Cluster, Host
from procedures.model.platform import Layout, Pair, layout
from procedures.model.probe import Fault

_VERSION = re.compile(r"\b(\d+)\.(\d+)\.(\d+)\b")
_MEMBER = "member"
_ENDS_SOON_S = 30 * 86_400
_AT_IT = frozenset({"active", "activating", "reloading"})


@dataclass(frozen=True, slots=True)
class Spare:
    """What a host is like that has no member yet.

    `told` is what would start an etcd there: a unit that systemd is at, or a manifest. `left` is
    what lies in its data folder, and `free_bytes` the room there; `minor` e.g. `3.4`, None where
    nothing tells it; `ca` is a SHA-256 sum, None where there is no such file; `unfit` are
    sentences about its certificates.
    """

    host: Host
    machine: Machine
    runs: bool
    told: str | None
    left: tuple[str, ...]
    minor: str | None
    free_bytes: int
    config: FileSeen | None
    ca: str | None
    unfit: tuple[str, ...]


async def look_at_spare(cluster: Cluster, host: Host, look: Look) -> Spare:
    """Look at it. Raises Refused where it cannot be seen."""
    how = layout(cluster.platform)
    machine = await look.hosts.machine(cluster, host)
    if isinstance(machine, Fault):
        message = f"{host.name} cannot be reached, so it cannot get a member: {machine.message}"
        raise Refused(message)
    asking = Asking(look, cluster, host)
    # First by itself: the program that tells its version has the same name as the one looked for.
    runs = await asking.said(how.stopped, (0, 1))
    told, left, version, free, config, ca = await asyncio.gather(
        _told(asking, how),
        asking.said(("ls", "-A", how.data), (0, 2)),
        asking.said(how.version, (0, 127)) if how.version else _nothing(),
        room(asking, how.data),
        asking.file(how.config),
        asking.file(how.certificates(machine.hostname).ca),
    )
    found = _VERSION.search(version.out) if version and version.status == 0 else None
    return Spare(
        host=host,
        machine=machine,
        runs=runs.status == 0,
        told=told,
        left=tuple(sorted(left.out.split("\n")[:-1])) if left.status == 0 else (),
        minor=f"{found[1]}.{found[2]}" if found else None,
        free_bytes=free,
        config=config,
        ca=hashlib.sha256(ca.content).hexdigest() if ca else None,
        unfit=await _unfit(asking, how, machine),
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


async def _unfit(asking: Asking, how: Layout, machine: Machine) -> tuple[str, ...]:
    """Tell what is wrong with the certificates of a host (R17)."""
    files = how.certificates(machine.hostname)
    found = await asyncio.gather(*(_pair_unfit(asking, files.ca, each) for each in files.pairs))
    return tuple(why for pair in found for why in pair)


async def _pair_unfit(asking: Asking, ca: str, pair: Pair) -> list[str]:
    for path in (ca, pair.cert, pair.key):
        if (await asking.said(("test", "-s", path), (0, 1))).status:
            return [f"{path} is missing"]
    address, x509 = asking.host.address, ("openssl", "x509", "-noout", "-in", pair.cert)
    name = "-checkip" if re.fullmatch(r"[0-9.]+|.*:.*", address) else "-checkhost"
    chain, served, lasting = await asyncio.gather(
        asking.said(("openssl", "verify", "-CAfile", ca, pair.cert), (0, 1, 2)),
        asking.said((*x509, name, address), (0, 1)),
        asking.said((*x509, "-checkend", str(_ENDS_SOON_S)), (0, 1)),
    )
    wrong = []
    if chain.status:
        wrong.append(f"{pair.cert} is not of the CA in {ca}")
    if "does match" not in served.out:
        wrong.append(f"{pair.cert} is not for {address}")
    if lasting.status:
        wrong.append(f"{pair.cert} ends within {_ENDS_SOON_S // 86_400} days")
    return wrong


async def _nothing() -> Said | None:
    return None
