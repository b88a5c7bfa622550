"""A testbed: hosts on a network of their own, and the clusters on them."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.testbed.access import Access
from tests.testbed.base import held_base
from tests.testbed.beds import new_bed
from tests.testbed.cluster import Cluster
from tests.testbed.errors import BedError
from tests.testbed.host import Host, HostSpec
from tests.testbed.machine import Machine
from tests.testbed.namespaces import Namespace
from tests.testbed.needs import unmet
from tests.testbed.network import Network
from tests.testbed.pki import Pki

BOT_PORT = 0


class Testbed:
    """Use it as a context manager, or `close()` it. See the package for an overview."""

    __test__ = False

    def __init__(self, folder: Path, base: Path, bot: Namespace | None, stack: ExitStack) -> None:
        """Use `start`."""
        self.name = folder.name
        self.hosts: dict[str, Host] = {}
        self.folder = folder
        self._base = base
        self._stack = stack
        self._clusters = 0
        self.network = Network(self.name, bot)
        self.access = Access.create(folder)

    @classmethod
    def start(cls, hosts: Sequence[HostSpec], *, bot: Namespace | None = None) -> Self:
        """Boot hosts; returns when ssh answers on all of them. Raises BedError.

        `bot` is the namespace of whoever talks to them, one testbed at a time; without it, the
        testbed makes one, which is `network.bot`.
        """
        if reason := unmet():
            raise BedError(reason)
        with ExitStack() as stack:
            base = stack.enter_context(held_base())
            folder = stack.enter_context(new_bed())
            bed = cls(folder, base, bot, stack)
            bed.network.create()
            bed._boot(hosts)
            bed._stack = stack.pop_all()
        return bed

    def _boot(self, specs: Sequence[HostSpec]) -> None:
        numbered = list(enumerate(specs, 1))
        roster = "".join(
            f"{address} {name}\n"
            for address, name in [
                ("127.0.0.1", "localhost"),
                *((self.network.address(number), spec.name) for number, spec in numbered),
            ]
        )
        for number, spec in numbered:
            if spec.name in self.hosts:
                raise BedError(f"two hosts are called {spec.name}")
            machine = Machine(
                self.folder / "hosts" / spec.name,
                base=self._base,
                bed=self.name,
                name=spec.name,
                namespace=self.network.connect(number, spec.name),
                disk_mib=spec.disk_mib,
            )
            host = Host(
                spec,
                number,
                machine=machine,
                network=self.network,
                access=self.access,
                roster=roster,
            )
            self.hosts[spec.name] = host
            self._stack.callback(machine.kill)
            host.provision()
            host.trust()
            host.power_on(wait=False)
        for host in self.hosts.values():
            host.machine.wait_for_boot()

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    def cluster(
        self,
        members: Sequence[str],
        *,
        spares: Sequence[str] = (),
        token: str | None = None,
        quota_bytes: int | None = None,
    ) -> Cluster:
        """A healthy TLS cluster on these hosts, which have one flavour. Raises BedError.

        Members are called as the platform's installer would call them. `spares` get certificates
        of the cluster's authority and nothing else. `token` is the platform's own by default.
        """
        hosts = [self.hosts[name] for name in members]
        if len({(host.spec.flavour, host.spec.etcd_version) for host in hosts}) != 1:
            raise BedError("a cluster's hosts have one flavour and one version of etcd")
        self._clusters += 1
        folder = self.folder / f"cluster-{self._clusters}"
        folder.mkdir()
        pki = Pki()
        cluster = Cluster(
            hosts,
            [self.hosts[name] for name in spares],
            pki=pki,
            files=pki.client(folder),
            etcdctl=self._base / "opt/etcd-3.5/usr/bin/etcdctl",
            bot=self.network.bot,
        )
        cluster.bring_up(token=token, quota_bytes=quota_bytes)
        return cluster

    @property
    def tools(self) -> dict[str, str]:
        """The folders of each version's tools, outside of the hosts."""
        return {minor: str(self._base / f"opt/etcd-{minor}/usr/bin") for minor in ("3.4", "3.5")}

    def partition(self, some: Iterable[str], others: Iterable[str]) -> None:
        """Let nothing pass between some hosts and others; the bot still reaches all of them."""
        theirs = [self.hosts[name].number for name in others]
        self.network.part([(self.hosts[name].number, other) for name in some for other in theirs])

    def hide_from_bot(self, names: Iterable[str]) -> None:
        """Let nothing pass between the bot and these hosts; they still reach each other."""
        self.network.part([(BOT_PORT, self.hosts[name].number) for name in names])

    def heal_network(self) -> None:
        """End all partitions and losses; cables that were pulled stay out."""
        self.network.heal()

    def close(self) -> None:
        """End everything and leave nothing behind."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
