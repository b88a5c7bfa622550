"""An order to forget all other members that somebody has left in place. (P32; R14)"""

import asyncio
from collections.abc import Callable

import pytest

from bot.targets.ssh.memory import FakeHosts
from procedures.etcd.forcing import ordered_in
from procedures.model.errors import Refused
from procedures.model.host import FileSeen
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster, Host
from procedures.model.paths import WRAPPER
from procedures.model.probe import Fault
from procedures.model.report import Level
from procedures.model.run import State
from tests.support.furnishing import a_furnished_sight, spoiled, with_copy
from tests.support.health import final
from tests.support.host_health import configure, figures, machine
from tests.support.lost_cluster import lose
from tests.support.platforms import on_kubespray, with_static_pods
from tests.support.theatre import Theatre, a_theatre
from tests.unit.procedures.plans.case import Case, made, planned

DEMO = ClusterName("demo")
CONF = "/etc/etcd/etcd.conf"
BY_FLAG = "{ path=/usr/bin/etcd ; argv[]=/usr/bin/etcd --force-new-cluster ; }"
Leave = Callable[[Theatre, str], None]


def in_file(theatre: Theatre, name: str) -> None:
    files = theatre.sight.hosts.machines[name].files
    files.put(CONF, f"{files.text(CONF) if files.get(CONF) else ''}\nETCD_FORCE_NEW_CLUSTER=true\n")


def in_drop_in(theatre: Theatre, name: str) -> None:
    theatre.sight.hosts.machines[name].units["etcd.service"].command = BY_FLAG


def in_environment(theatre: Theatre, name: str) -> None:
    unit = theatre.sight.hosts.machines[name].units["etcd.service"]
    unit.environment = "GOGC=50 ETCD_FORCE_NEW_CLUSTER=true"


ALL: tuple[Leave, ...] = (in_file, in_drop_in, in_environment)


@pytest.mark.parametrize("leave", ALL)
@pytest.mark.parametrize("args", [{}, {"member": "demo-1"}])
async def test_nobody_restarts_a_member_that_would_forget_the_others(
    leave: Leave, args: dict[str, str]
) -> None:
    """It would be a cluster of its own, and what clients write there is lost."""
    theatre = made(Case("etcd restart", args))
    leave(theatre, "demo-1")
    with pytest.raises(Refused, match=r"on demo-1 .* would forget all other members.*\(R14\)"):
        await planned(theatre)


@pytest.mark.parametrize("leave", ALL)
async def test_it_is_looked_for_right_before_as_well(leave: Leave) -> None:
    """Somebody has left it since the approval: etcd is not even stopped."""
    theatre = made(Case("etcd restart", {"member": "demo-1"}))
    await theatre.approved()
    leave(theatre, "demo-1")
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "would forget all other members" in str(theatre.run.error)
    assert not [each for each in theatre.effects if "systemctl" in each]


async def test_another_member_may_be_restarted() -> None:
    """The order is for the host where it stands."""
    theatre = made(Case("etcd restart", {"member": "demo-2"}))
    in_file(theatre, "demo-1")
    assert (await planned(theatre)).steps


async def test_a_copy_with_it_is_not_put_back() -> None:
    """As one that was taken while somebody restored the cluster."""
    theatre = a_theatre("etcd restore config", {"member": "demo-2"})
    spoiled(theatre)
    in_file(theatre, "demo-2")
    copy = with_copy(theatre, "demo-2")
    theatre.sight.hosts.machines["demo-2"].files.put(CONF, "ETCD_NAME=demo-2\n")
    assert copy.file(CONF) is not None
    words = r"does not fit demo-2: .*etcd\.conf has ETCD_FORCE_NEW_CLUSTER, so that etcd would"
    with pytest.raises(Refused, match=words):
        await planned(theatre)


async def test_a_cluster_is_not_restored_where_the_unit_has_it() -> None:
    """Nor does such a host join again: whoever joined later would be forgotten at its next boot."""
    theatre = a_theatre("etcd restore", {"on": "demo-1"})
    lose(theatre, "demo-1", "demo-2", "demo-3")
    in_drop_in(theatre, "demo-1")
    with pytest.raises(Refused, match=r"demo-1: etcd\.service on demo-1 starts etcd with --force"):
        await planned(theatre)


async def test_no_member_joins_by_such_a_unit() -> None:
    """It would, and forget all others at its next boot."""
    theatre = made(Case("etcd scale-up"))
    in_drop_in(theatre, "demo-4")
    words = r"^demo-4 cannot get a member: etcd\.service on demo-4 starts etcd with --force"
    with pytest.raises(Refused, match=words):
        await planned(theatre)


async def test_health_tells_of_it() -> None:
    """As a warning: nothing has happened yet."""
    sight = a_furnished_sight()
    configure(machine(sight), ETCD_FORCE_NEW_CLUSTER="true")
    report = await final(sight)
    told = [each for each in figures(report, "config", "demo-1") if "forget" in each.text]
    assert [each.level for each in told] == [Level.WARN]
    assert not [each for each in figures(report, "config", "demo-2") if "forget" in each.text]


@pytest.mark.parametrize(
    ("text", "by"),
    [
        ("ETCD_FORCE_NEW_CLUSTER=true\n", "ETCD_FORCE_NEW_CLUSTER"),
        ('ETCD_FORCE_NEW_CLUSTER="1"\n', "ETCD_FORCE_NEW_CLUSTER"),
        ("ETCD_FORCE_NEW_CLUSTER=false\n", None),
        ("#ETCD_FORCE_NEW_CLUSTER=true\n", None),
        ('DAEMON_ARGS="--force-new-cluster"\n', "--force-new-cluster"),
        ("      exec etcd --force-new-cluster=true\n", "--force-new-cluster"),
        ("ExecStart=/usr/bin/etcd --force-new-cluster=false\n", None),
        ("      exec etcd --force-new-cluster='false'\n", None),
        ("docker run -e ETCD_FORCE_NEW_CLUSTER=true etcd\n", "ETCD_FORCE_NEW_CLUSTER"),
        ("docker run -e ETCD_FORCE_NEW_CLUSTER=false etcd\n", None),
        (
            'env:\n    - name: ETCD_FORCE_NEW_CLUSTER\n      value: "true"\n',
            "ETCD_FORCE_NEW_CLUSTER",
        ),
        ("env: [{name: 'ETCD_FORCE_NEW_CLUSTER', value: '1'}]\n", "ETCD_FORCE_NEW_CLUSTER"),
        ('env:\n    - name: ETCD_FORCE_NEW_CLUSTER\n      value: "false"\n', None),
        ('env:\n  # - name: ETCD_FORCE_NEW_CLUSTER\n  #   value: "true"\n', None),
        ("# ExecStart=/usr/bin/etcd --force-new-cluster\n", None),
        ("ExecStart=/usr/bin/etcd --force-new-cluster-bump-amount=5\n", None),
    ],
)
def test_what_gives_the_order(text: str, by: str | None) -> None:
    """Neither a comment, nor a word to the contrary, nor another flag."""
    assert ordered_in(text) == by


async def test_a_manifest_with_it() -> None:
    """As somebody has put it into the command of a static pod."""
    theatre = a_theatre("etcd restart", {"member": "demo-1"})
    with_static_pods(theatre)
    path = "/etc/origin/node/pods/etcd.yaml"
    theatre.sight.hosts.machines["demo-1"].files.put(path, "args: [exec etcd --force-new-cluster]")
    with pytest.raises(Refused, match=r"^/etc/origin/node/pods/etcd\.yaml on demo-1 has --force"):
        await planned(theatre)


@pytest.mark.parametrize("args", [{}, {"member": "demo-1"}])
async def test_the_script_that_kubesprays_unit_runs(args: dict[str, str]) -> None:
    """It starts the container; where etcd runs without one, a program is in its place."""
    theatre = a_theatre("etcd restart", args)
    on_kubespray(theatre)
    files = theatre.sight.hosts.machines["demo-1"].files
    text = files.text(WRAPPER)
    files.put(WRAPPER, f"{text}docker run -e ETCD_FORCE_NEW_CLUSTER=true etcd\n", 0o755)
    words = r"^/usr/local/bin/etcd on demo-1 has ETCD_FORCE_NEW_CLUSTER: at its next start"
    with pytest.raises(Refused, match=words):
        await planned(theatre)
    files.put(WRAPPER, "\x7fELF --force-new-cluster", 0o755)
    assert (await planned(theatre)).steps


async def test_all_hosts_are_asked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan waits for the slowest of them only."""
    theatre = made(Case("etcd restart", {}))
    asked, most, read = 0, 0, FakeHosts.read

    async def slowly(
        hosts: FakeHosts, cluster: Cluster, host: Host, path: str
    ) -> FileSeen | Fault | None:
        nonlocal asked, most
        asked += 1
        most = max(most, asked)
        for _ in range(10):
            await asyncio.sleep(0)
        asked -= 1
        return await read(hosts, cluster, host, path)

    monkeypatch.setattr(FakeHosts, "read", slowly)
    await planned(theatre)
    assert most >= len(theatre.sight.demo.members)
