"""Masters among machines in memory: an API server and controllers, as units or as static pods."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.targets.ssh.model import FakeMachine, FakeUnit, Program, Say
from procedures.model.ids import ClusterName
from procedures.model.inventory import Platform
from procedures.model.master import CONFIG, MANIFESTS, UNITS, Part, process
from tests.support.theatre import Theatre

SECRET = "ldap-password"  # noqa: S105 (no plan may hold it)


def config(*urls: str) -> str:
    """A master's configuration that asks these."""
    items = "".join(f"  - {url}\n" for url in urls)
    return (
        "apiVersion: v1\n"
        "etcdClientInfo:\n"
        "  ca: master.etcd-ca.crt  # of etcd\n"
        "  urls:\n"
        f"{items}"
        "oauthConfig:\n"
        f"  bindPassword: {SECRET}\n"
        "servingInfo:\n"
        "  bindAddress: 0.0.0.0:8443\n"
    )


def with_masters(
    *names: str, urls: Sequence[str] = (), pods: bool = False
) -> Callable[[Theatre], None]:
    """Let hosts be masters that ask these URLs; all three members when none are given."""

    def act(theatre: Theatre) -> None:
        sight, demo = theatre.sight, ClusterName("demo")
        cluster = sight.inventory.clusters[demo]
        platform = Platform.OCP311 if pods else Platform.OKD3
        cluster = replace(cluster, platform=platform, masters=names)
        sight.inventory = replace(sight.inventory, clusters={demo: cluster})
        asked = urls or list(cluster.endpoints.values())
        for name in names:
            install(sight.hosts.machines[name], config(*asked), pods=pods)

    return act


def install(machine: FakeMachine, text: str, *, pods: bool = False) -> None:
    """Make a machine a master."""
    machine.files.put(CONFIG, text, 0o600)
    for part in Part:
        unit = FakeUnit(active="active", on_start=_process(part))
        # pgrep finds a unit by its name; here that is the pattern that is looked for.
        machine.units[f"{process(part)[-1]}.service"] = unit
        if pods:
            machine.files.put(MANIFESTS[part])
        else:
            machine.units[UNITS[part][0]] = unit
        _stat(machine, 1_000)
    machine.programs["master-restart"] = _master_restart
    machine.programs["curl"] = healthz("ok")


def healthz(answer: str) -> Program:
    """An API server that answers so while it runs."""

    async def curl(machine: FakeMachine, _: Sequence[str], __: bytes, say: Say) -> int:
        unit = machine.unit(f"{process(Part.API)[-1]}.service")
        if unit is None or unit.active != "active":
            return 7
        await say(answer)
        return 0

    return curl


def _process(part: Part) -> Callable[[FakeMachine], None]:
    def started(machine: FakeMachine) -> None:
        unit = machine.unit(f"{process(part)[-1]}.service")
        assert unit is not None
        _stat(machine, 1_000 + unit.starts)

    return started


def _stat(machine: FakeMachine, pid: int) -> None:
    fields = ["S", *["0"] * 18, str(pid * 100), "0"]
    machine.files.put(f"/proc/{pid}/stat", f"{pid} (openshift (x)) {' '.join(fields)}\n")


async def _master_restart(machine: FakeMachine, argv: Sequence[str], _: bytes, say: Say) -> int:
    """Only its first word counts, and its status says nothing. (X6, X7)"""
    unit = machine.unit(f"[o]penshift start master {argv[1]}.service")
    if unit is None or unit.active != "active":
        await say(f"Component {argv[1]} is already stopped")
        return 0
    unit.stop(machine)
    unit.start(machine)
    return 0


def with_flannel(*names: str, urls: Sequence[str] = ()) -> Callable[[Theatre], None]:
    """Let hosts use Flannel, which restarts docker with it; it asks these, or all members."""

    def act(theatre: Theatre) -> None:
        sight, demo = theatre.sight, ClusterName("demo")
        cluster = sight.inventory.clusters[demo]
        if cluster.platform is Platform.ETCD:
            cluster = replace(cluster, platform=Platform.OKD3)
            sight.inventory = replace(sight.inventory, clusters={demo: cluster})
        asked = ",".join(urls or cluster.endpoints.values())
        for name in names:
            machine = sight.hosts.machines[name]
            machine.files.put(
                "/etc/sysconfig/flanneld",
                f'# Flanneld configuration\nFLANNEL_ETCD_ENDPOINTS="{asked}"\nFLANNEL_OPTIONS=\n',
            )
            machine.files.put("/run/flannel/subnet.env", "FLANNEL_SUBNET=10.1.20.1/24\n")
            machine.units["flanneld.service"] = FakeUnit(
                active="active", required_by=("docker.service",)
            )

    return act


def all_around(theatre: Theatre) -> None:
    """Let a member's host and one without a member be masters, and two hosts use Flannel."""
    with_masters("demo-1", "demo-4")(theatre)
    with_flannel("demo-2", "demo-4")(theatre)
