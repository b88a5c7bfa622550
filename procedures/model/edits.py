"""Changes of files that are made where the file lies, because it may hold what no plan may show."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from procedures.model import ansible, master, yaml_list

Edit = Callable[[str, Sequence[str]], str]
"""From the former text and some values to the new text. Raises ValueError."""


def _etcd_urls(text: str, urls: Sequence[str]) -> str:
    return yaml_list.relisted(text, master.URLS, urls)


ETCD_URLS = "etcdClientInfo.urls"

IN_ANSIBLE, NEW_IN_ANSIBLE = "ansible [etcd]", "ansible [new_etcd]"

EDITS: Mapping[str, Edit] = MappingProxyType(
    {
        ETCD_URLS: _etcd_urls,
        IN_ANSIBLE: ansible.members_changed,
        NEW_IN_ANSIBLE: ansible.announced,
    }
)
"""By name: a stored plan names one."""

SHOWN: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {IN_ANSIBLE: ansible.shown, NEW_IN_ANSIBLE: ansible.shown}
)
"""What of a file a plan may show, where the lines that change may hold a secret."""
