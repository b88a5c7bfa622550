"""Who has watched the data that is no more: restarted by people, last of all. (P34; R14)"""

from collections.abc import Collection, Mapping
from types import MappingProxyType

from procedures.model.inventory import Cluster, Platform
from procedures.model.platform import layout
from procedures.model.procedure import Runbook

RESTARTS: Mapping[Platform, str] = MappingProxyType(
    {
        Platform.OKD3: (
            "on each master `systemctl restart origin-master-controllers`, on each node `systemctl "
            "restart origin-node` (of OpenShift Container Platform: "
            "atomic-openshift-master-controllers, atomic-openshift-node)"
        ),
        Platform.OCP311: (
            "on each master `master-restart controllers`, whose status 0 proves nothing, so look "
            "that the container is a new one (X7); on each node `systemctl restart "
            "atomic-openshift-node` (of OKD: origin-node)"
        ),
        Platform.KUBESPRAY: (
            "on each control plane host move kube-controller-manager.yaml and kube-scheduler.yaml "
            "out of /etc/kubernetes/manifests, wait until both have ended, and move them back; on "
            "each node `systemctl restart kubelet`"
        ),
    }
)
"""How controllers and kubelets are restarted, on each platform that has API servers."""


def ask_to_restart(cluster: Cluster, silent: Collection[str], run: Runbook) -> None:
    """Ask people for it; they reach nodes and masters that nobody here knows of."""
    how = layout(cluster.platform)
    if not how.apis:
        return
    but = (
        f" (on {' and '.join(silent)} only once {how.data}/member has been moved aside)"
        if silent
        else ""
    )
    run.ask(
        "Restart controllers and kubelets",
        how=(
            f"First start the API servers again that people have stopped{but}. Then restart them: "
            f"{RESTARTS[cluster.platform]}. Until then they act on what they had read before the "
            "restore (R14). The same holds for whatever else watches objects, such as operators."
        ),
        check="nothing is looked at.",
    )
