"""Fake clusters on platforms where no package brings what runs etcd."""

from collections.abc import Sequence
from dataclasses import replace

from bot.targets.ssh.model import FakeMachine, Say
from procedures.model.ids import ClusterName, MemberName
from procedures.model.inventory import Platform
from procedures.model.paths import OWN_UNIT, WRAPPER
from tests.support.theatre import Theatre
from tests.testbed.flavours.flavour import FILES

DEMO = ClusterName("demo")
MANIFEST = "/etc/origin/node/pods/etcd.yaml"
_SSL = "/etc/ssl/etcd/ssl"


def on_kubespray(theatre: Theatre) -> None:
    """Let members be containers behind a wrapper; a spare has etcdctl and certificates only."""
    _run_by(theatre, Platform.KUBESPRAY)
    for name, machine in theatre.sight.hosts.machines.items():
        conf = machine.files.text("/etc/etcd/etcd.conf")
        machine.files.remove("/etc/etcd/etcd.conf")
        machine.programs["etcdctl"] = _version
        for each in ("ca", f"member-{name}", f"member-{name}-key"):
            machine.files.put(f"{_SSL}/{each}.pem", "-")
        if MemberName(name) not in theatre.sight.demo.members:
            continue
        machine.files.put(
            "/etc/etcd.env",
            f"{conf}ETCD_CERT_FILE={_SSL}/member-{name}.pem\n"
            f"ETCD_KEY_FILE={_SSL}/member-{name}-key.pem\n"
            f"ETCDCTL_CERT={_SSL}/admin-{name}.pem\n",
            0o640,
        )
        for source, path in (("kubespray-etcd", WRAPPER), ("kubespray-etcd.service", OWN_UNIT)):
            text = (FILES / source).read_text().replace("@NAME@", name)
            machine.files.put(path, text.replace("@IMAGE@", "quay.io/coreos/etcd:v3.4"), 0o755)


def with_static_pods(theatre: Theatre) -> None:
    """Let members be static pods; a spare has certificates, and no manifest."""
    _run_by(theatre, Platform.OCP311)
    for name, machine in theatre.sight.hosts.machines.items():
        if MemberName(name) in theatre.sight.demo.members:
            text = (FILES / "ocp311-etcd.yaml").read_text()
            machine.files.put(MANIFEST, text.replace("@IMAGE@", "etcd:v3.4"), 0o600)
        else:
            machine.files.folder("/etc/origin/node/pods")


def _run_by(theatre: Theatre, platform: Platform) -> None:
    inventory = theatre.sight.inventory
    cluster = replace(inventory.clusters[DEMO], platform=platform)
    theatre.sight.inventory = replace(inventory, clusters={DEMO: cluster})


async def _version(_: FakeMachine, __: Sequence[str], ___: bytes, say: Say) -> int:
    await say("etcdctl version: 3.4.23")
    return 0
