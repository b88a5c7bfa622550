"""etcd's messages on the wire; `etcd_pb2` is generated from `etcd.proto` by `generate.sh`."""
