"""Ansible on a host of a testbed, with the inventory of a cluster and a playbook that adds."""

from collections.abc import Sequence

from procedures.model.inventory import Ansible
from tests.testbed.bed import Testbed
from tests.testbed.flavours.flavour import FILES

PLAYBOOK = "usr/share/ansible/openshift-ansible/playbooks/openshift-etcd/scaleup.yml"

_INVENTORY = """\
# Who is where; ask before you change it.
[OSEv3:children]
masters
etcd

[OSEv3:vars]
openshift_master_htpasswd_users={'admin': 'of-nobody'}

[masters]
master-1.example.com

[etcd]
"""


def have_ansible(bed: Testbed, name: str, members: Sequence[str]) -> Ansible:
    """Let a member's host have Ansible, whose inventory lists these by name and address."""
    machine = bed[name].machine
    lines = [f"{each} ansible_host={bed[each].address}\n" for each in members]
    machine.write("etc/ansible/hosts", f"{_INVENTORY}{''.join(lines)}\n[nodes]\n", mode=0o640)
    script = (FILES / "ansible-playbook").read_text()
    machine.write("usr/bin/ansible-playbook", script, mode=0o755)
    machine.write(PLAYBOOK, "- import_playbook: ../init/main.yml\n")
    machine.write("root/.ssh/id_ed25519", bed.access.key.read_text(), mode=0o600)
    machine.write("root/.ssh/known_hosts", bed.access.known_hosts.read_text(), mode=0o600)
    return Ansible(name)
