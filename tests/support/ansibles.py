"""Ansible on a machine in memory, with the inventory of a cluster and a playbook that adds."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum

from bot.targets.etcd.model import Condition
from bot.targets.ssh.model import FakeMachine, Program, Say
from procedures.model.ansible import names_in
from procedures.model.ids import ClusterName, MemberName
from procedures.model.inventory import Ansible, Platform
from tests.support.theatre import Theatre

SECRET = "s3cret-of-ansible"  # noqa: S105 (no plan may hold it)
INVENTORY = "/etc/ansible/hosts"
PLAYBOOKS = "/usr/share/ansible/openshift-ansible"
PLAYBOOK = f"{PLAYBOOKS}/playbooks/openshift-etcd/scaleup.yml"


class Ends(StrEnum):
    """How the playbook ends."""

    WELL = "well"
    EARLY = "before it adds the member"
    HALF = "when it has added the member, and not started it"
    SILENT = "with status 0, and no member"
    DARK = "when quorum is lost"


def listing(*names: str) -> str:
    """An inventory with these in [etcd]."""
    hosts = "".join(f"{name} ansible_ssh_pass={SECRET}  # {name}\n" for name in names)
    return (
        "# Hosts of the cluster.\n"
        "[OSEv3:children]\nmasters\netcd\n\n"
        f"[OSEv3:vars]\nopenshift_master_password={SECRET}\n\n"
        "[masters]\nmaster-1.example.com\n\n"
        f"[etcd]\n{hosts}\n"
        "[nodes]\nmaster-1.example.com\n"
    )


def with_ansible(
    *names: str, on: str = "demo-2", text: str | None = None, ends: Ends = Ends.WELL
) -> Callable[[Theatre], None]:
    """Let a host have Ansible, and an inventory with these in [etcd]; all members if none.

    The playbook lets demo-4 be a member, or ends otherwise.
    """

    def act(theatre: Theatre) -> None:
        sight, demo = theatre.sight, ClusterName("demo")
        cluster = replace(
            sight.inventory.clusters[demo],
            platform=Platform.OKD3,
            ansible=Ansible(on, INVENTORY, PLAYBOOKS),
        )
        sight.inventory = replace(sight.inventory, clusters={demo: cluster})
        machine = sight.hosts.machines[on]
        listed = listing(*(names or sight.demo.members))
        machine.files.put(INVENTORY, listed if text is None else text, 0o600)
        machine.files.put(PLAYBOOK, "- import_playbook: ../init/main.yml\n")
        machine.files.put(f"{PLAYBOOKS}/ansible.cfg", "[defaults]\n")
        machine.programs["ansible-playbook"] = _version
        machine.programs["env"] = _playbook(theatre, ends)

    return act


async def _version(_: FakeMachine, __: Sequence[str], ___: bytes, say: Say) -> int:
    await say("ansible-playbook 2.9.27")
    await say("  config file = /etc/ansible/ansible.cfg")
    return 0


def _playbook(theatre: Theatre, ends: Ends) -> Program:
    """Like the real one it adds a voter, and fails where one is there already."""

    async def env(machine: FakeMachine, argv: Sequence[str], _: bytes, say: Say) -> int:
        assert list(argv[-4:-1]) == ["ansible-playbook", "-i", INVENTORY]
        listed = names_in(machine.files.text(INVENTORY), "new_etcd")
        await say(f"PLAY [Configure etcd on {', '.join(listed)}] ***")
        demo = theatre.sight.demo
        if ends is Ends.SILENT:
            return 0
        if ends is Ends.DARK:
            for name in ("demo-1", "demo-3"):
                demo.members[MemberName(name)].condition = Condition.STOPPED
            return 2
        if ends is Ends.EARLY or MemberName("demo-4") in demo.members:
            await say("fatal: [demo-4]: FAILED!")
            return 2
        member = demo.add(MemberName("demo-4"), "https://10.0.0.4:2379", started=False)
        member.peer_urls = ("https://10.0.0.4:2380",)
        await say("TASK [etcd : Add new etcd members to cluster] ***")
        if ends is Ends.HALF:
            return 2
        theatre.sight.hosts.machines["demo-4"].units["etcd.service"].start(
            theatre.sight.hosts.machines["demo-4"]
        )
        await say("PLAY RECAP ***")
        return 0

    return env
