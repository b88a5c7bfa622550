"""What `quorumbot check` says of machines: all that is wrong with each, in words."""

from dataclasses import replace

from bot.checking_hosts import host_findings
from procedures.model.inventory import Host
from tests.contract.hosts.worlds import RealWorld, World
from tests.support.sshd import CARELESS


async def test_a_machine_that_is_well(world: World) -> None:
    """Its name and its identity are told."""
    cluster = replace(world.cluster, hosts=(world.host,))
    ((name, (ok, text)),) = (await host_findings(world.hosts, cluster)).items()
    assert (name, ok) == ("machine-1", True), text
    assert "machine " in text


async def test_faults_are_told_for_each(real: RealWorld) -> None:
    """One that is lost, one that is a copy, one where the user is not root."""
    lost = Host("lost", "127.0.0.1", 1)
    twin = replace(real.host, name="twin")
    plain = replace(real.host, name="plain", user=CARELESS)
    cluster = replace(real.cluster, hosts=(real.host, lost, twin, plain))
    found = await host_findings(real.hosts, cluster)
    assert {name: ok for name, (ok, _) in found.items()} == dict.fromkeys(found, False)
    assert "no sshd listens on port 1" in found["lost"][1]
    assert "the same machine id as twin" in found["machine-1"][1]
    assert "the same machine id as machine-1" in found["twin"][1]
    assert "say `sudo: true`" in found["plain"][1]
