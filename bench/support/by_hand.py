"""What an expert would type to replace a dead member: one ssh after the other, no time to think."""

import json
import time
from collections.abc import Sequence

from tests.testbed import Cluster, Host, Testbed
from tests.testbed.errors import BedError
from tests.testbed.shell import until

_CONFIG = "/etc/etcd/etcd.conf"
_SNAPSHOT = "/root/before.db"
_PATIENCE_S = 60.0
_APART_S = 5.0
"""What the rules want between two changes of the members."""


def replaced_by_hand(
    bed: Testbed, cluster: Cluster, dead: str, spare: str, *, careful: bool
) -> list[tuple[str, float]]:
    """Do it; gives what each step took. On hosts of flavour okd3.

    `careful` keeps the rules: the new one joins as a learner, and changes are 5 s apart.
    """
    hand = _Hand(bed, cluster, dead, spare, careful=careful)
    steps = [
        ("member list", hand.find),
        ("snapshot save, snapshot status", hand.snapshot),
        ("member remove", hand.remove),
        ("copy and edit etcd.conf", hand.configure),
        ("member add", hand.add),
        ("systemctl enable --now", hand.start),
        *([("member promote, until it is taken", hand.promote)] if careful else []),
        ("endpoint health, until all are", hand.healthy),
    ]
    took = []
    for name, do in steps:
        began = time.perf_counter()
        do()
        took.append((name, time.perf_counter() - began))
    return took


class _Hand:
    def __init__(
        self, bed: Testbed, cluster: Cluster, dead: str, spare: str, *, careful: bool
    ) -> None:
        self._dead, self._spare = bed[dead], bed[spare]
        self._others = [host for host in cluster.members if host.name != dead]
        self._careful = careful
        self._id = ""
        self._changed = 0.0

    def find(self) -> None:
        self._id = self._member(self._dead.name)

    def snapshot(self) -> None:
        self._etcdctl("snapshot", "save", _SNAPSHOT)
        self._etcdctl("snapshot", "status", _SNAPSHOT)

    def remove(self) -> None:
        self._etcdctl("member", "remove", self._id)
        self._changed = time.perf_counter()

    def configure(self) -> None:
        """As `scp` and `sed` would: one connection to read, one to write."""
        first, new = self._others[0], self._spare
        lines = _ssh(first, "sudo", "cat", _CONFIG).splitlines()
        peers = [*self._others, new]
        initial = ",".join(f"{host.name}=https://{host.address}:2380" for host in peers)
        own = {
            "ETCD_NAME": new.name,
            "ETCD_INITIAL_CLUSTER": initial,
            "ETCD_INITIAL_CLUSTER_STATE": "existing",
        }
        text = ""
        for line in lines:
            name = line.partition("=")[0]
            text += (
                f"{name}={own[name]}" if name in own else line.replace(first.address, new.address)
            )
            text += "\n"
        _ssh(new, "sudo", "sh", "-c", f"printf %s {_quoted(text)} >{_CONFIG}")

    def add(self) -> None:
        self._wait()
        learner = ["--learner"] if self._careful else []
        url = f"https://{self._spare.address}:2380"
        self._etcdctl("member", "add", self._spare.name, f"--peer-urls={url}", *learner)
        self._changed = time.perf_counter()

    def start(self) -> None:
        _ssh(self._spare, "sudo", *self._spare.flavour.start())

    def promote(self) -> None:
        member = self._member(self._spare.name)
        self._wait()

        def taken() -> bool:
            try:
                self._etcdctl("member", "promote", member)
            except BedError:
                return False
            return True

        until(taken, _PATIENCE_S, "the learner is promoted")

    def healthy(self) -> None:
        def well() -> bool:
            try:
                self._etcdctl("endpoint", "health", hosts=[*self._others, self._spare])
            except BedError:
                return False
            return True

        until(well, _PATIENCE_S, "all are healthy")

    def _wait(self) -> None:
        if self._careful:
            time.sleep(max(0.0, self._changed + _APART_S - time.perf_counter()))

    def _member(self, name: str) -> str:
        rows = json.loads(self._etcdctl("member", "list", "--write-out=json"))["members"]
        (found,) = [row["ID"] for row in rows if row.get("name") == name]
        return f"{found:x}"

    def _etcdctl(self, *arguments: str, hosts: Sequence[Host] = ()) -> str:
        urls = ",".join(f"https://{host.address}:2379" for host in hosts or self._others[:1])
        files = "/etc/etcd"
        return _ssh(
            self._others[0],
            *("sudo", "env", "ETCDCTL_API=3", "etcdctl", f"--endpoints={urls}"),
            f"--cacert={files}/ca.crt",
            *(f"--cert={files}/peer.crt", f"--key={files}/peer.key"),
            *arguments,
        )


def _ssh(host: Host, *argv: str) -> str:
    ran = host.ssh(argv)
    if ran.status:
        message = f"{host.name}: {' '.join(argv[:6])}: {ran.errors.strip()}"
        raise BedError(message)
    return ran.output


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
