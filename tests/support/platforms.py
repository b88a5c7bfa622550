"""Fake clusters on platforms where no package brings what runs etcd."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.targets.ssh.model import FakeMachine, Say
from procedures.model.ids import ClusterName, MemberName
from procedures.model.inventory import Platform
from procedures.model.kubernetes import MANIFEST as MANIFEST_OF_API
from procedures.model.paths import OWN_UNIT, WRAPPER
from procedures.model.platform import layout
from tests.support.openssl_ca import put_pairs
from tests.support.theatre import Theatre
from tests.testbed.flavours.flavour import FILES

DEMO = ClusterName("demo")
MANIFEST = "/etc/origin/node/pods/etcd.yaml"
CALICO = "/etc/cni/net.d/10-calico.conflist"
_SSL = "/etc/ssl/etcd/ssl"


def on_kubespray(theatre: Theatre) -> None:
    """Let members be containers behind a wrapper; a spare has etcdctl and certificates only."""
    _run_by(theatre, Platform.KUBESPRAY)
    addresses = {each.name: each.address for each in theatre.sight.inventory.clusters[DEMO].hosts}
    for name, machine in theatre.sight.hosts.machines.items():
        conf = machine.files.text("/etc/etcd/etcd.conf")
        machine.files.remove("/etc/etcd/etcd.conf")
        machine.programs["etcdctl"] = _version
        files = layout(Platform.KUBESPRAY).certificates(name)
        put_pairs(machine, files, addresses[name], name)
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


def with_api_servers(
    *names: str, urls: Sequence[str] = (), calico: bool = False
) -> Callable[[Theatre], None]:
    """Let hosts of kubespray run API servers that ask these URLs; all members when none."""

    def act(theatre: Theatre) -> None:
        on_kubespray(theatre)
        asked = urls or tuple(theatre.sight.inventory.clusters[DEMO].endpoints.values())
        for name in names:
            machine = theatre.sight.hosts.machines[name]
            machine.files.put(MANIFEST_OF_API, _api_server(asked), 0o600)
            if calico:
                text = f'{{"plugins": [{{"etcd_endpoints": "{",".join(asked)}"}}]}}'
                machine.files.put(CALICO, text, 0o644)

    return act


def write_urls(theatre: Theatre, name: str, urls: Sequence[str]) -> None:
    """Let somebody write the list into an API server's manifest by hand."""
    theatre.sight.hosts.machines[name].files.put(MANIFEST_OF_API, _api_server(urls), 0o600)


def obeyed(theatre: Theatre) -> None:
    """Let people write the lists that they are asked for."""
    asked, plan = theatre.run.asked, theatre.run.plan
    assert asked is not None
    assert plan is not None
    check = plan.steps[asked.step - 1].args["checked_by"]
    assert isinstance(check, dict)
    for place in check["args"]["places"]:  # type: ignore[index, call-overload, union-attr]
        write_urls(theatre, place["at"]["host"], place["urls"])  # type: ignore[arg-type, index, call-overload]


def _api_server(urls: Sequence[str]) -> str:
    return (
        "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - command:\n    - kube-apiserver\n"
        f"    - --etcd-servers={','.join(urls)}\n    - --etcd-servers-overrides=/events#\n"
    )


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
