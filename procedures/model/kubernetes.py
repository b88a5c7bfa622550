"""Where Kubernetes on hosts keeps the list of etcd's client URLs. (catalogue P68)

Only the list is taken out: the rest of such a file is nobody's business here.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml"
"""The static pod of an API server, as kubespray and kubeadm write it."""

_CALICO = re.compile(r'"etcd_endpoints"\s*:\s*"(?P<urls>[^"]*)"')
_LISTS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        MANIFEST: re.compile(
            r"""^\s*-\s*(?P<mark>["']?)--etcd-servers=(?P<urls>[^"'\s]*)(?P=mark)\s*(#.*)?$""",
            re.MULTILINE,
        ),
        "/etc/cni/net.d/10-calico.conflist": _CALICO,
        # What calico-node makes the other one from, where kubespray lets it.
        "/etc/cni/net.d/calico.conflist.template": _CALICO,
    }
)

PATHS = tuple(_LISTS)
"""All files that are looked at; the manifest first."""


def etcd_urls(path: str, text: str) -> tuple[str, ...] | None:
    """Take the list out of one of these files; None where there is none, or more than one."""
    found = {each["urls"] for each in _LISTS[path].finditer(text)}
    if len(found) != 1:
        return None
    return tuple(url for url in found.pop().split(",") if url)


def setting(path: str, urls: tuple[str, ...]) -> str:
    """What is to be written in such a file."""
    listed = ",".join(urls)
    return f"--etcd-servers={listed}" if path == MANIFEST else f'"etcd_endpoints": "{listed}"'
