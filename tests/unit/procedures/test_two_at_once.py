"""What is not begun while Ansible works on the same cluster. (R22)"""

import re

import pytest

from procedures.catalogue import PROCEDURES
from procedures.model.ansible import PLAYBOOK_RUNS
from procedures.model.errors import Refused
from procedures.model.plan import Risk
from procedures.model.run import State
from tests.support.ansibles import with_ansible
from tests.support.theatre import Theatre
from tests.unit.procedures.plans.case import Case, made, planned
from tests.unit.procedures.test_scale_up_ansible import busy

CHANGING = [name for name, each in PROCEDURES.items() if each.risk is not Risk.READ_ONLY]
MEMBER = {"member": "demo-3"}
ARGS = {
    **{f"etcd {verb}": MEMBER for verb in ("member remove", "member promote", "replace")},
    **{f"etcd {verb}": MEMBER for verb in ("replace-corrupt", "restore config")},
    "etcd member fix-peer-url": {**MEMBER, "url": "https://10.0.0.3:2380"},
    "etcd member add": {"name": "demo-4", "peer_url": "https://10.0.0.4:2380"},
    "etcd certs issue": {"host": "demo-4"},
    "etcd retire": {"host": "demo-4"},
}


def while_it_plays(procedure: str) -> Theatre:
    theatre = made(Case(procedure, ARGS.get(procedure, {}), with_ansible()))
    busy(theatre)
    return theatre


@pytest.mark.parametrize("procedure", CHANGING)
async def test_nothing_is_changed_while_a_playbook_runs(procedure: str) -> None:
    """It knows no lock of ours, and writes the same files."""
    with pytest.raises(Refused, match=r"^A playbook runs on demo-2 \(R22\)\. Ask again when"):
        await planned(while_it_plays(procedure))


async def test_a_backup_is_taken_all_the_same() -> None:
    """It changes nothing."""
    theatre = while_it_plays("etcd backup")
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error


async def test_a_silent_host_of_ansible_stands_against_nothing() -> None:
    """A member is removed because hosts are off; that of Ansible may be one of them."""
    theatre = while_it_plays("etcd member remove")
    theatre.sight.hosts.machines["demo-2"].cut_off()
    assert (await planned(theatre)).steps


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("/usr/bin/python2 /usr/bin/ansible-playbook -i hosts playbooks/deploy_cluster.yml", True),
        ("ansible-playbook site.yaml --limit etcd", True),
        ("ansible-playbook --version", False),
        ("less /var/log/ansible-playbook.log", False),
    ],
)
def test_what_counts_as_a_playbook_that_runs(line: str, found: bool) -> None:
    """As pgrep looks for it: neither a question for the version, nor a log that somebody reads."""
    assert bool(re.search(PLAYBOOK_RUNS[-1], line)) is found
