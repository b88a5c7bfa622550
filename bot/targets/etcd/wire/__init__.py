"""etcd's messages on the wire: `etcd_pb2` for our own calls, `data_pb2` for python-etcd3.

Both are generated, by `generate.sh`, from the `.proto` files of the same names.
"""
