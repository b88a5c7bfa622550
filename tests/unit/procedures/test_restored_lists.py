"""What the hosts of a restored cluster believe of its members in the end."""

import pytest

from procedures.etcd.drift import drift
from procedures.etcd.observe import listed, observed
from procedures.model import envfile
from procedures.model.ids import ClusterName
from procedures.model.report import Level
from procedures.model.run import State
from tests.support.lost_cluster import Tools, lose
from tests.support.theatre import Theatre, a_theatre
from tests.unit.procedures.plans.case import planned

CONF = "/etc/etcd/etcd.conf"
ALL = ("demo-1", "demo-2", "demo-3")


def installed(procedure: str, *, off: tuple[str, ...] = (), tools: Tools | None = None) -> Theatre:
    """A cluster that is lost; each host lists all members, as an installer writes it."""
    theatre = a_theatre(procedure, {})
    lose(theatre, *(each for each in ALL if each not in off), off=off, tools=tools)
    theatre.people_help = True
    for name in ALL:
        files = theatre.sight.hosts.machines[name].files
        peers = ",".join(f"{each}=https://10.0.0.{each[-1]}:2380" for each in ALL)
        files.put(CONF, envfile.edited(files.text(CONF), {"ETCD_INITIAL_CLUSTER": peers}))
    return theatre


async def drifts(theatre: Theatre, *names: str) -> list[str]:
    """What `/etcd health` would warn of."""
    rows = [row for _, row in listed(await observed(ClusterName("demo"), theatre.sight))]
    machines = theatre.sight.hosts.machines
    figures = [
        figure
        for name in names
        for figure in drift(name, CONF, envfile.read(machines[name].files.text(CONF)), rows)
    ]
    return [figure.text for figure in figures if figure.level is not Level.OK]


@pytest.mark.parametrize("procedure", ["etcd restore", "etcd restore v2"])
async def test_all_list_all_members_in_the_end(procedure: str) -> None:
    """Who joined before others did was told of those before it only."""
    theatre = installed(procedure, tools=Tools(v2=("/net",)))
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert set(theatre.members()) == set(ALL)
    assert await drifts(theatre, *ALL) == []


async def test_one_that_stays_alone_lists_itself() -> None:
    """The others are no members any more."""
    theatre = installed("etcd restore", off=("demo-3",))
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert await drifts(theatre, "demo-1") == []


async def test_who_stays_off_is_told_how_to_join() -> None:
    """By the command that makes its host ready, as its configuration is that of a new cluster."""
    plan = await planned(installed("etcd restore", off=("demo-3",)))
    [fact] = [each for each in plan.facts if each.startswith("demo-2 stays off")]
    assert fact.endswith("/etcd scale-up demo-2.")
