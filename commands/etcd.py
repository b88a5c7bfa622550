"""What people may ask of etcd clusters."""

from commands.registry import CLUSTER_FLAG, Command, Group, Kind, Parameter
from procedures.etcd import health, members

GROUP = Group(
    "etcd",
    "Health and membership of etcd clusters",
    (
        Command(
            ("etcd", "health"),
            "how the cluster is, and what is safe to do now",
            (
                Parameter("cluster", Kind.CLUSTER, "which cluster"),
                CLUSTER_FLAG,
            ),
            procedure=health.INQUIRY.name,
        ),
        Command(
            ("etcd", "members"),
            "who is a member, with ids and URLs",
            (
                Parameter("member", Kind.MEMBER, "only this one, by name or id"),
                CLUSTER_FLAG,
            ),
            procedure=members.INQUIRY.name,
        ),
    ),
)
