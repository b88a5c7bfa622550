"""Looking at the hosts of a cluster that is to be restored. (catalogue P34; rules R13, R19; X21)"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from procedures.engine.ports import Look
from procedures.etcd.asking import Asking
from procedures.etcd.data_place import free_bytes, values_of
from procedures.etcd.forcing import ordered_by_unit
from procedures.etcd.loss import Heard, heard_on
from procedures.etcd.residents import other_cluster
from procedures.etcd.startable import not_startable
from procedures.model.host import FileSeen, Machine
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster, Host
from procedures.model.platform import Layout, layout
from procedures.model.probe import Fault
from procedures.model.restoring import Seed, Tool, bumps, restores, tools

_LOG_BYTES = 128 * 1024**2
"""A restored member begins with a log file of 64 MB; twice that is asked for."""
_LIST = re.compile(r"[\s,]+")


@dataclass(frozen=True, slots=True)
class Standing:
    """What a host of the cluster is like that answers.

    `member` says whether a member's data lies there, `minor` what is installed (None: nothing
    tells it), `tool` what would restore; `free_bytes` is that of the data folder, None where there
    is none, and `room_bytes` where the snapshot would lie. `apis` are the API servers there.
    `forced` says that its unit has etcd forget all other members at each start, `stuck` why
    systemd could not start it, and `serves` is the other cluster for which it is configured.
    """

    host: Host
    machine: Machine
    config: FileSeen | None
    runs: bool
    member: bool
    labelled: bool
    minor: str | None
    tool: Tool | None
    free_bytes: int | None
    room_bytes: int
    heard: Heard
    apis: tuple[str, ...] = ()
    forced: str | None = None
    serves: ClusterName | None = None
    stuck: str | None = None

    @property
    def values(self) -> Mapping[str, str]:
        """Its configuration; empty where it has none."""
        return values_of(self.config)

    def has_etcd(self, cluster: Cluster) -> bool:
        """Tell whether there is an etcd of this cluster that must not run any more."""
        if self.serves is not None:
            return False
        return self.runs or self.member or self.values.get("ETCD_NAME") in cluster.endpoints

    def expected(self, cluster: Cluster) -> bool:
        """Tell whether a member of it is expected here: any other would be asked by nobody."""
        asked = set(cluster.endpoints.values())
        places = {urlsplit(url).hostname for url in asked}
        return bool(
            {self.seed.name, self.host.name} & cluster.endpoints.keys()
            or asked.intersection(_LIST.split(self.values.get("ETCD_ADVERTISE_CLIENT_URLS", "")))
            or places & {self.host.address, self.host.name, self.machine.hostname}
        )

    @property
    def seed(self) -> Seed:
        """The member that it would be."""
        urls = _LIST.split(self.values.get("ETCD_INITIAL_ADVERTISE_PEER_URLS", ""))
        return Seed(self.values.get("ETCD_NAME", ""), tuple(sorted(url for url in urls if url)))

    def unfit(self, cluster: Cluster, minor: str, size: int) -> tuple[str, ...]:
        """Say why the cluster cannot be restored here first; `size` is that of the snapshot."""
        how, wrong = layout(cluster.platform), []
        if self.serves is not None:
            wrong.append(f"its etcd is configured for the cluster {self.serves}")
        if not self.expected(cluster):
            wrong.append(
                f"no member is expected there, but {', '.join(cluster.endpoints)} (/etcd expect "
                "--members says otherwise)"
            )
        if self.stuck is not None:
            wrong.append(self.stuck)
        if self.config is None:
            wrong.append(f"it has no {how.config}")
        elif not (self.seed.name and self.seed.peer_urls):
            wrong.append(f"{how.config} sets no ETCD_NAME or no ETCD_INITIAL_ADVERTISE_PEER_URLS")
        if self.values.get("ETCD_FORCE_NEW_CLUSTER", "").lower() in {"true", "1"}:
            wrong.append(f"{how.config} sets ETCD_FORCE_NEW_CLUSTER")
        if self.forced:
            wrong.append(self.forced)
        if self.minor not in {None, minor}:
            wrong.append(f"it has etcd {self.minor}, and the snapshot is of etcd {minor}")
        if self.tool is None:
            wrong.append(f"it has no {' or '.join(tools(minor))} {minor} that can restore (X21)")
        needed = 2 * size + _LOG_BYTES
        if self.free_bytes is None:
            wrong.append(f"it has no folder {how.data}")
        elif min(self.free_bytes, self.room_bytes) < needed:
            wrong.append(f"it has less than {needed // 1024**2} MiB free (R13)")
        return tuple(wrong)


async def standings(
    cluster: Cluster, minor: str, look: Look
) -> tuple[tuple[Standing, ...], Mapping[str, Fault]]:
    """Look at all hosts; those that do not answer are in the second part, by name."""
    machines = await asyncio.gather(*(look.hosts.machine(cluster, host) for host in cluster.hosts))
    both = list(zip(cluster.hosts, machines, strict=True))
    found = [(host, machine) for host, machine in both if isinstance(machine, Machine)]
    seen = await asyncio.gather(
        *(_look_at(cluster, host, machine, minor, look) for host, machine in found)
    )
    faults = {host.name: machine for host, machine in both if isinstance(machine, Fault)}
    return tuple(sorted(seen, key=lambda each: each.host.name)), faults


async def find_tool(asking: Asking, how: Layout, minor: str) -> Tool | None:
    """Find the program that restores for this minor, by its own words. (X21)"""
    text = ""

    async def fit(tool: Tool) -> bool:
        nonlocal text
        told = await asking.said(tool.argv("snapshot", "restore", "--help"), range(256))
        text = told.out + told.err
        return told.status == 0 and restores(text)

    tool = await find_tool_that(asking, how, minor, fit)
    return Tool(tool.program, minor, bumps(text)) if tool else None


async def find_tool_that(
    asking: Asking, how: Layout, minor: str, fit: Callable[[Tool], Awaitable[bool]]
) -> Tool | None:
    """Find the first of etcd's tools that is of this minor, and is fit."""
    for name in tools(minor):
        tool = Tool(f"{how.programs}{name}", minor, bumps=False)
        same = await asking.minor(tool.argv("version"), range(256)) == minor
        if same and await fit(tool):
            return tool
    return None


async def _look_at(
    cluster: Cluster, host: Host, machine: Machine, minor: str, look: Look
) -> Standing:
    how, asking = layout(cluster.platform), Asking(look, cluster, host)
    config, runs, member, labelled = await asyncio.gather(
        asking.file(how.config),
        asking.said(how.stopped, (0, 1)),
        asking.holds("test", "-d", f"{how.data}/member"),
        asking.holds("selinuxenabled"),
    )
    tool, free, room = await asyncio.gather(
        find_tool(asking, how, minor),
        free_bytes(asking, how.data),
        free_bytes(asking, "/var/lib"),
    )
    own, armed, forced, stuck, heard = await asyncio.gather(
        asking.minor(how.version, range(256)),
        asyncio.gather(*(asking.holds(*each.armed) for each in how.apis)),
        ordered_by_unit(look, cluster, host),
        not_startable(asking, how),
        heard_on(look, cluster, host, machine, _urls(cluster, config)),
    )
    apis = tuple(each.name for each, there in zip(how.apis, armed, strict=True) if there)
    return Standing(
        host=host,
        machine=machine,
        config=config,
        runs=runs.status == 0,
        member=member,
        labelled=labelled,
        minor=own,
        tool=tool,
        free_bytes=free,
        room_bytes=room or 0,
        apis=apis,
        forced=forced if isinstance(forced, str) else None,
        serves=other_cluster(config, cluster, look.inventory),
        stuck=stuck,
        heard=heard,
    )


def _urls(cluster: Cluster, config: FileSeen | None) -> Sequence[str]:
    """The client URLs of all members that are expected, and those of this host's own."""
    own = _LIST.split(values_of(config).get("ETCD_ADVERTISE_CLIENT_URLS", ""))
    return sorted({*cluster.endpoints.values(), *(url for url in own if url)})
