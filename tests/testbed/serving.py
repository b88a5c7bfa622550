"""A cluster on hosts for another process, which talks in lines of JSON: `… tests.testbed serve`.

The first line out is `{"ready": …}` with all that one needs to use the cluster, or `{"error": …}`.
From then on each line in is `{"id": N, "host": NAME, "do": VERB}`, and is answered by one line
`{"id": N}`, with `"error": WORDS` where it could not be done. All ends when stdin does, whoever
closed it and however: that is how the hosts of a killed process go.
"""

import json
import queue
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from tests.testbed.access import BOT
from tests.testbed.around import Around, furnish, install_etcdctl
from tests.testbed.bed import Testbed
from tests.testbed.cluster import Cluster
from tests.testbed.errors import BedError
from tests.testbed.flavours import FlavourName, Version
from tests.testbed.host import Host, HostSpec


def serve(
    name: str,
    flavour: FlavourName,
    version: Version,
    *,
    members: int,
    spares: int,
    furnished: bool,
) -> int:
    """Run hosts `NAME-1` … until stdin ends, SIGTERM or SIGINT; returns the exit status."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    names = [f"{name}-{number}" for number in range(1, members + spares + 1)]
    try:
        threading.Thread(target=_read, args=(lines,), daemon=True).start()
        with Testbed.start([HostSpec(each, flavour, version) for each in names]) as bed:
            cluster = bed.cluster(names[:members], spares=names[members:])
            if flavour == "ocp311":
                for host in bed.hosts.values():
                    install_etcdctl(host)
            around = furnish(bed, cluster, flavour) if furnished else Around()
            _say({"ready": _told(bed, cluster, around)})
            served = _Served(bed, cluster)
            while True:
                _say(served.answer(json.loads(lines.get())))
    except BedError as error:
        _say({"error": str(error)})
        return 1
    except KeyboardInterrupt:
        return 0


def _end(*_: object) -> NoReturn:
    """Take everything down, once: a second signal must not cut that short."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _read(lines: "queue.SimpleQueue[str]") -> None:
    """Hand lines on; the end of stdin is noticed in the middle of anything."""
    for line in sys.stdin:
        lines.put(line)
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)


def _say(line: Mapping[str, object]) -> None:
    print(json.dumps(line), flush=True)


def _told(bed: Testbed, cluster: Cluster, around: Around) -> dict[str, object]:
    """Names of hosts are those of their members, which not every platform calls like the host."""
    return {
        "folder": str(bed.folder),
        "namespace": str(bed.network.bot.path),
        "hosts": {cluster.name_of(host): host.address for host in bed.hosts.values()},
        "masters": around.masters,
        "ansible": around.ansible,
        "endpoints": cluster.endpoints,
        "tls": [str(path) for path in (cluster.files.ca, cluster.files.cert, cluster.files.key)],
        "ssh": {
            "user": BOT,
            "key": str(bed.access.key),
            "known_hosts": str(bed.access.known_hosts),
        },
        "tools": bed.tools,
    }


@dataclass(frozen=True, slots=True)
class _Served:
    bed: Testbed
    cluster: Cluster

    def answer(self, asked: Mapping[str, Any]) -> dict[str, object]:
        """Do it; the answer to its line."""
        try:
            self._verb(asked["do"])(self._host(asked["host"]))
        except BedError as error:
            return {"id": asked["id"], "error": str(error)}
        return {"id": asked["id"]}

    def _host(self, name: str) -> Host:
        hosts = {self.cluster.name_of(host): host for host in self.bed.hosts.values()}
        if name not in hosts:
            raise BedError(f"no host {name!r}; there are {', '.join(hosts)}")
        return hosts[name]

    def _verb(self, name: str) -> Callable[[Host], None]:
        verbs: dict[str, Callable[[Host], None]] = {
            "power_off": _power_off,
            "power_on": Host.power_on,
            "freeze": _freeze,
            "thaw": _thaw,
            "renew": self._renew,
        }
        if name not in verbs:
            raise BedError(f"nobody can {name!r}; there are {', '.join(verbs)}")
        return verbs[name]

    def _renew(self, host: Host) -> None:
        """A new machine, enrolled as a spare is: its host key is known, and it has certificates."""
        host.reprovision()
        host.trust()
        self.cluster.enrol(host)


def _power_off(host: Host) -> None:
    _on(host)
    host.power_off()


def _freeze(host: Host) -> None:
    _on(host)
    if host.frozen:
        raise BedError(f"{host.name} is frozen already")
    host.freeze()


def _thaw(host: Host) -> None:
    if not host.frozen:
        raise BedError(f"{host.name} is not frozen")
    host.thaw()


def _on(host: Host) -> None:
    if not host.machine.powered:
        raise BedError(f"{host.name} is off")
