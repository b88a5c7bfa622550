"""The traps of the runbooks that lie in what is believed, of whom, and on whose word."""

import posixpath
import re
from collections.abc import AsyncIterator

import pytest

from bot.targets.etcd.model import Condition
from procedures.actions.etcd.add_member import AddMember
from procedures.actions.etcd.remove_member import RemoveMember
from procedures.actions.etcd.save_snapshot import SaveSnapshot
from procedures.catalogue import PROCEDURES
from procedures.engine.draft import draft
from procedures.etcd import health
from procedures.etcd.observe import observed
from procedures.model import envfile
from procedures.model.errors import Refused, UsageError
from procedures.model.events import Resumed
from procedures.model.ids import ClusterName, MemberName
from procedures.model.inventory import Cluster
from procedures.model.master import CONFIG, URLS
from procedures.model.quorum import Health
from procedures.model.run import State
from procedures.model.yaml_list import items
from tests.support.furnishing import at_home, configure
from tests.support.masters import with_flannel, with_masters
from tests.support.noting import Told, carried_out
from tests.support.sight import a_sight
from tests.support.theatre import ALICE, Acting, Theatre, a_theatre
from tests.unit.procedures.engine.cases import CASES

DEMO = ClusterName("demo")
STOPPED_POD = "/etc/origin/node/pods-stopped/etcd.yaml"


def ready(name: str) -> Theatre:
    case = CASES[name]
    theatre = a_theatre(case.procedure, case.args)
    case.ready(theatre)
    return theatre


def starts_or_stops(told: Told) -> bool:
    """Tell whether it is to start or stop etcd, or a part of a master, that can be seen to run."""
    program = posixpath.basename(told.argv[0])
    verbs = {"start", "stop", "enable", "restart"}
    if program == "systemctl":
        return bool(verbs & set(told.argv)) and re.search(r"etcd|master", told.argv[-1]) is not None
    return program == "master-restart" or (program == "mv" and told.argv[-1].endswith(".yaml"))


@pytest.mark.parametrize("name", CASES)
async def test_x7_a_status_of_0_is_no_proof_that_something_was_done(name: str) -> None:
    """X7: whatever starts or stops things may say so and do nothing: the run does not succeed."""
    all_told = (await carried_out(ready(name))).hosts.told
    for which, told in enumerate(all_told):
        if starts_or_stops(told):
            found = await carried_out(ready(name), instead_of=which, instead=("true",))
            assert found.theatre.run.state is not State.SUCCEEDED, told


async def test_x7_a_pod_that_is_started_again_is_not_stopped() -> None:
    """X7: it has no process at times. Where its manifest cannot leave, no data is moved."""
    theatre = ready("restore static pods")
    theatre.sight.hosts.machines["demo-1"].files.put(STOPPED_POD, "of an earlier attempt\n")
    found = await carried_out(theatre)
    assert "demo-1 is still told to run etcd, although `mv" in str(theatre.run.error)
    assert not [told for told in found.hosts.told if "/var/lib/etcd/member" in told.argv]
    theatre.sight.hosts.machines["demo-1"].files.remove(STOPPED_POD)
    theatre.append(Resumed(ALICE))
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error


@pytest.mark.parametrize("name", CASES)
async def test_x8_a_snapshot_is_asked_of_exactly_one(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """X8: by its own client URL, whoever else is in the configuration."""
    asked: list[str] = []
    snapshot = Acting.snapshot

    async def noted(acting: Acting, cluster: Cluster, endpoint: str) -> AsyncIterator[bytes]:
        asked.append(endpoint)
        async for chunk in snapshot(acting, cluster, endpoint):
            yield chunk

    monkeypatch.setattr(Acting, "snapshot", noted)
    theatre = ready(name)
    urls = {member.client_url for member in theatre.sight.demo.members.values()}
    found = await carried_out(theatre)
    saves = [step for step in found.plan.steps if step.action == SaveSnapshot.KIND]
    assert len(asked) == len(saves)
    assert set(asked) <= urls


async def test_x12_who_has_started_once_is_not_healthy_for_that() -> None:
    """X12: the list calls a dead member started; its own client URL tells how it is."""
    sight = a_sight()
    sight.demo.members[MemberName("demo-3")].condition = Condition.STOPPED
    [seen] = [seen for seen in (await observed(DEMO, sight)).seen if seen.name == "demo-3"]
    assert seen.listed is not None
    assert (seen.listed.started, seen.health) == (True, Health.DOWN)
    *_, report = [report async for report in health.ask(health.Args(DEMO), sight)]
    assert report.headline == "demo: degraded, 2 of 3 members, tolerance 0"
    theatre = a_theatre("etcd replace", {"member": "demo-3"})
    theatre.sight.demo.members[MemberName("demo-3")].condition = Condition.STOPPED
    kinds = [step.action for step in (await carried_out(theatre)).plan.steps]
    assert kinds.index(RemoveMember.KIND) < kinds.index(AddMember.KIND)


NAMES = tuple(f"demo-{number}" for number in range(1, 11))


def ten(procedure: str, **args: str) -> Theatre:
    """Ten members and a spare, of whom the name and address of one begin those of two others."""
    theatre = a_theatre(procedure, args, len(NAMES))
    at_home(theatre)
    configure(theatre.sight)
    with_masters("demo-1", "demo-10", "demo-11")(theatre)
    with_flannel("demo-2", "demo-10")(theatre)
    return theatre


def believed(theatre: Theatre, host: str) -> dict[str, str]:
    """Whom the configuration of a member has as members, at which peer URLs."""
    text = theatre.sight.hosts.machines[host].files.text("/etc/etcd/etcd.conf")
    pairs = envfile.read(text)["ETCD_INITIAL_CLUSTER"].split(",")
    return {name: url for name, _, url in (pair.partition("=") for pair in pairs)}


@pytest.mark.parametrize("victim", ["demo-1", "demo-10"])
async def test_x15_who_is_removed_goes_from_every_list_and_nobody_else(victim: str) -> None:
    """X15, X19: from those of members, masters and Flannel, also with a name that begins another's.

    Each name keeps its own address (X9), and etcd is stopped on no other host.
    """
    theatre = ten("etcd member remove", member=victim)
    own = {str(name): urls for name, urls in theatre.members().items()}
    found = await carried_out(theatre)
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    left = [name for name in NAMES if name != victim]
    assert set(theatre.members()) == set(left)
    for name in left:
        assert believed(theatre, name) == {each: own[each][0] for each in left}
    machines = theatre.sight.hosts.machines
    clients = {f"https://10.0.0.{name.removeprefix('demo-')}:2379" for name in left}
    for name in ("demo-10", "demo-11", "demo-1"):
        assert set(items(machines[name].files.text(CONFIG), URLS)) == clients
    for name in ("demo-2", "demo-10"):
        values = envfile.read(machines[name].files.text("/etc/sysconfig/flanneld"))
        assert set(values["FLANNEL_ETCD_ENDPOINTS"].split(",")) == clients
    stopped = {told.host for told in found.hosts.told if "etcd.service" in told.argv}
    assert stopped == {victim}


@pytest.mark.parametrize("victim", ["demo-1", "demo-10"])
async def test_x19_who_is_replaced_is_the_very_one(victim: str) -> None:
    """X19: and the one that joins bears its own name and address only."""
    theatre = ten("etcd replace", member=victim, with_="demo-11")
    theatre.sight.demo.members[MemberName(victim)].condition = Condition.STOPPED
    await carried_out(theatre)
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    left = {*NAMES, "demo-11"} - {victim}
    assert set(theatre.members()) == left
    for name in left:
        assert believed(theatre, name) == {
            each: f"https://10.0.0.{each.removeprefix('demo-')}:2380" for each in left
        }
    text = theatre.sight.hosts.machines["demo-11"].files.text("/etc/etcd/etcd.conf")
    values = envfile.read(text)
    for key in ("ETCD_LISTEN_PEER_URLS", "ETCD_INITIAL_ADVERTISE_PEER_URLS"):
        assert values[key] == "https://10.0.0.11:2380"


@pytest.mark.parametrize("part", ["demo", "demo-", "emo-1", "demo-1 ", "DEMO-1", "demo-1.", "a00"])
@pytest.mark.parametrize(
    ("procedure", "argument"),
    [
        ("etcd member remove", "member"),
        ("etcd replace", "member"),
        ("etcd restart", "member"),
        ("etcd defrag", "member"),
        ("etcd retire", "host"),
        ("etcd scale-up", "host"),
        ("etcd certs issue", "host"),
        ("etcd restore config", "member"),
    ],
)
async def test_x19_a_part_of_a_name_is_nobodys(procedure: str, argument: str, part: str) -> None:
    """X19: what is dangerous takes a whole name, or a whole id."""
    theatre = ten(procedure, **{argument: part})
    request = theatre.run.request
    with pytest.raises((UsageError, Refused), match=re.escape(part.strip())):
        await draft(PROCEDURES[procedure], request, theatre.sight)
