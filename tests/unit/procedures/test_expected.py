"""Who of the listed members is expected, and what people are told where the two differ."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from bot.targets.etcd.model import Condition
from procedures.etcd import health, members
from procedures.etcd.expected import also, as_listed, known, missing, without
from procedures.etcd.observe import find, observe
from procedures.etcd.view import View
from procedures.model.errors import Refused
from procedures.model.expected import Expected
from procedures.model.ids import ClusterName, MemberId, MemberName, RunId
from procedures.model.inventory import Cluster
from procedures.model.report import HealthReport, MembersReport, Verdict
from tests.support.sight import FakeSight, a_sight

DEMO = ClusterName("demo")
ONE, TWO, THREE = (f"https://127.0.0.1:{2379 + n}" for n in (1, 2, 3))


def expecting(urls: Mapping[str, str], *, sight: FakeSight | None = None) -> FakeSight:
    """A cluster of three of which these are recorded as expected."""
    sight = sight or a_sight()
    recorded = Expected({MemberName(name): url for name, url in urls.items()}, 1, RunId("r-1"))
    sight.inventory = sight.inventory.expecting(DEMO, recorded)
    return sight


async def seen(sight: FakeSight) -> tuple[Cluster, View]:
    cluster = sight.inventory.clusters[DEMO]
    return cluster, await observe(cluster, sight)


async def healthy(sight: FakeSight) -> HealthReport:
    return [report async for report in health.ask(health.Args(DEMO), sight)][-1]


async def listed(sight: FakeSight) -> MembersReport:
    return [report async for report in members.ask(members.Args(DEMO), sight)][-1]


def texts(report: HealthReport, name: str) -> list[str]:
    return [figure.text for figure in report.figures if figure.name == name]


async def test_the_record_counts() -> None:
    """Who was taken off it is not missed; quorum is about those that are listed."""
    sight = expecting({"demo-1": ONE, "demo-2": TWO})
    del sight.demo.members[MemberName("demo-3")]
    report = await healthy(sight)
    assert (report.verdict, report.voters, report.tolerance) == (Verdict.HEALTHY, 2, 0)
    assert report.headline == "demo: healthy, 2 of 2 members"
    assert texts(report, "member list") == ["as expected"]


async def test_who_is_listed_and_not_on_the_record() -> None:
    """It is a voter like the others, and people are told."""
    report = await healthy(expecting({"demo-1": ONE, "demo-2": TWO}))
    assert (report.verdict, report.voters) == (Verdict.DEGRADED, 3)
    assert texts(report, "member list") == ["demo-3 is in it and not expected"]


async def test_a_record_that_is_not_believed() -> None:
    """Both answers say so and why, and what counts instead."""
    sight = a_sight()
    fault = Expected(fault="its signature is not worker-1's")
    sight.inventory = sight.inventory.expecting(DEMO, fault)
    words = "not believed: its signature is not worker-1's. The configuration counts."
    report = await healthy(sight)
    assert report.verdict is Verdict.DEGRADED
    (text,) = texts(report, "record of expected members")
    assert text.startswith(words)
    assert any(words in note for note in (await listed(sight)).notes)


async def test_a_record_that_is_not_believed_and_nobody_answers() -> None:
    """It is said all the same: it may be why."""
    sight = a_sight()
    sight.inventory = sight.inventory.expecting(DEMO, Expected(fault="it cannot be read"))
    for member in sight.demo.members.values():
        member.condition = Condition.STOPPED
    assert texts(await healthy(sight), "record of expected members")


async def test_each_member_is_told_expected_or_not() -> None:
    """And who is missing stands beneath."""
    report = await listed(expecting({"demo-1": ONE, "demo-9": "https://127.0.0.1:9"}))
    assert {row.name: row.expected for row in report.rows} == {
        "demo-1": True,
        "demo-2": False,
        "demo-3": False,
    }
    assert "demo-9 is expected and not in it" in report.notes


@pytest.mark.parametrize(
    "urls",
    [
        {"demo-1": ONE, "demo-2": TWO, "demo-3": "https://elsewhere:2379"},
        {"a": ONE, "b": TWO, "c": THREE},
        {"demo-2": ONE, "demo-1": TWO, "demo-3": THREE},
    ],
    ids=["by name", "by address", "by answer, where names are mixed up"],
)
async def test_what_makes_a_member_an_expected_one(urls: Mapping[str, str]) -> None:
    """Each expected one is found once, and none is missing."""
    cluster, view = await seen(expecting(urls))
    assert sorted(known(cluster, view).values()) == sorted(urls)
    assert missing(cluster, view) == ()


async def test_one_endpoint_stands_for_one_member() -> None:
    """Also where one member answers at an endpoint and another has its name."""
    cluster, view = await seen(expecting({"demo-2": ONE}))
    assert known(cluster, view) == {MemberId("a001"): "demo-2"}


async def test_leaving_one_out_leaves_the_others_as_they_are() -> None:
    """Under the names that they are expected by."""
    cluster, view = await seen(expecting({"a": ONE, "b": TWO}))
    assert without(cluster, view, MemberId("a001")) == {"b": TWO}
    assert without(cluster, view, MemberId("a003")) is None


async def test_leaving_the_only_one_out() -> None:
    """Somebody has to be asked: those that are left."""
    cluster, view = await seen(expecting({"demo-1": ONE}))
    assert without(cluster, view, MemberId("a001")) == {"demo-2": TWO, "demo-3": THREE}


async def test_expecting_one_more() -> None:
    """Where the configuration says that it is, or else it itself."""
    sight = expecting({"demo-1": ONE, "demo-2": TWO})
    sight.demo.add(MemberName("demo-4"), "https://10.0.0.4:2379")
    sight.demo.members[MemberName("demo-3")].client_url = "https://10.0.0.3:2379"
    cluster, view = await seen(sight)
    two = {"demo-1": ONE, "demo-2": TWO}
    assert also(cluster, view, find(view, "demo-3")[1]) == {**two, "demo-3": THREE}
    assert also(cluster, view, find(view, "demo-4")[1]) == {
        **two,
        "demo-4": "https://10.0.0.4:2379",
    }


async def test_expecting_one_more_that_cannot_be() -> None:
    """It is expected already, or nobody can tell where it is."""
    sight = expecting({"demo-1": ONE, "demo-2": TWO})
    sight.demo.add(MemberName("demo-4"), "http://10.0.0.4:2379")
    cluster, view = await seen(sight)
    assert also(cluster, view, find(view, "demo-1")[1]) is None
    assert also(cluster, view, find(view, "demo-4")[1]) is None


async def test_where_a_listed_member_is_asked() -> None:
    """At its endpoint; else where the configuration says; else where it says itself."""
    sight = a_sight()
    sight.demo.add(MemberName("demo-4"), "https://10.0.0.4:2379")
    for member in sight.demo.members.values():
        member.client_url = member.client_url.replace("127.0.0.1:2382", "10.0.0.3:2379")
    cluster, view = await seen(expecting({"demo-1": ONE, "b": TWO}, sight=sight))
    assert as_listed(cluster, view) == {
        "demo-1": ONE,
        "demo-2": TWO,
        "demo-3": THREE,
        "demo-4": "https://10.0.0.4:2379",
    }


async def test_two_members_at_one_place() -> None:
    """One is configured where another says that it is: people have to say."""
    sight = expecting({"demo-1": ONE})
    sight.demo.members[MemberName("demo-3")].client_url = "https://10.0.0.3:2379"
    sight.demo.add(MemberName("demo-4"), THREE)
    cluster, view = await seen(sight)
    with pytest.raises(Refused, match=f"would be expected at {THREE}"):
        as_listed(cluster, view)


async def test_two_members_of_one_name() -> None:
    """The record goes by names."""
    sight = a_sight()
    sight.demo.members[MemberName("demo-2")].name = MemberName("demo-3")
    cluster, view = await seen(sight)
    with pytest.raises(Refused, match="Two members are called demo-3"):
        as_listed(cluster, view)


def test_the_configuration_comes_back() -> None:
    """A record that is gone leaves nothing of it behind."""
    cluster = a_sight().inventory.clusters[DEMO]
    recorded = cluster.expecting(Expected({MemberName("demo-1"): ONE}, 1, RunId("r-1")))
    assert recorded.configured == cluster.endpoints
    again = recorded.expecting(Expected())
    assert replace(again, without_record=None) == cluster
