"""Ansible's inventory: whose line is whose, and what changes in it. (P48, P52; X15, X18, X19)"""

import pytest

from procedures.model.ansible import Known, announced, members_changed, names_in, shown, spelt

INVENTORY = """\
# Ours since 2018; ask the platform team.
lb.example.com
[OSEv3:children]
masters
nodes
etcd

[OSEv3:vars]
ansible_ssh_user=root
openshift_master_identity_providers=[{'name': 'it's not a host', 'password': 'secret'}]

[masters]
master-1.example.com ansible_host=10.0.0.21

[etcd]  # an odd number
; the first one signs
etcd-1 ansible_host=10.0.0.1
etcd-10 ansible_host=10.0.0.10 ansible_ssh_pass="s3 cret"  # on loan
etcd-11:2222

# workers
[nodes]
etcd-1 openshift_node_group_name='node-config-infra'
node-1.example.com
"""

ETCD_1 = Known("etcd-1", frozenset({"etcd-1", "10.0.0.1", "one.example.com"}))
ETCD_10 = Known("etcd-10", frozenset({"etcd-10", "10.0.0.10"}))
ETCD_11 = Known("etcd-11", frozenset({"etcd-11", "10.0.0.11"}))
NEW = Known("etcd-4", frozenset({"etcd-4", "10.0.0.4"}))


def changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """Lines that went, and lines that came."""
    old, new = before.split("\n"), after.split("\n")
    return [each for each in old if each not in new], [each for each in new if each not in old]


def test_who_leaves_is_the_one_of_that_very_name() -> None:
    """Its line goes from the group of etcd; one that begins so stays, and so do comments. (X19)"""
    after = members_changed(INVENTORY, ["-etcd-1"])
    assert names_in(after, "etcd") == ("etcd-10", "etcd-11")
    assert changed(INVENTORY, after) == (["etcd-1 ansible_host=10.0.0.1"], [])
    assert "etcd-1 openshift_node_group_name" in after
    assert members_changed(after, ["-etcd-1"]) == after


def test_who_is_replaced_goes_and_the_other_comes() -> None:
    """Whoever is not meant stays as it is. (X15)"""
    after = members_changed(INVENTORY, ["-etcd-10", "+etcd-4 ansible_host=10.0.0.4"])
    assert names_in(after, "etcd") == ("etcd-1", "etcd-11", "etcd-4")
    assert after.index("etcd-4 ansible_host") < after.index("# workers")
    assert members_changed(after, ["-etcd-10", "+etcd-4"]) == after


def test_a_new_one_has_a_group_of_its_own_and_then_moves() -> None:
    """With its variables; the group stays, empty, for the next."""
    first = announced(INVENTORY, ["etcd-4 ansible_host=10.0.0.4"])
    assert names_in(first, "new_etcd") == ("etcd-4",)
    assert names_in(first, "etcd") == names_in(INVENTORY, "etcd")
    assert first.startswith(INVENTORY[: INVENTORY.index("etcd\n")] + "etcd\nnew_etcd\n")
    assert announced(first, ["etcd-4"]) == first
    own = first.replace("10.0.0.4", "10.0.0.4 etcd_ip=10.1.0.4")
    then = members_changed(own, ["+etcd-4"])
    assert "etcd-11:2222\netcd-4 ansible_host=10.0.0.4 etcd_ip=10.1.0.4\n" in then
    assert names_in(then, "new_etcd") == ()
    again = announced(then, ["etcd-5"])
    assert (names_in(again, "new_etcd"), again.count("new_etcd")) == (("etcd-5",), 2)
    with pytest.raises(ValueError, match=r"\[etcd\] lists etcd-4 already"):
        announced(then, ["etcd-4"])


@pytest.mark.parametrize(
    ("host", "names"),
    [(ETCD_1, ("etcd-1",)), (ETCD_10, ("etcd-10",)), (ETCD_11, ("etcd-11",)), (NEW, ())],
)
def test_whose_line_is_whose(host: Known, names: tuple[str, ...]) -> None:
    """By its name or its address, never by a part of them; a port is no part of a name."""
    others = [each for each in (ETCD_1, ETCD_10, ETCD_11, NEW) if each != host]
    assert spelt(INVENTORY, host, others) == names


def test_a_line_that_may_be_two_hosts() -> None:
    """Nobody guesses."""
    text = INVENTORY.replace("etcd-1 ansible_host=10.0.0.1\n", "etcd-1 ansible_host=10.0.0.10\n")
    with pytest.raises(ValueError, match="etcd-1 may be etcd-1 and etcd-10"):
        spelt(text, ETCD_1, [ETCD_10])


def test_by_another_name() -> None:
    """The address that goes with a name may stand in another group."""
    text = "[etcd]\nq.example.com\n[nodes]\nq.example.com ansible_ssh_host=10.0.0.4\n"
    assert spelt(text, NEW, [ETCD_1]) == ("q.example.com",)


def test_no_plan_shows_a_variable() -> None:
    """It may be a password; an address is none. (X18)"""
    text = shown(INVENTORY)
    assert "etcd-10 ansible_host=10.0.0.10 ansible_ssh_pass=…\n" in text
    assert "s3 cret" not in text
    odd = "[etcd]\ne ansible_ssh_pass=a\\ b'c d'\"e\" # was f\n"
    assert shown(odd) == "[etcd]\ne ansible_ssh_pass=…\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("---\nall:\n  hosts:\n", "it is YAML"),
        ("#!/bin/sh\necho {}\n", "it is a program"),
        ("[nodes]\nx\n", r"no section \[etcd\]"),
        ("[etcd]\netcd-[1:3]\n", r"\[etcd\] has the range etcd-\[1:3\]: list its hosts one by one"),
        ("[etcd]\nx y='\n", "its line 2 cannot be read"),
    ],
)
def test_what_cannot_be_edited(text: str, why: str) -> None:
    """It is said, and nothing is made of it."""
    with pytest.raises(ValueError, match=why):
        members_changed(text, ["+etcd-4"])


def test_without_a_place_for_a_new_group() -> None:
    """Every group of OpenShift 3 is one of these."""
    with pytest.raises(ValueError, match=r"no section \[OSEv3:children\]"):
        announced("[etcd]\nx\n", ["etcd-4"])


def test_the_last_line_may_have_no_end() -> None:
    """Nothing is glued to it."""
    assert members_changed("[etcd]\nx", ["+y"]) == "[etcd]\nx\ny"
    assert members_changed("[etcd]\r\nx\r\n[b]\r\n", ["-x"]) == "[etcd]\r\n[b]\r\n"
