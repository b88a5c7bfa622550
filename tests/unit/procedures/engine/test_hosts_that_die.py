"""Each command of each procedure, on a host that loses its power: a run that can be carried on."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from procedures.model.events import Resumed, Settled
from procedures.model.host import Mark
from procedures.model.inventory import Cluster, Host
from procedures.model.run import State
from tests.support.noting import NotingHosts, carried_out
from tests.support.theatre import ALICE, BOB, Theatre, a_theatre
from tests.unit.procedures.engine.cases import CASES

BOOT_STARTS_ETCD = {
    "scale up",
    "scale up on kubespray",
    "scale up without certificates",
    "replace a dead one by a host without certificates",
    "restart one that systemd has given up",
}
"""Where etcd is back before its time, or cannot be: the words of the run say what is there."""


NO_DOUBT = {"back up a v2 store"}
"""Where the step goes on after a copy that nobody knows of: it has failed, and makes it anew."""


@dataclass(slots=True)
class DyingHosts(NotingHosts):
    """The machine that is told the command of number `dies_at` is off, before it or during it."""

    dies_at: int | None = None
    during: bool = False
    died: Host | None = None

    def begin(
        self,
        cluster: Cluster,
        host: Host,
        mark: Mark,
        argv: Sequence[str],
        *,
        limit_ms: int,
        stdin: bytes = b"",
    ) -> None:
        its_time = len(self.told) == self.dies_at and self.died is None
        if its_time and not self.during:
            self._die(host)
        NotingHosts.begin(self, cluster, host, mark, argv, limit_ms=limit_ms, stdin=stdin)
        if its_time and self.during:
            self._die(host)

    def _die(self, host: Host) -> None:
        self.died = host
        self.machines[host.name].power_off()


def ready(name: str) -> Theatre:
    theatre = a_theatre(CASES[name].procedure, CASES[name].args)
    CASES[name].ready(theatre)
    return theatre


async def interrupted(name: str, number: int, *, during: bool) -> Theatre:
    """Carry out a procedure until the host of a command dies; it boots, and people carry on."""
    theatre = ready(name)
    was = theatre.sight.hosts
    hosts = DyingHosts(was.clock, was.machines, was.writable, was.effects, during=during)
    theatre.sight.hosts = hosts
    await theatre.approved()
    hosts.dies_at = number
    await theatre.work()
    assert hosts.died is not None
    run = theatre.run
    if during and not (name in NO_DOUBT and run.state is State.FAILED):
        assert run.state is State.IN_DOUBT
        assert run.doubt is not None
        assert hosts.died.name in run.doubt.error
        theatre.append(Settled(run.doubt.step, "not_happened", BOB))
    else:
        assert run.state is State.FAILED
        assert hosts.died.name in (run.error or "")
        theatre.append(Resumed(ALICE))
    hosts.machines[hosts.died.name].power_on()
    await theatre.work()
    return theatre


@pytest.mark.parametrize("during", [False, True], ids=["before", "during"])
@pytest.mark.parametrize("name", CASES)
async def test_a_host_dies_in_each_step(name: str, during: bool) -> None:
    """What was not begun has failed, what was is in doubt; then the run comes to the same end."""
    calm = await carried_out(ready(name))
    for number, told in enumerate(calm.hosts.told):
        theatre = await interrupted(name, number, during=during)
        if theatre.run.state is State.FAILED and name in BOOT_STARTS_ETCD:
            assert theatre.run.error
            continue
        assert theatre.run.state is State.SUCCEEDED, (told, theatre.run.error)
        assert theatre.members() == calm.theatre.members(), told
        assert theatre.expected() == calm.theatre.expected(), told
