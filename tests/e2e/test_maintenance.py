"""Maintenance of the real demo cluster by a click: leadership moves, files are defragmented."""

import asyncio
import os
from collections.abc import Callable

from bot.targets.etcd.look import EtcdReader
from bot.targets.ssh.memory import FakeHosts
from procedures.etcd.fragmentation import Worth, free_percent, pays
from procedures.etcd.observe import observe
from procedures.etcd.view import View
from procedures.model.ids import ClusterName
from procedures.model.quorum import Health
from tests.support.run_messages import click, in_state
from tests.support.sandbox import Sandbox
from tests.support.sight import FakeClock
from tests.support.waiting import eventually


class Sight:
    """Implements `procedures.engine.ports.Look` over the sandbox's own configuration."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.inventory = sandbox.config.inventory
        self.etcd = EtcdReader()
        self.clock = FakeClock()
        self.hosts = FakeHosts(self.clock)
        self.backups = None


async def seen(sandbox: Sandbox) -> View:
    """The demo cluster, as it is now."""
    sight = Sight(sandbox)
    try:
        return await observe(sight.inventory.clusters[ClusterName("demo")], sight)
    finally:
        await sight.etcd.close()


async def leader(sandbox: Sandbox) -> str:
    view = await seen(sandbox)
    return next(member.name for member in view.members if member.leader)


async def etcdctl(sandbox: Sandbox, binary: str, *args: str) -> str:
    """Run a command on the demo cluster; returns what it printed."""
    cluster = sandbox.config.inventory.clusters[ClusterName("demo")]
    assert cluster.tls is not None
    process = await asyncio.create_subprocess_exec(
        binary,
        f"--endpoints={','.join(cluster.endpoints.values())}",
        f"--cacert={cluster.tls.ca}",
        f"--cert={cluster.tls.cert}",
        f"--key={cluster.tls.key}",
        *args,
        env=os.environ | {"ETCDCTL_API": "3"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def fragment(sandbox: Sandbox, binary: str) -> None:
    """Leave every member with a data file that is mostly free."""
    for _ in range(20):
        await etcdctl(sandbox, binary, "put", "ballast", "x" * 100_000)
    revision = max(status.revision for _, status in (await seen(sandbox)).statuses())
    await etcdctl(sandbox, binary, "compaction", "--physical", str(revision))

    async def noticed() -> bool:
        await etcdctl(sandbox, binary, "put", "ballast", "x")
        told = (await seen(sandbox)).statuses()
        return all(pays(status, Worth.ANY) and free_percent(status) > 70 for _, status in told)

    await eventually(noticed, 20, "each member knows what is free")


async def test_all_members_are_defragmented_by_a_click(
    sandbox: Sandbox, binary: Callable[[str], str]
) -> None:
    """Each data file has shrunk, the leader's last, and each member serves."""
    await fragment(sandbox, binary("etcdctl"))
    before, since = await seen(sandbox), await sandbox.moment()
    last = await leader(sandbox)
    await sandbox.accepted("defrag --anyway")
    asked = await in_state(sandbox, "Waiting for approval", since)
    await click(sandbox, "bob", asked, "run.approve")
    await in_state(sandbox, "Succeeded", since, seconds=120)
    after = await seen(sandbox)
    sizes = {seen.name: status.db_size for seen, status in before.statuses()}
    assert all(status.db_size * 3 < sizes[member.name] for member, status in after.statuses())
    assert all(member.health is Health.HEALTHY for member in after.members)
    assert await leader(sandbox) != last


async def test_little_to_win(sandbox: Sandbox) -> None:
    """A small cluster is left alone, with the figures and what would satisfy the rule."""
    since = await sandbox.moment()
    await sandbox.accepted("defrag")
    refused = await in_state(sandbox, "Refused", since)
    assert "There is little to win: demo-1 " in refused.text
    assert "Say --anyway" in refused.text


async def test_leadership_moves_by_a_click(sandbox: Sandbox) -> None:
    """Away from the one that leads, and back to it by its name."""
    before, since = await leader(sandbox), await sandbox.moment()
    await sandbox.accepted("move-leader --reason 'its host is slow'")
    asked = await in_state(sandbox, "Waiting for approval", since)
    assert f"Move leadership of demo away from {before}" in asked.text
    await click(sandbox, "bob", asked, "run.approve")
    await in_state(sandbox, "Succeeded", since)
    assert await leader(sandbox) != before
    since = await sandbox.moment()
    await sandbox.accepted(f"move-leader --to {before}")
    asked = await in_state(sandbox, "Waiting for approval", since)
    await click(sandbox, "bob", asked, "run.approve")
    await in_state(sandbox, "Succeeded", since)
    assert await leader(sandbox) == before


async def test_leadership_that_is_there_already(sandbox: Sandbox) -> None:
    """Refused in words, before anybody is asked."""
    since = await sandbox.moment()
    await sandbox.accepted(f"move-leader --to {await leader(sandbox)}")
    refused = await in_state(sandbox, "Refused", since)
    assert "leads already. There is nothing to do." in refused.text
