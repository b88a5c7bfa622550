"""Whether a worker can do on a cluster's machines what it has to."""

import asyncio
from collections.abc import Mapping

from procedures.engine.hosts import HostLook
from procedures.model.host import Machine, Said
from procedures.model.inventory import Cluster, Host
from procedures.model.probe import Fault

_TOOLS = ("setsid", "timeout", "mktemp", "sha256sum", "stat", "tail")


async def host_findings(hosts: HostLook, cluster: Cluster) -> Mapping[str, tuple[bool, str]]:
    """Log in to each machine and look: by name of the host, whether it is well, and in words."""
    found = await asyncio.gather(*(_look(hosts, cluster, host) for host in cluster.hosts))
    names = [host.name for host in cluster.hosts]
    findings = {}
    for name, seen in zip(names, found, strict=True):
        twins = [
            other
            for other, each in zip(names, found, strict=True)
            if other != name
            and isinstance(each, Machine)
            and isinstance(seen, Machine)
            and each.machine_id == seen.machine_id
        ]
        findings[name] = _judged(seen, twins)
    return findings


async def _look(hosts: HostLook, cluster: Cluster, host: Host) -> Machine | str:
    machine = await hosts.machine(cluster, host)
    if isinstance(machine, Fault):
        return machine.message
    user = await hosts.ask(cluster, host, ["id", "-u"])
    if isinstance(user, Fault):
        return user.message
    if user.out.strip() != "0":
        return "what is run there is not run as root: say `sudo: true`, or log in as root"
    missing = [tool for tool in _TOOLS if await _lacks(hosts, cluster, host, tool)]
    if missing:
        return f"{', '.join(missing)} not found there: install coreutils and util-linux"
    return machine


async def _lacks(hosts: HostLook, cluster: Cluster, host: Host, tool: str) -> bool:
    said = await hosts.ask(cluster, host, [tool, "--version"])
    return isinstance(said, Said) and said.status == 127


def _judged(seen: Machine | str, twins: list[str]) -> tuple[bool, str]:
    if isinstance(seen, str):
        return False, seen
    if twins:
        return False, (
            f"it has the same machine id as {', '.join(twins)}: they are one machine, or copies "
            f"of one. Give each its own (systemd-machine-id-setup)"
        )
    return True, f"{seen.hostname}, machine {seen.machine_id}"
