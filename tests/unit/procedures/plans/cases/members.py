"""Changes of who is a member, and who is expected to be one."""

from tests.support.ansibles import with_ansible
from tests.support.certified import certified
from tests.support.masters import all_around
from tests.support.platforms import on_kubespray, with_api_servers, with_static_pods
from tests.unit.procedures.plans.case import Case
from tests.unit.procedures.plans.facts.hosts import barred, left_behind, unreached
from tests.unit.procedures.plans.facts.members import (
    added,
    bare_on_kubespray,
    both,
    down,
    forgotten,
    gone,
    learner,
    listed_as_local,
    never_started,
    recorded,
    spoilt_spare,
    two_unused,
    unbelieved,
    unclear,
    without_hosts,
)

ADD = {"name": "demo-4", "peer_url": "https://10.0.0.4:2380"}
FIX = {"member": "demo-1", "url": "https://10.0.0.1:2380"}

CASES = {
    "etcd-member-remove-failed": Case("etcd member remove", {"member": "demo-3"}, down("demo-3")),
    "etcd-member-remove-healthy": Case("etcd member remove", {"member": "demo-3"}),
    "etcd-member-remove-without-hosts": Case(
        "etcd member remove", {"member": "demo-3"}, without_hosts
    ),
    "etcd-member-remove-host-off": Case(
        "etcd member remove", {"member": "demo-3"}, unreached("demo-3", "demo-1")
    ),
    "etcd-member-remove-unused": Case("etcd member remove", {"member": "a004"}, never_started),
    "etcd-member-remove-the-unused": Case("etcd member remove", {"unused": True}, forgotten),
    "etcd-member-remove-to-one": Case(
        "etcd member remove", {"member": "demo-2", "to_one": True}, size=2
    ),
    "etcd-replace-failed": Case("etcd replace", {"member": "demo-3"}, down("demo-3")),
    "etcd-replace-healthy": Case("etcd replace", {"member": "demo-1", "with_": "demo-4"}),
    "etcd-scale-up": Case("etcd scale-up"),
    "etcd-scale-up-around": Case("etcd scale-up", {"host": "demo-4"}, all_around),
    "etcd-scale-up-from-one": Case("etcd scale-up", {"host": "demo-2"}, size=1),
    "etcd-scale-up-behind-a-firewall": Case("etcd scale-up", {}, barred("10.0.0.4", 2380)),
    "etcd-scale-up-kubespray": Case("etcd scale-up", {}, on_kubespray),
    "etcd-scale-up-api-servers": Case(
        "etcd scale-up", {}, with_api_servers("demo-1", "demo-4", calico=True)
    ),
    "etcd-member-remove-api-servers": Case(
        "etcd member remove", {"member": "demo-3"}, with_api_servers("demo-1", "demo-2")
    ),
    "etcd-member-remove-only-asked": Case(
        "etcd member remove",
        {"member": "demo-3"},
        with_api_servers("demo-1", "demo-2", urls=["https://127.0.0.1:2382"]),
    ),
    "etcd-replace-only-asked": Case(
        "etcd replace",
        {"member": "demo-3", "with_": "demo-4"},
        with_api_servers("demo-1", "demo-2", urls=["https://127.0.0.1:2382"]),
    ),
    "etcd-replace-api-servers": Case(
        "etcd replace", {"member": "demo-3", "with_": "demo-4"}, with_api_servers("demo-1")
    ),
    "etcd-scale-up-static-pods": Case("etcd scale-up", {}, with_static_pods),
    "etcd-scale-up-data-left": Case("etcd scale-up", {"host": "demo-4"}, left_behind),
    "etcd-scale-up-without-certificates": Case("etcd scale-up", {}, certified()),
    "etcd-scale-up-without-certificates-kubespray": Case("etcd scale-up", {}, bare_on_kubespray),
    "etcd-replace-without-certificates": Case(
        "etcd replace", {"member": "demo-3"}, both(certified(), down("demo-3"))
    ),
    "etcd-retire": Case("etcd retire", {"host": "demo-4"}),
    "etcd-member-remove-unexpected": Case(
        "etcd member remove", {"member": "demo-3"}, recorded(demo_1="https://127.0.0.1:2380")
    ),
    "etcd-expect": Case("etcd expect", {}, gone("demo-3")),
    "etcd-expect-given": Case(
        "etcd expect", {"members": "demo-2=https://a:2379,demo-1=https://b"}, down("demo-1")
    ),
    "etcd-expect-recorded": Case(
        "etcd expect",
        {},
        recorded(demo_1="https://127.0.0.1:2380", demo_9="https://10.0.0.9:2379"),
    ),
    "etcd-expect-not-believed": Case("etcd expect", {}, unbelieved),
    "etcd-member-fix-peer-url": Case("etcd member fix-peer-url", FIX, listed_as_local),
    "etcd-member-fix-peer-url-without-hosts": Case("etcd member fix-peer-url", FIX, without_hosts),
    "etcd-member-add-learner": Case("etcd member add", ADD),
    "etcd-member-add-voter": Case("etcd member add", {**ADD, "voter": True}),
    "etcd-member-promote": Case("etcd member promote", {"member": "demo-4"}, learner()),
    "etcd-member-remove-around": Case("etcd member remove", {"member": "demo-3"}, all_around),
    "etcd-replace-around": Case(
        "etcd replace", {"member": "demo-3", "with_": "demo-4"}, all_around
    ),
    "etcd-member-remove-in-ansible": Case(
        "etcd member remove", {"member": "demo-1"}, with_ansible()
    ),
    "etcd-replace-in-ansible": Case(
        "etcd replace", {"member": "demo-3", "with_": "demo-4"}, with_ansible()
    ),
    "etcd-scale-up-ansible": Case("etcd scale-up-ansible", {"host": "demo-4"}, with_ansible()),
    "etcd-scale-up-in-ansible": Case("etcd scale-up", {}, with_ansible()),
}

REFUSALS = {
    "a spare without a name in its certificate": (
        Case("etcd replace", {"member": "demo-3"}, spoilt_spare(names=("10.0.0.4",))),
        r"demo-4 cannot get a member: /etc/etcd/peer\.crt: not for demo-4 \(R17\), and no new ones",
    ),
    "a spare whose peer certificate is no client's": (
        Case("etcd replace", {"member": "demo-3"}, spoilt_spare(purposes=("server",))),
        r"demo-4 cannot get a member: /etc/etcd/peer\.crt: not good as client \(R17\), and no new",
    ),
    "a spare with a foreign key": (
        Case("etcd replace", {"member": "demo-3"}, spoilt_spare(key="demo-9")),
        r"/etc/etcd/peer\.crt: /etc/etcd/peer\.key is another's key \(R17\), and no new ones can",
    ),
    "to expect who is expected": (
        Case("etcd expect"),
        r"expected members of demo are demo-1, demo-2, demo-3 already\. There is nothing to do",
    ),
    "to expect whom nobody lists": (
        Case("etcd expect", {}, down("demo-2", "demo-3")),
        r"No member of demo has quorum behind it, .* \(R14\)",
    ),
    "to expect who never started": (
        Case("etcd expect", {}, added("demo-4", started=False)),
        r"Member a004, peer https://demo-4.invalid:2380, was added and has never started",
    ),
    "to expect who is nowhere": (
        Case("etcd expect", {}, added("demo-4", url="http://10.0.0.9:2379")),
        r"demo-4 says that it is at http://10.0.0.9:2379, and is to be asked by https",
    ),
    "to expect what is no URL": (
        Case("etcd expect", {"members": "demo-1=https://a:2379,demo-2=http://b:2379"}),
        r"'demo-2=http://b:2379' does not say who is where\. Write each member once, as NAME=https",
    ),
    "to expect one member twice": (
        Case("etcd expect", {"members": "demo-1=https://a:2379,demo-1=https://b:2379"}),
        r"'demo-1=https://b:2379' does not say who is where",
    ),
    "to expect two at one place": (
        Case("etcd expect", {"members": "demo-1=https://a:2379,demo-2=https://a:2379"}),
        r"Two of these members have the same URL",
    ),
    "an unused one where there is none": (
        Case("etcd member remove", {"unused": True}, down("demo-3")),
        r"No member of demo is unused: each has started, and answers, or is expected",
    ),
    "two unused ones": (
        Case("etcd member remove", {"unused": True}, two_unused),
        r"2 members are unused, .* \(R5\): .*\(a004\), .*; demo-9 \(a005\), .*: it is down, .*a005",
    ),
    "an unused one that may live": (
        Case("etcd member remove", {"unused": True}, unclear),
        r"Nobody can tell whether demo-9 is down",
    ),
    "an unused one and another": (
        Case("etcd member remove", {"unused": True, "member": "demo-1"}),
        r"Say which member is to go, by name or id; or --unused alone",
    ),
    "nobody at all": (Case("etcd member remove"), r"or --unused alone"),
    "a healthy one while another is down": (
        Case("etcd member remove", {"member": "demo-3"}, down("demo-2")),
        r"it would leave 1 healthy of 2, quorum 2 \(R2\)\. Bring demo-2 back first",
    ),
    "without quorum": (
        Case("etcd member remove", {"member": "demo-3"}, down("demo-2", "demo-3")),
        r"0 healthy of 3, quorum 2: no change can be committed \(R14\)\. Bring demo-2 and demo-3",
    ),
    "a pair to one": (
        Case("etcd member remove", {"member": "demo-2"}, size=2),
        r"a single member, which may not fail \(R2\)\. Say --to-one",
    ),
    "the only one": (
        Case("etcd member remove", {"member": "demo-1"}, size=1),
        r"demo-1 is the only voter \(R2\)",
    ),
    "nobody of that name": (
        Case("etcd member remove", {"member": "demo-4"}),
        r"There is no member 'demo-4'",
    ),
    "a second voter": (
        Case("etcd member add", {**ADD, "voter": True}, size=1),
        r"a second voter would stop all writes until it starts: add a learner \(R6\)",
    ),
    "a second learner": (
        Case("etcd member add", {**ADD, "name": "demo-5"}, learner()),
        r"demo-4 is still a learner: finish that change first \(R5\)",
    ),
    "an addition while one is down": (
        Case("etcd member add", ADD, down("demo-2")),
        r"demo-2 must be healthy first \(R3\)",
    ),
    "a peer URL that is taken": (
        Case("etcd member add", {**ADD, "peer_url": "https://demo-2.invalid:2380"}),
        r"https://demo-2\.invalid:2380 is the peer URL of demo-2 already",
    ),
    "a name that is taken": (
        Case("etcd member add", {**ADD, "name": "demo-2"}),
        r"demo-2 is the name of member a002 \(healthy\) already",
    ),
    "the name of a dead one": (
        Case("etcd member add", {**ADD, "name": "demo-2"}, down("demo-2")),
        r"member a002 \(down\) already\. Remove that one first \(R4\)",
    ),
    "a name that is none": (
        Case("etcd member add", {**ADD, "name": "a=b,c"}),
        r"'a=b,c' is no name for a member",
    ),
    "the promotion of a voter": (
        Case("etcd member promote", {"member": "demo-2"}),
        r"demo-2 is a voter already \(R6\)",
    ),
    "the promotion of one that lags": (
        Case("etcd member promote", {"member": "demo-4"}, learner(behind=200)),
        r"demo-4 is at entry 300 of the leader's 500, and has to be at 90 % \(R6\)",
    ),
    "a peer URL without quorum": (
        Case("etcd member fix-peer-url", FIX, down("demo-2", "demo-3")),
        r"no quorum \(R14\): no change of its members can be committed",
    ),
    "the peer URL of a learner": (
        Case("etcd member fix-peer-url", {**FIX, "member": "demo-4"}, learner()),
        r"demo-4 \(a004\) is a learner \(R6\).* Promote it first, or remove it\.",
    ),
    "a restart beside a dead one": (
        Case("etcd restart", {"member": "demo-1"}, down("demo-2")),
        r"leave 1 healthy of 3, quorum 2 \(R10\)\. Bring the others back first\.",
    ),
    "no URL": (
        Case("etcd member fix-peer-url", {"member": "demo-1", "url": "10.0.0.1"}),
        r"'10.0.0.1' is no peer URL\. Write https://HOST:PORT",
    ),
}
