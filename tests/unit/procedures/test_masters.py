"""Pointing masters and Flannel at etcd's voters: what counts as restarted, what may not show."""

import pytest

from bot.targets.etcd.model import Condition
from bot.targets.ssh.model import FakeMachine
from procedures.etcd.hosts import with_hosts
from procedures.host.flannel import look_at_flannel, point_flannel
from procedures.master.masters import Masters
from procedures.model.errors import Refused, UsageError
from procedures.model.events import Planned
from procedures.model.ids import ClusterName, MemberName
from procedures.model.master import CONFIG, Part, process
from procedures.model.procedure import Runbook
from procedures.model.run import State
from tests.support.masters import SECRET, config, healthz, with_flannel, with_masters
from tests.support.theatre import Theatre, a_theatre
from tests.unit.procedures.plans.case import planned

GONE = ("https://gone:2379",)


async def approved(*masters: str, pods: bool = False) -> Theatre:
    theatre = a_theatre("master set-etcd-urls", {})
    with_masters(*masters, urls=GONE, pods=pods)(theatre)
    await theatre.approved()
    return theatre


def starts(machine: FakeMachine, part: Part) -> int:
    return machine.units[f"{process(part)[-1]}.service"].starts


async def test_each_part_restarts_by_a_command_of_its_own() -> None:
    """X6: `master-restart` reads one word only."""
    theatre = await approved("demo-4", pods=True)
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    machine = theatre.sight.hosts.machines["demo-4"]
    assert [starts(machine, part) for part in Part] == [1, 1]
    assert "demo-4: /usr/local/bin/master-restart api" in theatre.effects
    assert "demo-4: /usr/local/bin/master-restart controllers" in theatre.effects


async def test_a_status_of_0_is_no_restart() -> None:
    """X7: the same process as before means that nothing happened; the next one waits."""
    theatre = await approved("demo-1", "demo-4", pods=True)

    async def nothing(*_: object) -> int:
        return 0

    theatre.sight.hosts.machines["demo-1"].programs["master-restart"] = nothing
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "it is still the process from before, 1000@100000" in str(theatre.run.error)
    other = theatre.sight.hosts.machines["demo-4"]
    assert starts(other, Part.API) == 0
    assert GONE[0] in other.files.text(CONFIG)


async def test_an_api_server_that_is_not_well_ends_it() -> None:
    """The other masters still serve with what they had."""
    theatre = await approved("demo-1", "demo-4")
    theatre.sight.hosts.machines["demo-1"].programs["curl"] = healthz("[-]etcd failed")
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "/healthz says '[-]etcd failed'" in str(theatre.run.error)
    assert starts(theatre.sight.hosts.machines["demo-4"], Part.API) == 0
    theatre.sight.hosts.machines["demo-1"].programs["curl"] = healthz("ok")


async def test_the_rest_of_the_file_is_in_no_plan() -> None:
    """It may hold passwords; on the host it stays as it is, comments too."""
    theatre = await approved("demo-4")
    assert SECRET not in repr(theatre.entries)
    assert any(isinstance(each.event, Planned) for each in theatre.entries)
    await theatre.work()
    urls = [f"https://127.0.0.1:{port}" for port in (2380, 2381, 2382)]
    assert theatre.sight.hosts.machines["demo-4"].files.text(CONFIG) == config(*urls)


async def test_a_file_that_somebody_changed_meanwhile() -> None:
    """Nothing is written over it, and nothing restarts."""
    theatre = await approved("demo-4")
    machine = theatre.sight.hosts.machines["demo-4"]
    other = config("https://other:2379")
    machine.files.put(CONFIG, other)
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "is another one than was approved" in str(theatre.run.error)
    assert machine.files.text(CONFIG) == other
    assert starts(machine, Part.API) == 0


async def test_what_cannot_be_edited_by_lines_is_said() -> None:
    """A person does it."""
    theatre = a_theatre("master set-etcd-urls", {})
    with_masters("demo-4")(theatre)
    files = theatre.sight.hosts.machines["demo-4"].files
    files.put(CONFIG, 'etcdClientInfo:\n  urls: ["https://gone:2379"]\n')
    with pytest.raises(Refused, match="is not written with one item on each line"):
        await theatre.approved()


async def test_a_master_that_does_not_answer_is_named() -> None:
    """With what to do when it is back."""
    theatre = a_theatre("master set-etcd-urls", {})
    with_masters("demo-1", "demo-4", urls=GONE)(theatre)
    theatre.sight.hosts.machines["demo-4"].cut_off()
    await theatre.approved()
    plan = theatre.run.plan
    assert plan is not None
    assert any("demo-4 cannot be looked at" in fact for fact in plan.facts)
    assert not any("demo-4" in step.command for step in plan.steps)


async def test_the_next_master_waits_for_this_one() -> None:
    """The API server of the first does not come back well: the second goes on as before."""
    theatre = a_theatre("master restart", {})
    with_masters("demo-1", "demo-4")(theatre)
    await theatre.approved()
    machines = theatre.sight.hosts.machines
    machines["demo-1"].programs["curl"] = healthz("[-]etcd failed: reason withheld")
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "api on demo-1 is not as it should be" in str(theatre.run.error)
    assert machines["demo-4"].units["origin-master-api.service"].starts == 0


@pytest.mark.parametrize("off", [True, False])
async def test_a_master_that_may_be_the_last_to_serve(off: bool) -> None:
    """The other one runs none, or does not answer: that is not waited for, and it is said."""
    theatre = a_theatre("master restart", {"host": "demo-1"})
    with_masters("demo-1", "demo-4")(theatre)
    machine = theatre.sight.hosts.machines["demo-4"]
    if off:
        machine.power_off()
    else:
        machine.units[f"{process(Part.API)[-1]}.service"].fail(machine)
    await theatre.approved()
    assert theatre.run.plan is not None
    (fact,) = theatre.run.plan.facts
    assert fact.startswith("No API server is seen to run on demo-4: where that leaves one, nobody")


async def test_a_master_is_not_restarted_while_another_does_not_serve() -> None:
    """Somebody has to answer meanwhile."""
    theatre = a_theatre("master restart", {"host": "demo-4"})
    with_masters("demo-1", "demo-4")(theatre)
    machines = theatre.sight.hosts.machines
    machines["demo-1"].programs["curl"] = healthz("[-]etcd failed: reason withheld")
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert machines["demo-4"].units["origin-master-api.service"].starts == 0


@pytest.mark.parametrize(
    ("host", "error", "words"),
    [
        ("demo-9", UsageError, "'demo-9' is not among the masters of demo: demo-1, demo-4"),
        (None, Refused, "demo-4 cannot be looked at: .* Name one of the others"),
    ],
)
async def test_masters_that_are_not_there(
    host: str | None, error: type[Exception], words: str
) -> None:
    """Nothing is restarted."""
    theatre = a_theatre("master restart", {"host": host} if host else {})
    with_masters("demo-1", "demo-4")(theatre)
    theatre.sight.hosts.machines["demo-4"].cut_off()
    with pytest.raises(error, match=words):
        await theatre.approved()


async def test_another_subnet_after_a_restart_of_flannel() -> None:
    """Pods on that host would have addresses that are another's."""
    theatre = a_theatre("host flannel set-endpoints", {})
    with_flannel("demo-1", "demo-2", urls=GONE)(theatre)
    await theatre.approved()
    machine = theatre.sight.hosts.machines["demo-1"]

    def start(machine: FakeMachine) -> None:
        machine.files.put("/run/flannel/subnet.env", "FLANNEL_SUBNET=10.1.99.1/24\n")

    machine.units["flanneld.service"].on_start = start
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "says another subnet than before" in str(theatre.run.error)
    assert theatre.sight.hosts.machines["demo-2"].units["flanneld.service"].starts == 0


async def test_the_next_host_waits_for_the_api_server_of_this_one() -> None:
    """Docker restarts with Flannel, and the API server of a master with that."""
    theatre = a_theatre("host flannel set-endpoints", {})
    with_masters("demo-1", "demo-2")(theatre)
    with_flannel("demo-1", "demo-2", urls=GONE)(theatre)
    await theatre.approved()
    machines = theatre.sight.hosts.machines
    machines["demo-1"].programs["curl"] = healthz("[-]etcd failed: reason withheld")
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "The API server on demo-1 does not serve after 180 s" in str(theatre.run.error)
    assert machines["demo-1"].units["flanneld.service"].starts == 1
    assert machines["demo-2"].units["flanneld.service"].starts == 0


async def test_flannel_does_not_restart_a_member_that_the_others_need() -> None:
    """Docker restarts with it, and etcd with that: with one down, quorum would be lost (R10)."""
    theatre = a_theatre("host flannel set-endpoints", {})
    with_flannel("demo-1", urls=GONE)(theatre)
    await theatre.approved()
    theatre.sight.demo.members[MemberName("demo-3")].condition = Condition.STOPPED
    with pytest.raises(Refused, match=r"demo-1 is left as it is: .* demo-3 is not healthy \(R10\)"):
        await planned(theatre)
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "demo is not healthy" in str(theatre.run.error)
    assert theatre.sight.hosts.machines["demo-1"].units["flanneld.service"].starts == 0


async def test_flannel_is_never_told_to_ask_nobody() -> None:
    """Where no member says where clients reach it, the list stays as it is."""
    theatre = a_theatre("host flannel set-endpoints", {})
    with_flannel("demo-4", urls=GONE)(theatre)
    hosts = await with_hosts(ClusterName("demo"), theatre.sight)
    run = Runbook()
    seen = await look_at_flannel(hosts, theatre.sight)
    assert not point_flannel(hosts, Masters(), seen, (), run)
    assert "No voter says where clients reach it" in run.facts[0]


@pytest.mark.parametrize("masters", [(), ("demo-4",)])
async def test_the_service_catalog_is_told_of(masters: tuple[str, ...]) -> None:
    """It has a list of its own, which nobody here changes (P57)."""
    theatre = a_theatre("etcd member remove", {"member": "demo-3"})
    with_masters(*masters)(theatre)
    await theatre.approved()
    assert theatre.run.plan is not None
    told = [each for each in theatre.run.plan.facts if "DaemonSet apiserver" in each]
    assert len(told) == len(masters)
