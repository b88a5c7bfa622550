"""A real etcd cluster on loopback that can be broken on purpose."""
