"""python-etcd3, which speaks to etcd's key space, on a protobuf that refuses its own stubs.

Those were generated in 2020, and protobuf 4 and later do not load them. Stubs made from
`wire/data.proto` take their place before the package is imported, which happens at the first
client: only workers need it. They cover put, get, delete and lease; other
methods of the client raise AttributeError.
"""

import importlib
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Protocol

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass

from bot.targets.etcd.channel import MAX_REPLY_BYTES
from bot.targets.etcd.target import label, locate
from bot.targets.etcd.wire import data_pb2
from procedures.model.inventory import Cluster

_STUBS = "etcd3.etcdrpc"


class DataClient(Protocol):
    """The part of `etcd3.Etcd3Client` that there are stubs for. Each call blocks.

    `timeout` is in seconds and goes for each single call; it may be changed between calls. Calls
    raise grpc.RpcError or etcd3.Etcd3Exception; the latter has the former as its context.
    """

    timeout: float
    channel: grpc.Channel

    def lease(self, ttl: int) -> object: ...
    def put(self, key: str, value: str, lease: object = None) -> object: ...
    def get(self, key: str) -> tuple[bytes | None, object]: ...
    def delete(self, key: str) -> bool: ...
    def close(self) -> None: ...


def data_client(cluster: Cluster, endpoint: str) -> DataClient:
    """Make a client of one endpoint, with the cluster's TLS files; `close` it after use.

    It blocks while it reads the files. Raises OSError where they cannot be read, and `FaultError`
    for an endpoint that is no address. It connects with its first call, to nobody but the
    endpoint, and tries no call twice.
    """
    target = locate(endpoint, label(cluster, endpoint))
    files = cluster.tls if target.tls else None
    options: list[tuple[str, str | int]] = [
        ("grpc.enable_http_proxy", 0),
        ("grpc.enable_retries", 0),
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.max_receive_message_length", MAX_REPLY_BYTES),
    ]
    if files and files.server_name:
        options.append(("grpc.ssl_target_name_override", files.server_name))
    make: Callable[..., DataClient] = load().client
    return make(
        host=f"[{target.host}]" if ":" in target.host else target.host,
        port=target.port,
        ca_cert=files.ca if files else None,
        cert_cert=files.cert if files else None,
        cert_key=files.key if files else None,
        timeout=cluster.deadline_ms / 1000,
        grpc_options=options,
    )


def errors() -> tuple[type[Exception], ...]:
    """Name what a call raises."""
    return grpc.RpcError, load().Etcd3Exception


def status(error: BaseException | None) -> tuple[grpc.StatusCode, str | None]:
    """Give gRPC's own code and text: python-etcd3 raises classes that hold neither."""
    while error is not None and not isinstance(error, grpc.Call):
        error = error.__context__
    return (error.code(), error.details()) if error else (grpc.StatusCode.UNKNOWN, None)


def load() -> ModuleType:
    """Import the package, with our stubs in the place of its own."""
    if _STUBS not in sys.modules:
        sys.modules.setdefault(_STUBS, _stubs())  # another thread may have been faster
    return importlib.import_module("etcd3")


def _stubs() -> ModuleType:
    module = ModuleType(_STUBS)
    for name, message in data_pb2.DESCRIPTOR.message_types_by_name.items():
        setattr(module, name, GetMessageClass(message))
    for name, service in data_pb2.DESCRIPTOR.services_by_name.items():
        setattr(module, f"{name}Stub", _stub(service))
    return module


def _stub(service: ServiceDescriptor) -> Callable[[grpc.Channel], object]:
    """Make what protoc's gRPC plugin would, with the names of services that etcd knows."""

    def stub(channel: grpc.Channel) -> object:
        calls = SimpleNamespace()
        for method in service.methods:
            call = channel.unary_unary(
                f"/etcdserverpb.{service.name}/{method.name}",
                request_serializer=GetMessageClass(method.input_type).SerializeToString,
                response_deserializer=GetMessageClass(method.output_type).FromString,
            )
            setattr(calls, method.name, call)
        return calls

    return stub
