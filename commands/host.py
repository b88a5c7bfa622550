"""What people may ask of the machines of clusters."""

from commands.registry import (
    CLUSTER_FLAG,
    OUTAGE_SWITCH,
    PLAN_SWITCH,
    REASON_FLAG,
    Command,
    Group,
    Kind,
    Parameter,
)
from procedures.host import clock, clock_fix, disk, entropy, entropy_fix, flannel, rhsm_update

_WHICH = (Parameter("cluster", Kind.CLUSTER, "whose hosts"), CLUSTER_FLAG)
_FIX = (
    Parameter("host", Kind.TEXT, "only this one"),
    REASON_FLAG,
    PLAN_SWITCH,
    CLUSTER_FLAG,
)

GROUP = Group(
    "host",
    "The machines of clusters: clocks, disks, entropy, Flannel, packages",
    (
        Command(
            ("host", "clock"),
            "how far the clocks are apart, and whether a time service keeps them right",
            _WHICH,
            procedure=clock.INQUIRY.name,
        ),
        Command(
            ("host", "clock", "fix"),
            "switch time services on where clocks are not kept right",
            _FIX,
            procedure=clock_fix.PROCEDURE.name,
        ),
        Command(
            ("host", "disk"),
            "room on the system's disks and on etcd's, and how much etcd takes",
            _WHICH,
            procedure=disk.INQUIRY.name,
        ),
        Command(
            ("host", "entropy"),
            "whether there is enough, where the kernel can run out of it",
            _WHICH,
            procedure=entropy.INQUIRY.name,
        ),
        Command(
            ("host", "entropy", "fix"),
            "switch rngd on where there is too little",
            _FIX,
            procedure=entropy_fix.PROCEDURE.name,
        ),
        Command(
            ("host", "flannel", "set-endpoints"),
            "let Flannel ask the voters that etcd has now, host by host",
            (REASON_FLAG, PLAN_SWITCH, CLUSTER_FLAG),
            procedure=flannel.PROCEDURE.name,
        ),
        Command(
            ("host", "rhsm-update"),
            "channels and packages of etcd hosts on RHEL, one host after the other",
            (*_FIX, OUTAGE_SWITCH),
            procedure=rhsm_update.PROCEDURE.name,
        ),
    ),
)
