"""What plans say of an Ansible inventory, and what they never show of it."""

import re

import pytest

from tests.support.ansibles import SECRET, with_ansible
from tests.unit.procedures.plans.case import Case, made, planned
from tests.unit.procedures.plans.cases.members import CASES
from tests.unit.procedures.plans.facts.hosts import unreached

UNEDITED: dict[str, tuple[str | None, str]] = {
    "YAML": ("---\nall: {}\n", "because it is YAML, and only INI files are edited."),
    "a range": ("[etcd]\ndemo-[1:3]\n", r"because \[etcd\] has the range demo-\[1:3\]"),
    "an address of another": (
        "[etcd]\ndemo-3 ansible_host=10.0.0.2\n",
        "because demo-3 may be demo-2 and demo-3.",
    ),
    "a host that is off": (None, "because demo-2 does not answer."),
}


@pytest.mark.parametrize("name", UNEDITED)
async def test_an_inventory_that_cannot_be_edited(name: str) -> None:
    """It stays, the removal goes on, and people are told what to do."""
    text, why = UNEDITED[name]
    theatre = made(Case("etcd member remove", {"member": "demo-3"}, with_ansible(text=text)))
    if text is None:
        unreached("demo-2")(theatre)
    plan = await planned(theatre)
    (fact,) = [each for each in plan.facts if "/etc/ansible/hosts" in each]
    assert re.match(rf"/etc/ansible/hosts on demo-2 stays, {why}", fact)
    assert fact.endswith(" Take demo-3 out of [etcd] by hand.")
    assert not any("Ansible" in step.title for step in plan.steps)


async def test_no_password_of_an_inventory_is_in_a_plan() -> None:
    """Neither those of lines that change nor any other. (X18)"""
    plan = await planned(made(CASES["etcd-replace-in-ansible"]))
    assert any("demo-3 ansible_ssh_pass=…" in step.command for step in plan.steps)
    assert SECRET not in repr(plan)
