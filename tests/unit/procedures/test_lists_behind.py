"""In etcd 3.4 each member tells its own copy of the list, which may be a moment behind."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.targets.etcd.memory import FakeEtcd
from procedures.model.inventory import Cluster
from procedures.model.probe import MemberProbe, Sample
from procedures.model.run import State
from tests.support.script import Script
from tests.support.theatre import Theatre, a_theatre


class Behind(FakeEtcd):
    """Gives the list of before for so many looks after it has changed."""

    def __init__(self, etcd: FakeEtcd, looks: int) -> None:
        super().__init__(etcd.clusters)
        self._looks = looks
        self._was: tuple[MemberProbe, ...] = ()

    async def sample(self, cluster: Cluster, extra: Sequence[str] = ()) -> Sample:
        now = await super().sample(cluster, extra)
        listed = next(probe.members for probe in now.probes if isinstance(probe.members, tuple))
        before = next((p.members for p in self._was if isinstance(p.members, tuple)), listed)
        if len(listed) == len(before):
            self._was = now.probes
            return now
        self._looks -= 1
        if self._looks < 0:
            return now
        stale = [
            replace(probe, members=before) if isinstance(probe.members, tuple) else probe
            for probe in now.probes
        ]
        return replace(now, probes=tuple(stale))


async def removed(looks: int) -> Theatre:
    theatre = a_theatre("etcd member remove", {"member": "demo-3"})
    await theatre.approved()
    theatre.sight.etcd = Behind(theatre.sight.etcd, looks)
    await theatre.work(Script())
    return theatre


@pytest.mark.parametrize(("looks", "state"), [(8, State.SUCCEEDED), (1_000, State.FAILED)])
async def test_a_removal_that_a_list_does_not_show_yet(looks: int, state: State) -> None:
    """Is waited for, some seconds; one that none ever shows is not taken for done (R7)."""
    theatre = await removed(looks)
    assert theatre.run.state is state, theatre.run.error
    if state is State.FAILED:
        assert "etcd confirmed the removal" in str(theatre.run.error)
