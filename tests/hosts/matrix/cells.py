"""The cells of the matrix, and what each of its stories begins with."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest

from procedures.etcd.observe import observe
from procedures.model.inventory import Platform
from procedures.model.quorum import Health
from procedures.model.run import State
from tests.chaos.witness import Witness
from tests.hosts.stage import on_stage
from tests.support.real_stage import Journal, RealStage
from tests.testbed import Cluster, HostSpec, Namespace, Testbed
from tests.testbed.around import install_etcdctl
from tests.testbed.flavours import FlavourName, Version


@dataclass(frozen=True, slots=True)
class Cell:
    """One platform with one version of etcd."""

    flavour: FlavourName
    version: Version

    def __str__(self) -> str:
        return f"{self.flavour}-{self.version}"

    @property
    def platform(self) -> Platform:
        return Platform(self.flavour)


def _cells() -> list[Cell]:
    """All of them; the one whose turn it is where `QUORUMBOT_MATRIX_TURN` is a number."""
    every = [
        Cell(flavour, version) for flavour in get_args(FlavourName) for version in get_args(Version)
    ]
    turn = os.environ.get("QUORUMBOT_MATRIX_TURN")
    return [every[int(turn) % len(every)]] if turn else every


CELLS = _cells()
IN_EACH_CELL = pytest.mark.parametrize("cell", CELLS, ids=str)


@contextmanager
def hosts(inside: Namespace, cell: Cell, names: tuple[str, ...]) -> Iterator[Testbed]:
    """Boot hosts of a cell."""
    specs = [HostSpec(name, cell.flavour, cell.version) for name in names]
    with Testbed.start(specs, bot=inside) as bed:
        if cell.flavour == "ocp311":  # its runbooks install the client on the host, too
            for name in names:
                install_etcdctl(bed[name])
        yield bed


@asynccontextmanager
async def writing(
    cell: Cell, bed: Testbed, cluster: Cluster, folder: Path
) -> AsyncIterator[tuple[RealStage, Witness]]:
    """A witness writes throughout, and the stage is there for whoever asks it in the end."""
    async with on_stage(bed, cluster, cell.platform, folder) as stage:
        with Witness(stage.cluster, list(cluster.endpoints.values())) as witness:
            yield stage, witness


@asynccontextmanager
async def witnessed(
    cell: Cell, bed: Testbed, cluster: Cluster, folder: Path
) -> AsyncIterator[tuple[RealStage, Witness]]:
    """The same; in the end no write is lost that the witness has seen acknowledged."""
    async with writing(cell, bed, cluster, folder) as (stage, witness):
        yield stage, witness
    assert len(witness.acknowledged) > 10
    assert witness.lost() == []


async def done(stage: RealStage, procedure: str, **args: str | bool) -> Journal:
    """Carry it out, to its end."""
    journal = await stage.carried_out(procedure, **args)
    succeeded(journal)
    return journal


def succeeded(journal: Journal) -> None:
    """Or show why not."""
    run = journal.run
    assert run.state is State.SUCCEEDED, (run.error, run.doubt, journal.said)


async def voters(stage: RealStage) -> set[str]:
    """The names of those that are well and vote."""
    view = await observe(stage.cluster, stage)
    return {seen.name for seen in view.voters if seen.health is Health.HEALTHY}
