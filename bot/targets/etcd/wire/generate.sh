#!/bin/sh
# Regenerate the *_pb2.py and *_pb2.pyi from etcd.proto and data.proto (needs grpcio-tools, a
# development tool).
set -eu
cd "$(dirname "$0")/../../../.."
exec "${PYTHON:-.venv/bin/python}" -m grpc_tools.protoc -I . --python_out=. --pyi_out=. \
    bot/targets/etcd/wire/etcd.proto bot/targets/etcd/wire/data.proto
