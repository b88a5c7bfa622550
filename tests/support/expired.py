"""A fake cluster whose certificates have ended: TLS looks at that when a connection is made."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from bot.targets.etcd.model import FakeMember
from bot.targets.ssh.model import FakeMachine, Say
from procedures.model.inventory import Cluster, Platform
from procedures.model.platform import layout
from procedures.model.probe import Certificate, Fault, FaultKind, OwnCertificates, Sample
from tests.support.certified import DEMO, ReadingFiles, certify, give
from tests.support.furnishing import load
from tests.support.openssl_ca import openssl
from tests.support.sight import FakeSight
from tests.support.theatre import Theatre

ENDED = datetime(2023, 11, 1, tzinfo=UTC)
ALL = ("demo-1", "demo-2", "demo-3")


class DatedEtcd(ReadingFiles):
    """Members that nobody can come to, or that cannot come to others, once that is over.

    `own_ends_s` is when the asker's own certificate ends; None: not for a year.
    """

    own_ends_s: int | None = None

    async def sample(self, cluster: Cluster, extra: Sequence[str] = ()) -> Sample:
        for name, member in self.sight.demo.members.items():
            load(self.sight, name)
            who = f"{name} ({member.client_url})"
            text = f"{who} shows a certificate that expired on 2023-11-01."
            ended = is_over(self.sight, member.client_certificate)
            member.fault = Fault(FaultKind.TRUST, text) if ended else None
            member.apart = is_over(self.sight, member.peer_certificate)
        return await super().sample(cluster, extra)

    async def own_certificates(self, cluster: Cluster) -> OwnCertificates:
        own = await super().own_certificates(cluster)
        if self.own_ends_s is None or isinstance(own.client, Fault):
            return own
        return replace(own, client=replace(own.client, not_after_s=self.own_ends_s))


def expired(
    *names: str,
    platform: Platform = Platform.ETCD,
    only: Collection[str] = ("peer", "server"),
    but: Callable[[FakeSight], None] = lambda _: None,
) -> Callable[[Theatre], None]:
    """Let certificates of members have ended: of all where none are named; `only` these kinds."""

    def act(theatre: Theatre) -> None:
        sight = theatre.sight
        certify(sight, platform)
        sight.etcd = DatedEtcd(sight)
        sight.backups = theatre.backups
        for host in sight.inventory.clusters[DEMO].hosts:
            machine = sight.hosts.machines[host.name]
            machine.programs["env"] = partial(_env, sight)
            machine.units["etcd.service"].ready = partial(_quorum, sight)
            if host.name not in (names or ALL):
                continue
            files = layout(platform).certificates(host.name)
            kept = {
                path: machine.files.file(path).content
                for kind, pair in (("peer", files.peer), ("server", files.server))
                for path in (pair.cert,)
                if kind not in only
            }
            give(machine, platform, host.address, ends=ENDED)
            for path, content in kept.items():
                machine.files.file(path).content = content
        but(sight)

    return act


def ended(member: FakeMember) -> bool:
    """Tell whether nobody can make a connection to it."""
    return member.fault is not None


def _quorum(sight: FakeSight) -> bool:
    """etcd tells systemd that it is ready once it has found a leader."""
    for name, member in sight.demo.members.items():
        load(sight, name)
        member.apart = is_over(sight, member.peer_certificate)
    return sight.demo.quorum


def is_over(sight: FakeSight, shown: Certificate | Fault) -> bool:
    """Tell whether a certificate has ended."""
    return isinstance(shown, Certificate) and shown.not_after_s <= sight.clock.ms // 1_000


async def _env(
    sight: FakeSight, machine: FakeMachine, argv: Sequence[str], stdin: bytes, say: Say
) -> int:
    """`env … etcdctl endpoint health`, and `env … openssl`."""
    if not any(word.endswith("etcdctl") for word in argv):
        return await openssl(machine, argv, stdin, say)
    (urls,) = (word.removeprefix("--endpoints=") for word in argv if "--endpoints=" in word)
    by_url = {each.client_url: each for each in sight.demo.members.values()}
    answers = [
        {
            "endpoint": url,
            "health": sight.demo.quorum and by_url[url].works and not ended(by_url[url]),
        }
        for url in urls.split(",")
    ]
    await say(json.dumps(answers))
    return 0 if all(each["health"] for each in answers) else 1
