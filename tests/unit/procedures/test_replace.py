"""`/etcd replace` where few members are there, and where hosts are not as they should be."""

from collections.abc import Sequence

import pytest

from bot.targets.etcd.model import Condition
from bot.targets.ssh.model import FakeMachine, Say, StartError
from bot.targets.ssh.programs import perform
from bot.undoing import undoing
from procedures.model import envfile
from procedures.model.errors import Refused
from procedures.model.events import Resumed
from procedures.model.ids import MemberName
from procedures.model.run import State
from tests.support.theatre import BOB, Theatre, a_theatre


async def test_the_only_member() -> None:
    """It goes in two runs: nobody would be expected in between who answers."""
    theatre = a_theatre("etcd replace", {"member": "demo-1"}, 1)
    with pytest.raises(Refused, match=r"only member\. .* /etcd scale-up demo-2; then /etcd member"):
        await theatre.approved()


async def test_one_of_two_is_dead() -> None:
    """Quorum is lost: there is nothing that a new one could join."""
    theatre = a_theatre("etcd replace", {"member": "demo-1"}, 2)
    theatre.sight.demo.members[MemberName("demo-1")].condition = Condition.STOPPED
    with pytest.raises(Refused, match=r"no change can be committed \(R14\)\. Where quorum is lost"):
        await theatre.approved()


@pytest.mark.parametrize("member", ["demo-1", "demo-5"])
async def test_another_is_dead(member: str) -> None:
    """Healthy or not: nothing is added beside a dead one, also where quorum would bear it (R3)."""
    theatre = a_theatre("etcd replace", {"member": member}, 5)
    for name in {"demo-4", "demo-5"} & {"demo-4", member}:
        theatre.sight.demo.members[MemberName(name)].condition = Condition.STOPPED
    with pytest.raises(Refused, match=r"demo-4 must be healthy first \(R3\)"):
        await theatre.approved()


async def test_the_host_of_the_dead_one_gets_worse() -> None:
    """What keeps anybody from tidying up there keeps no new member out."""
    theatre = a_theatre("etcd replace", {"member": "demo-3"})
    theatre.sight.demo.members[MemberName("demo-3")].condition = Condition.STOPPED
    await theatre.approved()
    theatre.sight.hosts.machines["demo-3"].cut_off()
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "demo-3 (10.0.0.3) cannot be reached" in str(theatre.run.error)
    assert set(theatre.members()) == {"demo-1", "demo-2", "demo-4"}
    assert not theatre.sight.demo.members[MemberName("demo-4")].learner
    assert set(theatre.expected()) == {"demo-1", "demo-2", "demo-4"}


async def test_an_addition_that_never_started_on_the_same_host() -> None:
    """What is made ready there is not switched off and moved away again."""
    theatre = a_theatre("etcd replace", {"member": "demo-4", "with_": "demo-4"})
    url = "https://10.0.0.4:2380"
    theatre.sight.demo.add(
        MemberName("demo-4"), "https://10.0.0.4:2379", learner=True, started=False
    ).peer_urls = (url,)
    theatre.sight.hosts.machines["demo-4"].files.folder("/var/lib/etcd/member")
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert theatre.members()["demo-4"] == (url,)


async def test_a_peer_url_that_no_other_host_reaches() -> None:
    """A new one would never find that member; nothing is removed before."""
    theatre = a_theatre("etcd replace", {"member": "demo-3"})
    theatre.sight.demo.members[MemberName("demo-3")].condition = Condition.STOPPED
    theatre.sight.demo.members[MemberName("demo-1")].peer_urls = ("https://localhost:2380",)
    with pytest.raises(Refused, match=r"peer URL of demo-1 is https://localhost:2380, .* fix-peer"):
        await theatre.approved()


async def test_one_that_did_not_start_is_taken_back_by_its_id() -> None:
    """It has no name in the member list before it has started."""
    theatre = a_theatre("etcd replace", {"member": "demo-3"})
    theatre.sight.demo.members[MemberName("demo-3")].condition = Condition.STOPPED
    await theatre.approved()
    theatre.sight.hosts.machines["demo-4"].units["etcd.service"].on_start = _ends_at_once
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert any("/etcd member remove a004" in each for each in _advice(theatre))
    for wanted in ("a004", "demo-4"):
        following = Theatre("etcd member remove", {"member": wanted}, theatre.sight)
        await following.approved()
        assert following.run.plan is not None
        assert any(
            "etcdctl member remove a004" in step.command for step in following.run.plan.steps
        )


def _ends_at_once(_: FakeMachine) -> None:
    raise StartError


def _advice(theatre: Theatre) -> tuple[str, ...]:
    run = theatre.run
    return undoing(run, run.request.requester, None).advice


async def test_nobody_can_look_right_after_the_move() -> None:
    """Resumed, the step finds the data where it has to be."""
    theatre = a_theatre("etcd scale-up", {"host": "demo-4"})
    machine = theatre.sight.hosts.machines["demo-4"]
    machine.files.folder("/var/lib/etcd/member")
    await theatre.approved()

    async def failing(at: FakeMachine, argv: Sequence[str], stdin: bytes, _: Say) -> int:
        moved = at.files.get("/var/lib/etcd/member.quorumbot-1") is not None
        return 2 if moved else perform(at, argv, stdin).status

    machine.programs["test"] = failing
    await theatre.work()
    assert "`test -e /var/lib/etcd/member` on demo-4 ended with 2" in str(theatre.run.error)
    del machine.programs["test"]
    theatre.append(Resumed(BOB))
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error


async def test_a_machine_that_was_set_up_anew_has_no_etcd_to_switch_off() -> None:
    """That is no failure."""
    theatre = a_theatre("etcd replace", {"member": "demo-3", "with_": "demo-4"})
    theatre.sight.demo.members[MemberName("demo-3")].condition = Condition.STOPPED
    del theatre.sight.hosts.machines["demo-3"].units["etcd.service"]
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error


async def test_api_servers_that_are_not_pointed_are_named() -> None:
    """Replaced one by one, all members would be gone from a list that nobody changes."""
    theatre = a_theatre("etcd replace", {"member": "demo-3"})
    await theatre.approved()
    assert theatre.run.plan is not None
    facts = " ".join(theatre.run.plan.facts)
    assert "are not told of https://10.0.0.4:2379: add it" in facts
    assert "go on asking https://127.0.0.1:2382: take that off" in facts


async def test_a_unit_that_stays_enabled() -> None:
    """`systemctl disable` ended well, and the next boot would start the removed member."""
    theatre = a_theatre("etcd retire", {"host": "demo-4"})
    unit = theatre.sight.hosts.machines["demo-4"].units["etcd.service"]
    unit.active = "active"

    def stay(_: FakeMachine) -> None:
        unit.enabled = "enabled"

    unit.on_stop = stay
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "etcd.service on demo-4 is still enabled" in str(theatre.run.error)


@pytest.mark.parametrize("dead", [True, False])
async def test_no_configuration_names_the_old_one_in_the_end(dead: bool) -> None:
    """Nor does that of the new one, which joined while a healthy one was still a member."""
    theatre = a_theatre("etcd replace", {"member": "demo-3", "with_": "demo-4"})
    if dead:
        theatre.sight.demo.members[MemberName("demo-3")].condition = Condition.STOPPED
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    for name in ("demo-1", "demo-2", "demo-4"):
        text = theatre.sight.hosts.machines[name].files.text("/etc/etcd/etcd.conf")
        listed = envfile.read(text)["ETCD_INITIAL_CLUSTER"].split(",")
        assert [each.partition("=")[0] for each in listed] == ["demo-1", "demo-2", "demo-4"]
