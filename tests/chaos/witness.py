"""An independent client of the demo cluster: it writes all the time, and notes what etcd took."""

import contextlib
import itertools
import threading
import time
from collections.abc import Sequence
from typing import Any, Self

import grpc

from bot.targets.etcd.python_etcd3 import data_client
from procedures.model.inventory import Cluster

_PREFIX = "/witness/"
_PAUSE_S = 0.05
_ANSWERS_WITHIN_S = 60.0


class Witness:
    """Writes through python-etcd3 in a thread of its own, to any member that answers.

    `acknowledged` has the revision of each write that was, by its number. `longest_s` is how long
    it had to wait at most from one acknowledged write to the next.
    """

    def __init__(self, cluster: Cluster, endpoints: Sequence[str]) -> None:
        self._cluster = cluster
        self._endpoints = list(endpoints)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, name="witness")
        self.acknowledged: dict[int, int] = {}
        self.longest_s = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def lost(self) -> list[int]:
        """Which writes that etcd acknowledged are not there any more."""
        until = time.monotonic() + _ANSWERS_WITHIN_S
        for endpoint in itertools.cycle(self._endpoints):
            if time.monotonic() > until:
                break
            with contextlib.suppress(Exception):
                client = data_client(self._cluster, endpoint)
                with contextlib.closing(client):
                    return [
                        number
                        for number in tuple(self.acknowledged)  # more are coming meanwhile
                        if client.get(f"{_PREFIX}{number}")[0] != str(number).encode()
                    ]
        message = "no member answers the witness"
        raise AssertionError(message)

    def _write(self) -> None:
        number = turn = 0
        last = time.monotonic()
        while not self._stop.is_set():
            endpoint = self._endpoints[turn % len(self._endpoints)]
            client = data_client(self._cluster, endpoint)
            with contextlib.closing(client):
                while not self._stop.is_set():
                    number += 1
                    try:
                        taken: Any = client.put(f"{_PREFIX}{number}", str(number))
                    except (grpc.RpcError, Exception):  # noqa: BLE001 (python-etcd3 has many)
                        turn += 1
                        break
                    self.acknowledged[number] = taken.header.revision
                    now = time.monotonic()
                    self.longest_s, last = max(self.longest_s, now - last), now
                    time.sleep(_PAUSE_S)
