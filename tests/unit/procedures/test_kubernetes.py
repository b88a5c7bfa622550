"""API servers of Kubernetes and a changed membership: people are told, and it is checked."""

import pytest

from procedures.model.kubernetes import MANIFEST, PATHS, etcd_urls
from procedures.model.plan import Plan
from procedures.model.run import State
from tests.support.platforms import on_kubespray, with_api_servers, write_urls
from tests.support.theatre import Theatre, a_theatre
from tests.unit.procedures.plans.case import Case, Facts, made, planned

ONE, TWO, THREE = (f"https://127.0.0.1:{port}" for port in (2380, 2381, 2382))
REMOVE = ("etcd member remove", {"member": "demo-3"})


async def plan_of(
    facts: Facts, procedure: str = REMOVE[0], args: dict[str, str] | None = None
) -> Plan:
    return await planned(made(Case(procedure, REMOVE[1] if args is None else args, facts)))


def asks(plan: Plan) -> list[str]:
    return [step.command for step in plan.steps if step.action == "person.ask/1"]


async def approved() -> Theatre:
    theatre = a_theatre(*REMOVE)
    with_api_servers("demo-1", "demo-2")(theatre)
    await theatre.approved()
    await theatre.work()
    return theatre


async def test_the_run_waits_until_the_manifests_list_the_members() -> None:
    """The change is made, people are asked; a word that is not so is answered with what lacks."""
    theatre = await approved()
    assert theatre.run.asked is not None, theatre.run.error
    assert "demo-3" not in theatre.members()
    write_urls(theatre, "demo-1", (TWO, ONE))
    theatre.report()
    await theatre.work()
    assert theatre.run.asked is not None
    assert f"on demo-2 says --etcd-servers={ONE},{TWO},{THREE}" in str(theatre.run.asked.missing)
    assert "demo-1" not in str(theatre.run.asked.missing)
    write_urls(theatre, "demo-2", (ONE, TWO))
    theatre.report()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error


async def test_a_host_that_does_not_answer_when_it_is_looked_at() -> None:
    """Nobody can tell then: people are asked again, with why."""
    theatre = await approved()
    theatre.sight.hosts.machines["demo-2"].cut_off()
    theatre.report()
    await theatre.work()
    assert theatre.run.asked is not None
    assert "demo-2 (10.0.0.2) cannot be reached" in str(theatre.run.asked.missing)


async def test_an_api_server_that_is_gone_asks_nobody() -> None:
    """A host of Kubernetes may go with its member, and what is left to do there is done."""
    theatre = a_theatre(*REMOVE)
    with_api_servers("demo-1", "demo-3")(theatre)
    await theatre.approved()
    await theatre.work()
    write_urls(theatre, "demo-1", (ONE, TWO))
    theatre.sight.hosts.machines["demo-3"].files.remove(MANIFEST)
    theatre.report()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert theatre.units()["demo-3"][0] == "inactive"


async def test_nobody_is_asked_where_the_list_is_right() -> None:
    """Also in another order; and nothing is said of clients that nobody tells."""
    plan = await plan_of(with_api_servers("demo-1", urls=(TWO, ONE)))
    assert asks(plan) == []
    assert "API servers" not in " ".join(plan.facts)


async def test_without_a_manifest_a_fact_says_so() -> None:
    """API servers are elsewhere, then."""
    plan = await plan_of(on_kubespray)
    assert asks(plan) == []
    assert f"API servers and other clients go on asking {THREE}" in " ".join(plan.facts)


async def test_who_would_have_nobody_left_to_ask_is_told_before() -> None:
    """A healthy member goes only when its API servers ask another one; a dead one at once."""
    plan = await plan_of(with_api_servers("demo-1", urls=(THREE,)))
    kinds = [step.action for step in plan.steps]
    assert kinds.index("person.ask/1") < kinds.index("etcd.remove-member/1")
    assert len(asks(plan)) == 1


async def test_a_silent_host_is_named() -> None:
    """It may run an API server too."""

    def facts(theatre: Theatre) -> None:
        with_api_servers("demo-1", "demo-2")(theatre)
        theatre.sight.hosts.machines["demo-3"].cut_off()

    plan = await plan_of(facts)
    assert "Nobody can tell whom an API server on demo-3 asks" in " ".join(plan.facts)
    [command] = asks(plan)
    assert f"In {MANIFEST} on demo-1 and demo-2: --etcd-servers={ONE},{TWO}\n" in command


async def test_a_list_that_cannot_be_read() -> None:
    """It is said, and left to people."""

    def facts(theatre: Theatre) -> None:
        with_api_servers("demo-1")(theatre)
        theatre.sight.hosts.machines["demo-1"].files.put(MANIFEST, "apiVersion: v1\n")

    plan = await plan_of(facts)
    assert asks(plan) == []
    assert f"Nobody can tell from {MANIFEST} on demo-1 which etcd" in " ".join(plan.facts)


@pytest.mark.parametrize(
    ("path", "text", "urls"),
    [
        (
            MANIFEST,
            "    - --etcd-servers=https://a:1,https://b:1\n",
            ("https://a:1", "https://b:1"),
        ),
        (MANIFEST, "    - '--etcd-servers=https://a:1'  # ours\n", ("https://a:1",)),
        (MANIFEST, "    - --etcd-servers-overrides=/events#https://a:1\n", None),
        (MANIFEST, "    # - --etcd-servers=https://a:1\n", None),
        (MANIFEST, "    - --etcd-servers=https://a:1\n    - --etcd-servers=https://b:1\n", None),
        (PATHS[1], '{"etcd_endpoints":"https://a:1,https://b:1"}', ("https://a:1", "https://b:1")),
        (PATHS[1], '{"datastore_type": "kubernetes"}', None),
    ],
)
def test_the_list_in_a_file(path: str, text: str, urls: tuple[str, ...] | None) -> None:
    """Only a list that is there once, whatever stands around it."""
    assert etcd_urls(path, text) == urls
