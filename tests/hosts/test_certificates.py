"""Certificates on real hosts: shown, not made anew, made for a spare."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.sandbox.demo.pki import Validity
from procedures.etcd import certs
from procedures.host.answering import Args
from procedures.model.errors import Refused
from procedures.model.inventory import Platform
from procedures.model.report import Figure, Level
from procedures.model.run import State
from tests.hosts.stage import on_stage
from tests.support.real_stage import RealStage
from tests.testbed import Cluster, HostSpec, Namespace, Testbed

NAMES = ("etcd-1", "etcd-2", "etcd-3")
SPARE = "etcd-4"


async def figures(stage: RealStage) -> list[Figure]:
    (report,) = [each async for each in certs.ask(Args(stage.cluster.name), stage)]
    return list(report.figures)


def bad(found: list[Figure]) -> list[tuple[str | None, str, str]]:
    return [
        (each.member, each.name, each.text)
        for each in found
        if each.level not in {Level.OK, Level.INFO}
    ]


@pytest.fixture(scope="module")
def bed(inside: Namespace) -> Iterator[Testbed]:
    with Testbed.start([HostSpec(name) for name in (*NAMES, SPARE)], bot=inside) as bed:
        yield bed


@pytest.fixture(scope="module")
def cluster(bed: Testbed) -> Cluster:
    return bed.cluster(NAMES)


async def test_what_ends_soon_is_shown(bed: Testbed, cluster: Cluster, tmp_path: Path) -> None:
    """And so is what a member would show, if it were asked to: etcd reads its files anew."""
    host = bed["etcd-2"]
    soon = cluster.pki.authority.issue(
        "etcd-2", hosts=("etcd-2", host.address, "127.0.0.1"), validity=Validity.days_left(9.5)
    )
    cert, key = (host.path(f"/etc/etcd/server.{kind}") for kind in ("crt", "key"))
    before = cert.read_bytes(), key.read_bytes()
    cert.write_bytes(soon.certificate)
    key.write_bytes(soon.key)
    try:
        async with on_stage(bed, cluster, Platform.OKD3, tmp_path) as stage:
            found = bad(await figures(stage))
    finally:
        cert.write_bytes(before[0])
        key.write_bytes(before[1])
    assert [(member, name) for member, name, _ in found] == [("etcd-2", "server certificate")], (
        found
    )
    assert "9 days left (R17)" in found[0][2]


async def test_anothers_certificate_is_not_renewed(
    bed: Testbed, cluster: Cluster, tmp_path: Path
) -> None:
    """Its names would go on to the new one."""
    names = ("/etc/etcd/peer.crt", "/etc/etcd/peer.key")
    before = [bed["etcd-3"].path(name).read_bytes() for name in names]
    for name in names:
        bed["etcd-3"].path(name).write_bytes(bed["etcd-1"].path(name).read_bytes())
    try:
        async with on_stage(bed, cluster, Platform.OKD3, tmp_path) as stage:
            with pytest.raises(
                Refused, match=r"/etc/etcd/peer\.crt is another's: it is for .*etcd-1"
            ):
                await stage.planned("etcd certs renew", host="etcd-3")
    finally:
        for name, content in zip(names, before, strict=True):
            bed["etcd-3"].path(name).write_bytes(content)


async def test_without_the_key_of_the_ca(bed: Testbed, cluster: Cluster, tmp_path: Path) -> None:
    """Nothing is renewed, and no CA is made."""
    key = bed["etcd-1"].path("/etc/etcd/ca/ca.key")
    away = key.rename(key.with_suffix(".away"))
    try:
        async with on_stage(bed, cluster, Platform.OKD3, tmp_path) as stage:
            with pytest.raises(Refused, match=r"a new CA is never made \(R17\)"):
                await stage.planned("etcd certs renew")
    finally:
        away.rename(key)


async def test_a_spare_gets_certificates_and_a_member(
    bed: Testbed, cluster: Cluster, tmp_path: Path
) -> None:
    """A foreign key is seen before anything goes; where the CA signs, one run makes new ones."""
    key, ca = (
        bed[SPARE].path("/etc/etcd/peer.key"),
        bed["etcd-1"].path("/etc/etcd/ca/ca.key"),
    )
    like = bed["etcd-1"].path("/etc/etcd/peer.key").stat()
    async with on_stage(bed, cluster, Platform.OKD3, tmp_path) as stage:
        journal = await stage.carried_out("etcd certs issue", host=SPARE)
        assert journal.run.state is State.SUCCEEDED, journal.run.error
        assert (key.stat().st_uid, key.stat().st_mode & 0o777) == (like.st_uid, 0o600)
        foreign = cluster.pki.issue(SPARE, bed[SPARE].address).key
        key.write_bytes(foreign)
        away = ca.rename(ca.with_suffix(".away"))
        try:
            with pytest.raises(
                Refused, match=r"peer\.key is another's key \(R17\), and no new ones"
            ):
                await stage.planned("etcd replace", member="etcd-3")
        finally:
            away.rename(ca)
        journal = await stage.carried_out("etcd replace", member="etcd-3")
        assert journal.run.state is State.SUCCEEDED, journal.run.error
        assert key.read_bytes() != foreign
        assert (key.stat().st_uid, key.stat().st_mode & 0o777) == (like.st_uid, 0o600)
