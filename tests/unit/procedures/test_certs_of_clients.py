"""Certificates of clients on hosts of kubespray's: renewed with the member's, taken by people."""

from procedures.catalogue import PROCEDURES
from procedures.engine.draft import draft
from procedures.model import certificate
from procedures.model.certificate import Leaf
from procedures.model.inventory import Platform
from procedures.model.run import State
from tests.support.certified import certified
from tests.support.expired import expired
from tests.support.kube_clients import COPY, SSL, KubeClients, kube_clients
from tests.support.openssl_ca import Wanted, cert
from tests.support.sight import FakeSight
from tests.support.theatre import Theatre, a_theatre

NODE = f"{SSL}/node-demo-2.pem"


def made(found: dict[str, KubeClients]) -> Theatre:
    theatre = a_theatre("etcd certs renew", {"host": "demo-2"})
    certified(Platform.KUBESPRAY, kube_clients("demo-2", found=found))(theatre)
    return theatre


def leaf(theatre: Theatre, path: str) -> Leaf:
    found = certificate.read(theatre.sight.hosts.machines["demo-2"].files.file(path).content)
    assert found is not None
    return found


async def facts(theatre: Theatre) -> str:
    plan = await draft(PROCEDURES["etcd certs renew"], theatre.run.request, theatre.sight)
    return "\n".join(plan.facts)


async def missing(theatre: Theatre) -> str | None:
    """What is still missing when somebody says that it is done; None: the run is over."""
    theatre.report()
    await theatre.work()
    if theatre.run.asked is None:
        assert theatre.run.state is State.SUCCEEDED, theatre.run.error
        return None
    return theatre.run.asked.missing


async def test_it_is_renewed_and_people_let_others_take_it() -> None:
    """Said to be done is not enough: each is looked at, and what is missing is said."""
    found: dict[str, KubeClients] = {}
    theatre = made(found)
    before = leaf(theatre, NODE)
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.WAITING_FOR_A_PERSON, theatre.run.error
    assert leaf(theatre, NODE).key != before.key
    assert leaf(theatre, COPY[0]) == before
    assert await missing(theatre) == (
        f"{COPY[0]} on demo-2 is not the new certificate yet. "
        f"kube-apiserver on demo-2 was started before {NODE} was put there."
    )
    found["demo-2"].copy()
    assert await missing(theatre) == (
        f"kube-apiserver on demo-2 was started before {NODE} was put there."
    )
    found["demo-2"].restart()
    assert await missing(theatre) is None


async def test_nobody_is_asked_where_no_client_is() -> None:
    """The certificate is renewed all the same."""
    theatre = a_theatre("etcd certs renew", {"host": "demo-2"})
    certified(Platform.KUBESPRAY)(theatre)
    before = leaf(theatre, NODE)
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert leaf(theatre, NODE).ends_s > before.ends_s


async def test_those_that_have_cost_the_quorum_too() -> None:
    """First the cluster serves again; then people are asked."""
    theatre = a_theatre("etcd certs renew", {})
    expired(platform=Platform.KUBESPRAY, but=kube_clients("demo-1", "demo-2"))(theatre)
    plan = await draft(PROCEDURES["etcd certs renew"], theatre.run.request, theatre.sight)
    assert [each.title for each in plan.steps[-3:]] == [
        "Check that the cluster takes writes",
        "Let Calico and the API server on demo-1 take the new certificate",
        "Let Calico and the API server on demo-2 take the new certificate",
    ]


async def test_those_of_other_hosts_stay() -> None:
    """With the day on which each ends; one of another CA is nobody's here either."""

    def others(sight: FakeSight) -> None:
        files = sight.hosts.machines["demo-2"].files
        for name in ("demo-7", "demo-8"):
            files.put(f"{SSL}/node-{name}.pem", cert(Wanted(name, (name,)), name))
        own = Wanted("demo-2", ("10.0.0.2", "demo-2"))
        files.put(NODE, cert(own, f"demo-2 {SSL}/node-demo-2-key.pem", by="another"))

    theatre = a_theatre("etcd certs renew", {"host": "demo-2"})
    certified(Platform.KUBESPRAY, others)(theatre)
    said = await facts(theatre)
    assert (
        "demo-2: certificates of other clients lie there too, and stay: node-demo-2.pem ends "
        "2050-01-01, node-demo-7.pem ends 2050-01-01, node-demo-8.pem ends 2050-01-01." in said
    )
    assert "node-demo-2.pem; the new one" not in said
