"""What people may ask of the machines of clusters."""

from commands.registry import CLUSTER_FLAG, Command, Group, Kind, Parameter
from procedures.host import clock, disk, entropy

_WHICH = (Parameter("cluster", Kind.CLUSTER, "whose hosts"), CLUSTER_FLAG)

GROUP = Group(
    "host",
    "The machines of clusters: clocks, disks, entropy",
    (
        Command(
            ("host", "clock"),
            "how far the clocks are apart, and whether a time service keeps them right",
            _WHICH,
            procedure=clock.INQUIRY.name,
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
    ),
)
