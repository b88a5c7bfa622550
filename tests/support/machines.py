"""Machines in memory on which members of a fake cluster live."""

from bot.targets.etcd.model import Condition, FakeCluster
from bot.targets.ssh.model import FakeMachine, FakeUnit
from procedures.model.ids import MemberName


def live_on(machine: FakeMachine, cluster: FakeCluster, member: MemberName) -> FakeUnit:
    """Give a machine an `etcd.service` that is a member's process, and its files.

    The unit is what counts: the member runs while it does. Whoever is no member, or not any more,
    has a unit that changes nothing in the cluster.
    """

    def started(_: FakeMachine) -> None:
        if member in cluster.members:
            cluster.members[member].started = True
            cluster.members[member].condition = Condition.RUNNING

    def stopped(_: FakeMachine) -> None:
        if member in cluster.members:
            cluster.members[member].condition = Condition.STOPPED

    machine.files.put("/etc/etcd/etcd.conf", f"ETCD_NAME={member}\n")
    machine.files.folder("/var/lib/etcd", 0o700)
    runs = member in cluster.members and cluster.members[member].works
    unit = FakeUnit(active="active" if runs else "inactive", on_start=started, on_stop=stopped)
    machine.units["etcd.service"] = unit
    return unit
