"""Certificates, restarts, and what is done about hosts and those who ask etcd."""

from procedures.model.inventory import Platform
from tests.support.certified import certified
from tests.support.expired import expired
from tests.support.furnishing import short_of_entropy, unkept
from tests.support.kube_clients import kube_clients
from tests.support.masters import with_flannel, with_masters
from tests.support.rhel import on_rhel
from tests.unit.procedures.plans.case import Case
from tests.unit.procedures.plans.facts.data import without_space
from tests.unit.procedures.plans.facts.hosts import far_off, in_vain, without_service
from tests.unit.procedures.plans.facts.members import down

GONE = ("https://demo-1:2380", "https://demo-3:2382", "https://demo-10:2379")

CASES = {
    "host-clock-fix": Case("host clock fix", {}, unkept),
    "host-entropy-fix": Case("host entropy fix", {}, short_of_entropy),
    "etcd-certs-renew": Case("etcd certs renew", {}, certified()),
    "etcd-certs-renew-kubespray": Case(
        "etcd certs renew", {"host": "demo-2", "days": "365"}, certified(Platform.KUBESPRAY)
    ),
    "etcd-certs-renew-clients": Case(
        "etcd certs renew",
        {"host": "demo-1"},
        certified(Platform.KUBESPRAY, kube_clients("demo-1")),
    ),
    "etcd-member-remove-signer": Case("etcd member remove", {"member": "demo-1"}, certified()),
    "etcd-certs-renew-expired": Case("etcd certs renew", {}, expired()),
    "etcd-certs-renew-expired-peers": Case(
        "etcd certs renew",
        {},
        expired("demo-1", "demo-3", platform=Platform.OCP311, only=("peer",)),
    ),
    "etcd-certs-renew-one-expired": Case("etcd certs renew", {}, expired("demo-3")),
    "etcd-certs-issue": Case("etcd certs issue", {"host": "demo-4"}, certified()),
    "etcd-restart": Case("etcd restart"),
    "etcd-restart-one-down": Case("etcd restart", {}, down("demo-3")),
    "etcd-restart-outage": Case("etcd restart", {"outage": True}, size=1),
    "etcd-move-leader": Case("etcd move-leader"),
    "master-restart": Case("master restart", {}, with_masters("demo-1", "demo-4")),
    "master-restart-one": Case(
        "master restart", {"host": "demo-4"}, with_masters("demo-1", "demo-4", pods=True)
    ),
    "master-set-etcd-urls": Case(
        "master set-etcd-urls", {}, with_masters("demo-1", "demo-2", urls=GONE)
    ),
    "master-set-etcd-urls-pods": Case(
        "master set-etcd-urls", {}, with_masters("demo-4", urls=GONE, pods=True)
    ),
    "host-flannel-set-endpoints": Case(
        "host flannel set-endpoints", {}, with_flannel("demo-1", "demo-4", urls=GONE)
    ),
    "host-rhsm-update": Case("host rhsm-update", {}, on_rhel()),
    "host-rhsm-update-unregistered": Case(
        "host rhsm-update", {}, on_rhel(unregistered=("demo-2",), without_channels=("demo-3",))
    ),
    "etcd-move-leader-alarm": Case("etcd move-leader", {}, without_space()),
    "etcd-move-leader-to": Case("etcd move-leader", {"to": "demo-3"}),
}

REFUSALS = {
    "to start what sets a clock by seconds": (
        Case("host clock fix", {"host": "demo-2"}, far_off),
        r"demo-1 is 12\.00 s ahead of demo-2, .* \(R18\)\. A time service that starts may set",
    ),
    "to keep clocks right that are": (
        Case("host clock fix"),
        r"The clocks of demo are synchronised\. There is nothing to start",
    ),
    "to keep a clock right without a service": (
        Case("host clock fix", {}, without_service),
        r"demo-2 is not synchronised, and of its time services none is installed: install chrony",
    ),
    "to start what runs": (
        Case("host clock fix", {}, in_vain),
        r"demo-2 is not synchronised, and of its time services ntpd\.service runs already",
    ),
    "entropy where there is enough": (
        Case("host entropy fix", {"host": "demo-1"}, short_of_entropy),
        r"demo-1 has enough entropy\. There is nothing to start",
    ),
    "a host that is none": (
        Case("host entropy fix", {"host": "demo-9"}, short_of_entropy),
        r"There is no host 'demo-9'",
    ),
    "leadership to the one that leads": (
        Case("etcd move-leader", {"to": "demo-1"}),
        r"demo-1 \(a001\) leads already\. There is nothing to do",
    ),
    "leadership to a dead one": (
        Case("etcd move-leader", {"to": "demo-2"}, down("demo-2")),
        r"demo-2 is down, and only a healthy voter leads \(R9\)\. Name a healthy voter",
    ),
    "leadership without quorum": (
        Case("etcd move-leader", {}, down("demo-2", "demo-3")),
        r"Nobody leads demo now \(R9\)",
    ),
    "leadership of the only one": (
        Case("etcd move-leader", size=1),
        r"demo-1 is the only voter \(R9\)",
    ),
}
