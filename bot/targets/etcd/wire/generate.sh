#!/bin/sh
# Regenerate etcd_pb2.py and etcd_pb2.pyi from etcd.proto (needs grpcio-tools, a development tool).
set -eu
cd "$(dirname "$0")/../../../.."
exec "${PYTHON:-.venv/bin/python}" -m grpc_tools.protoc -I . --python_out=. --pyi_out=. \
    bot/targets/etcd/wire/etcd.proto
