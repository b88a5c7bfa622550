"""Clients of etcd on a host of kubespray's: an API server, and Calico with a copy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.targets.ssh.model import FakeMachine, Say
from bot.targets.ssh.programs import perform
from tests.support.sight import NOW_MS, FakeSight

SSL = "/etc/ssl/etcd/ssl"
COPY = ("/etc/calico/certs/cert.crt", "/etc/calico/certs/key.pem")
_MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml"


@dataclass(slots=True)
class KubeClients:
    """Those on one machine; the API server was started at `started_s`, an hour ago at first."""

    machine: FakeMachine
    first: bytes
    started_s: int = NOW_MS // 1_000 - 3_600

    @property
    def files(self) -> tuple[str, str]:
        """What they show."""
        name = self.machine.name
        return f"{SSL}/node-{name}.pem", f"{SSL}/node-{name}-key.pem"

    def copy(self) -> None:
        """Let Calico have what lies there now."""
        for path, to in zip(self.files, COPY, strict=True):
            self.machine.files.put(to, self.machine.files.file(path).content, 0o600)

    def restart(self) -> None:
        """Restart the API server."""
        self.started_s = self.machine.now_ms() // 1_000

    async def ps(self, machine: FakeMachine, _: Sequence[str], __: bytes, say: Say) -> int:
        """`ps -C kube-apiserver -o etimes=`."""
        await say(f"  {machine.now_ms() // 1_000 - self.started_s}")
        return 0

    async def stat(self, machine: FakeMachine, argv: Sequence[str], stdin: bytes, say: Say) -> int:
        """`stat --format=%Z` of the certificate; all else as ever."""
        if "--format=%Z" in argv:
            old = machine.files.file(self.files[0]).content == self.first
            await say(str(NOW_MS // 1_000 - 86_400 if old else NOW_MS // 1_000))
            return 0
        printed = perform(machine, argv, stdin)
        for line in printed.out.splitlines():
            await say(line)
        return printed.status


def kube_clients(
    *names: str, found: dict[str, KubeClients] | None = None
) -> Callable[[FakeSight], None]:
    """Let machines have them, once they have certificates; `found` gets them by name."""

    def act(sight: FakeSight) -> None:
        for name in names:
            machine = sight.hosts.machines[name]
            first = machine.files.file(f"{SSL}/node-{name}.pem").content
            clients = KubeClients(machine, first)
            machine.files.put(_MANIFEST, "kind: Pod\n")
            clients.copy()
            machine.programs |= {"ps": clients.ps, "stat": clients.stat}
            if found is not None:
                found[name] = clients

    return act
