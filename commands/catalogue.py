"""All commands there are."""

from commands import etcd, ops
from commands.registry import Registry

REGISTRY = Registry((etcd.GROUP, ops.GROUP))
