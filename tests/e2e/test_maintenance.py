"""Maintenance of the real demo cluster by a click: leadership moves, files are defragmented."""

from bot.targets.etcd.look import EtcdReader
from bot.targets.ssh.memory import FakeHosts
from procedures.etcd.observe import observe
from procedures.etcd.view import View
from procedures.model.ids import ClusterName
from tests.support.run_messages import click, in_state
from tests.support.sandbox import Sandbox
from tests.support.sight import FakeClock


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
