"""An etcd cluster on hosts of a testbed, as the platform's installer would leave it."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bot.sandbox.demo.pki import Files
from tests.testbed.errors import BedError
from tests.testbed.flavours import Member
from tests.testbed.host import Host
from tests.testbed.namespaces import Namespace
from tests.testbed.pki import Pki
from tests.testbed.shell import Ran, attempt, until

_HEALTHY_WITHIN = 60.0


class Cluster:
    """Members by host, with what a client outside needs. The first host keeps the CA's key."""

    def __init__(
        self,
        members: Sequence[Host],
        spares: Sequence[Host],
        *,
        pki: Pki,
        files: Files,
        etcdctl: Path,
        bot: Namespace,
    ) -> None:
        self.members = tuple(members)
        self.spares = tuple(spares)
        self.pki = pki
        self.files = files
        self._etcdctl = etcdctl
        self._bot = bot

    @property
    def endpoints(self) -> dict[str, str]:
        """Client URLs by member name."""
        return {self.name(host): f"https://{host.address}:2379" for host in self.members}

    def name(self, host: Host) -> str:
        """What the member on a host is called."""
        return host.flavour.member_name(host.name, self.members.index(host) + 1)

    def name_of(self, host: Host) -> str:
        """What a host is called where people name a member: as its member, or as itself."""
        return self.name(host) if host in self.members else host.name

    def enrol(self, host: Host) -> None:
        """Give a host certificates of this cluster."""
        host.flavour.keys(host.machine, self.pki, host.address)

    def bring_up(self, *, token: str | None, quota_bytes: int | None) -> None:
        """Configure all, start the members, and wait until each is healthy. Raises BedError."""
        peers = {self.name(host): f"https://{host.address}:2380" for host in self.members}
        for host in (*self.members, *self.spares):
            self.enrol(host)
        first = self.members[0]
        first.flavour.authority(first.machine, self.pki)
        for host in self.members:
            member = Member(
                self.name(host),
                host.address,
                peers,
                token or host.flavour.token,
                quota_bytes=quota_bytes,
            )
            host.flavour.configure(host.machine, member)

        def start(host: Host) -> None:
            host.run(host.flavour.start(), timeout=_HEALTHY_WITHIN)

        with ThreadPoolExecutor(len(self.members)) as pool:
            list(pool.map(start, self.members))
        names = list(self.endpoints)
        until(lambda: self.healthy() == names, _HEALTHY_WITHIN, f"{', '.join(names)} healthy")

    def etcdctl(
        self, *arguments: str, members: Sequence[str] | None = None, stdin: str = ""
    ) -> Any:  # noqa: ANN401 - JSON
        """Ask these members, or all, from outside; returns etcdctl's JSON. Raises BedError."""
        ran = self._ask(arguments, members, stdin)
        if ran.status:
            raise BedError(f"etcdctl {' '.join(arguments)}: {ran.errors.strip()}")
        return json.loads(ran.output)

    def healthy(self) -> list[str]:
        """Names of the members that answer a linearizable read."""
        ran = self._ask(["endpoint", "health"])
        try:
            answers: list[Mapping[str, Any]] = json.loads(ran.output)
        except ValueError:  # none was reached
            return []
        well = {answer["endpoint"] for answer in answers if answer["health"]}
        return [name for name, url in self.endpoints.items() if url in well]

    def leader(self) -> Host | None:
        """The host of the leader; None where no member that answers knows one."""
        ran = self._ask(["endpoint", "status"])
        answers: list[dict[str, Any]] = json.loads(ran.output) if ran.output else []
        for answer in answers:
            status = answer["Status"]
            if status.get("leader") == status["header"]["member_id"]:
                [host] = [h for h in self.members if h.address in answer["Endpoint"]]
                return host
        return None

    def _ask(
        self, arguments: Sequence[str], members: Sequence[str] | None = None, stdin: str = ""
    ) -> Ran:
        urls = [self.endpoints[name] for name in members or self.endpoints]
        argv = [
            str(self._etcdctl),
            f"--endpoints={','.join(urls)}",
            f"--cacert={self.files.ca}",
            f"--cert={self.files.cert}",
            f"--key={self.files.key}",
            *("--write-out=json", "--command-timeout=5s", "--dial-timeout=2s"),
            *arguments,
        ]
        return attempt(self._bot.command(argv), stdin=stdin, environment={"ETCDCTL_API": "3"})
