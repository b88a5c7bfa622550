"""Whether etcd on a host would forget all other members at its next start. (catalogue P32; R14; X7)

That order is meant for one start of one member of a lost cluster. Left in place, by hand or by a
playbook that broke off, it makes a second cluster of whoever is restarted.
"""

import asyncio
import re
from collections.abc import Collection, Mapping

from procedures.engine.ports import Look
from procedures.etcd.hosts import Hosts
from procedures.model import envfile
from procedures.model.errors import Refused, Retryable
from procedures.model.host import FileSeen, Machine
from procedures.model.inventory import Cluster, Host
from procedures.model.paths import OWN_UNIT
from procedures.model.platform import SCRIPT, layout
from procedures.model.probe import Fault

SETTING = "ETCD_FORCE_NEW_CLUSTER"
_FLAG = re.compile(r"--?force-new-cluster(?!=[\"']?(?:false|0|f)\b|[\w-])", re.IGNORECASE)
_IN_ENVIRONMENT = re.compile(rf"\b{SETTING}=\"?(?:true|1|t)\b", re.IGNORECASE)
_IN_MANIFEST = re.compile(
    rf"name:\s*[\"']?{SETTING}[\"']?,?\s+value:\s*[\"'](?:true|1|t)[\"']", re.IGNORECASE
)
_TRUE = frozenset({"true", "1", "t"})


def ordered_by_values(values: Mapping[str, str]) -> str | None:
    """Tell by the settings of a configuration."""
    return SETTING if values.get(SETTING, "").lower() in _TRUE else None


def ordered_in(text: str) -> str | None:
    """Tell by what a file gives the order; None: it does not. Comments give none."""
    if by := ordered_by_values(envfile.read(text)):
        return by
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    if any(_IN_ENVIRONMENT.search(line) for line in lines) or _IN_MANIFEST.search("\n".join(lines)):
        return SETTING
    return "--force-new-cluster" if any(_FLAG.search(line) for line in lines) else None


async def ordered_by_unit(look: Look, cluster: Cluster, host: Host) -> str | Fault | None:
    """Tell whether the unit, with all that is dropped in, or a script that it runs gives it.

    Gives a sentence's beginning.
    """
    how = layout(cluster.platform)
    unit = how.unit
    if unit is None:
        return None
    argv = ("systemctl", "show", unit, "--property=ExecStart,Environment")
    said = await look.hosts.ask(cluster, host, argv)
    if isinstance(said, Fault):
        return said
    if _FLAG.search(said.out):
        return f"{unit} on {host.name} starts etcd with --force-new-cluster"
    if _IN_ENVIRONMENT.search(said.out):
        return f"{unit} on {host.name} sets {SETTING}"
    for path in (each.path for each in how.runners if each.mode & 0o111):
        if found := await _ordered_by_script(look, cluster, host, path):
            return found
    return None


async def _ordered_by_script(
    look: Look, cluster: Cluster, host: Host, path: str
) -> str | Fault | None:
    """What is a program instead is not read: it gives no orders, and is large."""
    first = await look.hosts.ask(cluster, host, ("head", "--bytes=2", path))
    if isinstance(first, Fault):
        return first
    if first.out != SCRIPT:
        return None
    file = await look.hosts.read(cluster, host, path)
    if isinstance(file, Fault):
        return file
    return _ordered_by_file(host, path, file)


async def ordered(look: Look, cluster: Cluster, host: Host) -> str | Fault | None:
    """The same of its configuration too, and of a manifest."""
    how = layout(cluster.platform)
    paths = [each for each in dict.fromkeys((how.config, *how.files)) if each != OWN_UNIT]
    by_unit, files = await asyncio.gather(
        ordered_by_unit(look, cluster, host),
        asyncio.gather(*(look.hosts.read(cluster, host, path) for path in paths)),
    )
    if by_unit:
        return by_unit
    for path, file in zip(paths, files, strict=True):
        if isinstance(file, Fault):
            return file
        if found := _ordered_by_file(host, path, file):
            return found
    return None


def _ordered_by_file(host: Host, path: str, file: FileSeen | None) -> str | None:
    by = ordered_in(file.content.decode(errors="replace")) if file else None
    return f"{path} on {host.name} has {by}" if by else None


async def forbid_ordered(look: Look, cluster: Cluster, host: Host) -> None:
    """Let nobody start it so. Raises Refused, and Retryable where nobody can tell."""
    found = await ordered(look, cluster, host)
    if isinstance(found, Fault):
        raise Retryable(found.message)
    if found:
        raise Refused(wrong(found))


async def forbid_ordered_on(hosts: Hosts, names: Collection[str], look: Look) -> None:
    """The same for some hosts, before anybody is asked; what does not answer is asked later."""
    there = [
        each
        for each in hosts.cluster.hosts
        if each.name in names and isinstance(hosts.machines.get(each.name), Machine)
    ]
    for found in await asyncio.gather(*(ordered(look, hosts.cluster, each) for each in there)):
        if isinstance(found, str):
            raise Refused(wrong(found))


def wrong(found: str) -> str:
    """What that means, and what to do."""
    return (
        f"{found}: at its next start this etcd would forget all other members, and be a cluster of "
        "its own (R14). Take that out there, and tell systemd (systemctl daemon-reload), before it "
        "is restarted."
    )
