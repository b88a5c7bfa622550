"""Restoring clusters on real hosts: what is in them, past the bot, and seeing a restore through."""

from procedures.engine.execute import execute
from procedures.model.events import Reported
from procedures.model.ids import UserId
from procedures.model.run import Run, State
from procedures.model.snapshot import Snapshot
from tests.support.real_stage import Journal, RealStage
from tests.testbed import Cluster

NAMES = ("etcd-1", "etcd-2", "etcd-3")


def write(cluster: Cluster, prefix: str, count: int) -> int:
    """Write keys; gives the revision of the last one."""
    for number in range(count):
        answer = cluster.etcdctl(
            "put", f"{prefix}-{number}", "x" * 1000, members=list(cluster.endpoints)[:1]
        )
    return int(answer["header"]["revision"])


def keys(cluster: Cluster, member: str) -> dict[str, tuple[str, int, int]]:
    """Value, version and creation of each key, as a member has them."""
    found = cluster.etcdctl("get", "", "--prefix", members=[member]).get("kvs", [])
    return {
        each["key"]: (each["value"], each["version"], each["create_revision"]) for each in found
    }


def cluster_id(cluster: Cluster, member: str) -> int:
    [answer] = cluster.etcdctl("endpoint", "status", members=[member])
    return int(answer["Status"]["header"]["cluster_id"])


def revision_of(cluster: Cluster, member: str) -> int:
    """Up to where a member has applied what was written; it tells without quorum too."""
    [answer] = cluster.etcdctl("endpoint", "status", members=[member])
    return int(answer["Status"]["header"]["revision"])


def listed(cluster: Cluster, member: str) -> set[str]:
    """Who is a voter, as a member has it."""
    rows = cluster.etcdctl("member", "list", members=[member])["members"]
    return {row["name"] for row in rows if not row.get("isLearner")}


async def restored(
    stage: RealStage, on: str, procedure: str = "etcd restore", **args: str | bool
) -> Run:
    """Restore, with what people are asked to do."""
    journal = await stage.carried_out(procedure, on=on, **args)
    await helped(journal, stage)
    ended(journal)
    return journal.run


async def helped(journal: Journal, stage: RealStage) -> None:
    """Let people say that they have done what they are asked for: no API server runs here."""
    while (asked := journal.run.asked) is not None:
        assert journal.run.plan is not None
        await journal.write(Reported(asked.step, asked.attempt, UserId("U0BOB")))
        await execute(journal.run.plan, journal, stage)


async def saved(stage: RealStage) -> Snapshot:
    """Take a snapshot; gives it."""
    ended(await stage.carried_out("etcd backup"))
    return (await stage.backups.listing(stage.cluster.name))[0]


def ended(journal: Journal) -> None:
    run = journal.run
    assert run.state is State.SUCCEEDED, (run.error, run.doubt, journal.said)
