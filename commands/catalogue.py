"""All commands there are."""

from commands import etcd, host, ops
from commands.registry import Registry

REGISTRY = Registry((etcd.GROUP, host.GROUP, ops.GROUP))
