"""What runs beside etcd on hosts of OpenShift and OKD 3, and asks it: masters, and Flannel.

Stand-ins keep which etcd they were told of when they started: `asks` tells.
"""

from collections.abc import Sequence

from tests.testbed.flavours.flavour import FILES
from tests.testbed.host import Host
from tests.testbed.pki import Pki

_PARTS = {"api": "apiserver.yaml", "controllers": "controller.yaml"}
_ORIGIN = "etc/origin/master"


def make_master(host: Host, pki: Pki, urls: Sequence[str]) -> None:
    """Let a host be a master that asks these URLs: by units, or by pods where etcd is a pod."""
    machine = host.machine
    machine.write(
        f"{_ORIGIN}/master-config.yaml",
        "apiVersion: v1\n"
        "etcdClientInfo:\n"
        "  ca: master.etcd-ca.crt  # etcd's\n"
        "  urls:\n" + "".join(f"  - {url}\n" for url in urls) + "servingInfo:\n"
        "  bindAddress: 0.0.0.0:8443\n",
        mode=0o600,
    )
    pair = pki.issue(host.name, host.address)
    machine.write(f"{_ORIGIN}/ca-bundle.crt", pki.authority.pem)
    machine.write(f"{_ORIGIN}/master.server.crt", pair.certificate)
    machine.write(f"{_ORIGIN}/master.server.key", pair.key, mode=0o600)
    machine.write("usr/local/lib/testbed/www/healthz", "ok")
    script = (FILES / "openshift-master").read_text()
    machine.write("usr/local/lib/testbed/openshift-master", script, mode=0o755)
    for part, manifest in _PARTS.items():
        if host.spec.flavour == "ocp311":
            machine.write(f"etc/origin/node/pods/{manifest}", f"kind: Pod # {part}\n")
            continue
        unit = (FILES / "openshift-master.service").read_text().replace("@PART@", part)
        name = f"origin-master-{part}.service"
        machine.write(f"etc/systemd/system/{name}", unit)
        host.run(["systemctl", "daemon-reload"])
        host.run(["systemctl", "enable", "--quiet", "--now", name])


def use_flannel(host: Host, urls: Sequence[str]) -> None:
    """Let a host use Flannel, which asks these URLs."""
    host.machine.write("etc/sysconfig/flanneld", f"FLANNEL_ETCD_ENDPOINTS={','.join(urls)}\n")
    unit = (FILES / "flanneld.service").read_text()
    host.machine.write("etc/systemd/system/flanneld.service", unit)
    host.run(["systemctl", "daemon-reload"])
    host.run(["systemctl", "enable", "--quiet", "--now", "flanneld.service"])


def asks(host: Host, who: str) -> list[str]:
    """Which URLs `api`, `controllers` or `flannel` was told of when it started last."""
    file = "/run/flannel/asked" if who == "flannel" else f"/run/openshift-master/{who}"
    return host.run(["cat", file], check=False).output.replace(",", "\n").split()
