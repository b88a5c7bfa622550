"""Growing clusters on real hosts, over SSH, with what stands against it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from bot import words
from procedures.engine.execute import execute
from procedures.etcd import preflight
from procedures.etcd.observe import observe
from procedures.model.errors import Refused
from procedures.model.events import Reported
from procedures.model.ids import UserId
from procedures.model.inventory import Platform
from procedures.model.platform import layout
from procedures.model.quorum import Health
from procedures.model.report import Level
from procedures.model.run import State
from tests.chaos.witness import Witness
from tests.hosts.stage import on_stage
from tests.support.real_stage import Journal, RealStage
from tests.support.waiting import eventually
from tests.testbed import Cluster, HostSpec, Namespace, Testbed
from tests.testbed.errors import BedError
from tests.testbed.flavours import FlavourName, Version
from tests.testbed.flavours.flavour import link_binaries
from tests.testbed.host import Host

NAMES = ("etcd-1", "etcd-2", "etcd-3", "etcd-4", "etcd-5")


@contextmanager
def a_bed(
    inside: Namespace, count: int, flavour: FlavourName = "okd3", version: Version = "3.4"
) -> Iterator[Testbed]:
    specs = [HostSpec(name, flavour, version) for name in NAMES[:count]]
    with Testbed.start(specs, bot=inside) as bed:
        yield bed


@asynccontextmanager
async def growing(
    bed: Testbed, members: int, platform: Platform, folder: Path
) -> AsyncIterator[tuple[RealStage, Cluster]]:
    """A cluster on the first hosts; all others are spares."""
    names = list(bed.hosts)
    cluster = bed.cluster(names[:members], spares=names[members:])
    async with on_stage(bed, cluster, platform, folder) as stage:
        yield stage, cluster


async def voters(stage: RealStage) -> set[str]:
    view = await observe(stage.cluster, stage)
    return {seen.name for seen in view.voters if seen.health is Health.HEALTHY}


async def unready(stage: RealStage) -> list[str]:
    """What stands against a member on the only spare."""
    args = preflight.Args(stage.cluster.name)
    (report,) = [each async for each in preflight.ask(args, stage)]
    print("\n".join([report.headline, *words.host_lines(report)]))
    return [each.text for each in report.figures if each.level is Level.CRITICAL]


async def done(stage: RealStage, procedure: str, **args: str | bool) -> Journal:
    journal = await stage.carried_out(procedure, **args)
    run = journal.run
    assert run.state is State.SUCCEEDED, (run.error, run.doubt, journal.said)
    return journal


@pytest.mark.parametrize(
    ("flavour", "platform", "version"),
    [
        ("ocp311", Platform.OCP311, "3.4"),
        ("kubespray", Platform.KUBESPRAY, "3.5"),
    ],
)
async def test_on_other_platforms(
    inside: Namespace, tmp_path: Path, flavour: FlavourName, platform: Platform, version: Version
) -> None:
    """What runs etcd is brought along, with the host's own names in it; so are certificates."""
    with a_bed(inside, 2, flavour, version) as bed:
        async with growing(bed, 1, platform, tmp_path) as (stage, cluster):
            without_certificates(bed["etcd-2"], platform)
            with Witness(stage.cluster, list(cluster.endpoints.values())) as witness:
                assert (await unready(stage)) == []
                await done(stage, "etcd scale-up")
                assert await voters(stage) == {*cluster.endpoints, "etcd-2"}
            assert witness.lost() == []
            if flavour == "kubespray":
                wrapper = bed["etcd-2"].path("/usr/local/bin/etcd")
                assert wrapper.stat().st_mode & 0o111
                assert "--name=etcd-2" in wrapper.read_text()
                environment = bed["etcd-2"].path("/etc/etcd.env").read_text()
                assert "etcd-1-key.pem" not in environment
                assert "admin-etcd-2.pem" in environment
            bed["etcd-2"].power_off()
            bed["etcd-2"].power_on()
            await back(stage, {*cluster.endpoints, "etcd-2"})


def without_certificates(host: Host, platform: Platform) -> None:
    """Let a spare be as it is when nobody has made any."""
    files = layout(platform).certificates(host.name)
    pairs = (*files.pairs, *((files.admin,) if files.admin else ()))
    for path in (files.ca, *(path for pair in pairs for path in (pair.cert, pair.key))):
        host.path(path).unlink()


async def back(stage: RealStage, names: set[str]) -> None:
    """A new member starts with its host."""

    async def healthy() -> bool:
        return await voters(stage) == names

    await eventually(healthy, 60, f"{names} vote")


async def test_behind_a_firewall(inside: Namespace, tmp_path: Path) -> None:
    """A person opens it; too early, they are asked again, and nothing was added meanwhile."""
    with a_bed(inside, 2) as bed:
        async with growing(bed, 1, Platform.OKD3, tmp_path) as (stage, cluster):
            table = "table inet wall { chain in { type filter hook input priority 0; "
            rule = f"ip saddr {bed['etcd-1'].address} tcp dport 2379-2380 drop; }}; }}\n"
            bed["etcd-2"].run(["nft", "-f", "-"], stdin=table + rule)
            journal = await stage.carried_out("etcd scale-up")
            assert journal.run.plan is not None
            assert "Nothing gets through from etcd-1 to" in journal.run.plan.steps[0].command
            await say_done(journal, stage)
            assert "no answer within 3 s" in "\n".join(journal.said)
            assert len(cluster.etcdctl("member", "list")["members"]) == 1
            bed["etcd-2"].run(["nft", "delete", "table", "inet", "wall"])
            await say_done(journal, stage)
            assert journal.run.state is State.SUCCEEDED, (journal.run.error, journal.said)
            assert await voters(stage) == {"etcd-1", "etcd-2"}


def added(cluster: Cluster, *by_hand: str) -> bool:
    """Add a member, as soon as etcd finds that all have been connected for long enough."""
    try:
        cluster.etcdctl(*by_hand)
    except BedError as error:
        if "unhealthy cluster" in str(error):
            return False
        raise
    return True


async def say_done(journal: Journal, stage: RealStage) -> None:
    asked = journal.run.asked
    assert asked is not None, (journal.run.state, journal.run.error)
    await journal.write(Reported(asked.step, asked.attempt, UserId("U0BOB")))
    assert journal.run.plan is not None
    await execute(journal.run.plan, journal, stage)


async def test_attempts_by_hand_that_were_not_finished(inside: Namespace, tmp_path: Path) -> None:
    """They are named, with what to do; data that was left behind is kept, and not used."""
    with a_bed(inside, 3) as bed:
        async with growing(bed, 2, Platform.OKD3, tmp_path) as (stage, cluster):
            url = f"https://{bed['etcd-3'].address}:2380"
            by_hand = ("member", "add", "etcd-3", "--learner", f"--peer-urls={url}")
            await eventually(lambda: added(cluster, *by_hand), 30, "the cluster is steady")
            (against,) = await unready(stage)
            assert "was added and has never started (R5)" in against
            with pytest.raises(Refused, match="was added and has never started") as refused:
                await stage.planned("etcd scale-up")
            words = str(refused.value).split("/etcd member remove ")[1]
            await done(stage, "etcd member remove", member=words.split(",")[0])
            bed["etcd-3"].run(["install", "-d", "-o", "etcd", "/var/lib/etcd/member/wal"])
            await done(stage, "etcd scale-up")
            assert await voters(stage) == set(NAMES[:3])
            assert bed["etcd-3"].path("/var/lib/etcd/member.quorumbot-1/wal").is_dir()


async def test_a_member_that_an_upgrade_has_killed(inside: Namespace, tmp_path: Path) -> None:
    """A host with the cluster's minor stands in; one with the next minor is told what to have."""
    with a_bed(inside, 4) as bed:
        async with growing(bed, 3, Platform.OKD3, tmp_path) as (stage, cluster):
            one, two, dead = cluster.endpoints
            with Witness(stage.cluster, list(cluster.endpoints.values())) as witness:
                upgrade(bed["etcd-2"])
                bed["etcd-2"].run(["systemctl", "restart", "etcd"])
                await back(stage, {one, two, dead})
                bed["etcd-3"].power_off()
                await stage.down(dead)
                upgrade(bed["etcd-4"])
                with pytest.raises(Refused, match=r"install 3\.4, as the cluster is of \(R19\)"):
                    await stage.planned("etcd replace", member=dead)
                upgrade(bed["etcd-4"], "3.4")
                await done(stage, "etcd replace", member=dead)
                assert await voters(stage) == {one, two, "etcd-4"}
                view = await observe(stage.cluster, stage)
                assert {seen.name: status.version[:3] for seen, status in view.statuses()} == {
                    one: "3.4",
                    two: "3.5",
                    "etcd-4": "3.4",
                }
            assert witness.lost() == []


def upgrade(host: Host, version: Version = "3.5") -> None:
    """Let it have another version of etcd, from its next start on."""
    link_binaries(host.machine, version, "usr/bin", "etcd", "etcdctl")
