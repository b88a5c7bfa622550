"""All commands there are."""

from commands import etcd, host, master, ops
from commands.registry import Registry

REGISTRY = Registry((etcd.GROUP, host.GROUP, master.GROUP, ops.GROUP))
