"""Each file that a procedure writes, on a disk that is full: a run that can be carried on."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from procedures.model.events import Resumed
from procedures.model.inventory import Cluster, Host
from procedures.model.run import State
from tests.support.noting import NotingHosts
from tests.support.theatre import ALICE, Theatre, a_theatre
from tests.unit.procedures.engine.cases import CASES


@dataclass(slots=True)
class FullHosts(NotingHosts):
    """The disk of the machine that gets the file of number `full_at` is full by then."""

    files: int = 0
    full_at: int | None = None
    full: Host | None = None

    async def write(
        self,
        cluster: Cluster,
        host: Host,
        path: str,
        content: bytes,
        *,
        was: str | None,
        mode: int = 0o600,
    ) -> None:
        self._one_more(host)
        await NotingHosts.write(self, cluster, host, path, content, was=was, mode=mode)

    async def send(
        self,
        cluster: Cluster,
        host: Host,
        path: str,
        chunks: AsyncIterator[bytes],
        *,
        mode: int = 0o600,
    ) -> str:
        self._one_more(host)
        return await NotingHosts.send(self, cluster, host, path, chunks, mode=mode)

    def _one_more(self, host: Host) -> None:
        if self.files == self.full_at:
            self.full = host
            self.machines[host.name].files.full = True
        self.files += 1


def ready(name: str) -> Theatre:
    theatre = a_theatre(CASES[name].procedure, CASES[name].args)
    CASES[name].ready(theatre)
    return theatre


async def filled(name: str, number: int | None) -> tuple[Theatre, FullHosts]:
    theatre = ready(name)
    was = theatre.sight.hosts
    hosts = FullHosts(was.clock, was.machines, was.writable, was.effects)
    theatre.sight.hosts = hosts
    await theatre.approved()
    hosts.full_at = number
    await theatre.work()
    return theatre, hosts


@pytest.mark.parametrize("name", CASES)
async def test_a_disk_is_full(name: str) -> None:
    """Nothing half-written is left, the words say it, and with room the run comes to its end."""
    calm, hosts = await filled(name, None)
    assert calm.run.state is State.SUCCEEDED
    for number in range(hosts.files):
        theatre, found = await filled(name, number)
        assert found.full is not None
        assert theatre.run.state.value == State.FAILED.value, theatre.run.doubt
        assert "No space left" in (theatre.run.error or "")
        theatre.sight.hosts.machines[found.full.name].files.full = False
        theatre.append(Resumed(ALICE))
        await theatre.work()
        assert theatre.run.state is State.SUCCEEDED, theatre.run.error
        assert theatre.members() == calm.members()
