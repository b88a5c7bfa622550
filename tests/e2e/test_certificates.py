"""Where the way to etcd is broken on our side, nothing is known, and that is what is said.

People restore a cluster when they read "no quorum", so these words are never said for it.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.sandbox.demo.certificates import Pki
from bot.sandbox.demo.cluster import DemoCluster
from bot.sandbox.demo.pki import Authority, Files, Validity
from tests.support.configs import from_nothing
from tests.support.redis import RedisServer
from tests.support.services import MakeCluster
from tests.support.terminal import quorumbot
from tests.support.workers import a_worker


def right(cluster: DemoCluster, _: Path) -> Files:
    """The files that belong to the cluster."""
    return cluster.files


def missing(_: DemoCluster, elsewhere: Path) -> Files:
    return Files(elsewhere / "ca.crt", elsewhere / "client.crt", elsewhere / "client.key")


def expired(cluster: DemoCluster, elsewhere: Path) -> Files:
    pair = cluster.pki.authority.issue("quorumbot", validity=Validity.days_left(-3.5))
    return Files(cluster.files.ca, *pair.write(elsewhere, "expired"))


def of_another_ca(cluster: DemoCluster, elsewhere: Path) -> Files:
    pair = Authority.create("another CA").issue("quorumbot")
    return Files(cluster.files.ca, *pair.write(elsewhere, "another"))


@dataclass(frozen=True, slots=True)
class Case:
    """What is wrong, and the words about it; `{member}` stands for each member."""

    words: str
    pki: Pki = field(default_factory=Pki)
    size: int = 1
    files: Callable[[DemoCluster, Path], Files] = right


CASES = {
    "the servers' certificates have expired": Case(
        r"{member} at \S+ shows a certificate that expired on \d{{4}}-\d\d-\d\d\.",
        Pki(server_validity={f"demo-{n}": Validity.days_left(-3.5) for n in (1, 2, 3)}),
        size=3,
    ),
    "the server's certificate is for another name": Case(
        r"{member} at \S+ shows a certificate for etcd\.example, not for 127\.0\.0\.1\.",
        Pki(server_hosts={"demo-1": ("etcd.example",)}),
    ),
    "the server's certificate is of another CA": Case(
        r"{member} at \S+ shows a certificate whose issuer \(another CA\) is not in the CA file",
        Pki(server_authority=Authority.create("another CA")),
    ),
    "the client's certificate is of another CA": Case(
        r"{member} at \S+ rejects the client certificate \S+ \(issued by another CA\): ",
        files=of_another_ca,
    ),
    "the client's certificate has expired": Case(
        r"[Tt]he client certificate \S+ expired on \d{{4}}-\d\d-\d\d\.", files=expired
    ),
    "the client's files are missing": Case(
        r"{member}: The CA file \S+ does not exist\.", files=missing
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_our_side_is_broken(
    make_cluster: MakeCluster, private_redis: RedisServer, tmp_path: Path, name: str
) -> None:
    """The verdict is unknown, the reason is said for each member, and no change is called safe."""
    case = CASES[name]
    cluster = await make_cluster(size=case.size, pki=case.pki)
    files = case.files(cluster, tmp_path)
    tls = {"ca": files.ca, "cert": files.cert, "key": files.key}
    config = from_nothing(tmp_path / "bot", private_redis, cluster.endpoints, tls)
    async with a_worker(config, tmp_path / "worker.log"):
        data, words = await asyncio.gather(
            quorumbot("ask", "--config", config, "--json", "etcd health"),
            quorumbot("ask", "--config", config, "etcd health"),
        )
    assert (data.code, words.code) == (0, 0), data.err
    report = data.json
    assert report["headline"] == f"demo: unknown, 0 of {case.size} members answered"
    assert report["verdict"] == "unknown"
    assert {row["health"] for row in report["rows"]} == {"unknown"}
    assert not [advice for advice in report["advice"] if advice["allowed"]]
    assert words.out.splitlines()[0] == report["headline"]
    for text in (data.out, words.out):
        assert "no quorum" not in text
    for member in cluster.endpoints:
        assert re.search(case.words.format(member=member), words.out), words.out
    log = (tmp_path / "worker.log").read_text()
    assert "Traceback" not in log
