"""Where on a machine Quorumbot may put files, by platform."""

import posixpath
from collections.abc import Iterable

from procedures.model.ids import RunId
from procedures.model.inventory import Cluster, Host, Platform

STATE = "/var/lib/quorumbot"
"""What Quorumbot keeps on a machine: of root's, mode 0700, and cleaned by itself."""

_DATA = "/var/lib/etcd"
_UNIT = "/etc/systemd/system/etcd.service.d"
OWN_UNIT = "/etc/systemd/system/etcd.service"
"""The unit, where no package brings it."""

WRAPPER = "/usr/local/bin/etcd"
"""What kubespray's unit runs: a script that runs the container."""

_OPENSHIFT_3 = ("/etc/etcd", _DATA, _UNIT, "/etc/origin/master", "/etc/sysconfig/flanneld")

_WRITABLE: dict[Platform, tuple[str, ...]] = {
    Platform.ETCD: ("/etc/etcd", "/etc/default/etcd", _DATA, _UNIT),
    Platform.OKD3: _OPENSHIFT_3,
    Platform.OCP311: (*_OPENSHIFT_3, "/etc/origin/node/pods", "/etc/origin/node/pods-stopped"),
    Platform.OCP4: ("/etc/kubernetes/manifests", _DATA),
    Platform.KUBESPRAY: (
        "/etc/etcd.env",
        "/etc/ssl/etcd",
        _DATA,
        _UNIT,
        "/etc/kubernetes/manifests",
        OWN_UNIT,
        WRAPPER,
    ),
}


def scratch(run: RunId, state: str = STATE) -> str:
    """The folder for a run's own files, such as a snapshot to restore from.

    Unlike `/tmp` it is nobody else's to read, on a disk, and there until the run is forgotten.
    """
    return f"{state}/files/{run}"


def writable(platform: Platform) -> tuple[str, ...]:
    """The files, and the folders with all below, that may be written besides a run's scratch."""
    return _WRITABLE[platform]


def configured(cluster: Cluster, host: Host) -> tuple[str, ...]:
    """What the configuration names besides: Ansible's inventory, on its host only."""
    ansible = cluster.ansible
    return (ansible.inventory,) if ansible is not None and ansible.host == host.name else ()


def within(path: str, places: Iterable[str]) -> bool:
    """Tell whether a path is one of the places or below, as it is spelt.

    One that is relative, has a `..`, a `.` or an empty part, or what cannot be printed, lies
    nowhere.
    """
    if not path.startswith("/") or posixpath.normpath(path) != path or not path.isprintable():
        return False
    return any(path == place or path.startswith(f"{place}/") for place in places)
