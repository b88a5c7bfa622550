"""What people may ask of the masters of OpenShift and OKD 3."""

from commands.registry import CLUSTER_FLAG, PLAN_SWITCH, REASON_FLAG, Command, Group
from procedures.master import set_etcd_urls

GROUP = Group(
    "master",
    "Masters of OpenShift and OKD 3: where their API servers find etcd",
    (
        Command(
            ("master", "set-etcd-urls"),
            "let the masters ask the voters that etcd has now, and restart them one by one",
            (REASON_FLAG, PLAN_SWITCH, CLUSTER_FLAG),
            procedure=set_etcd_urls.PROCEDURE.name,
        ),
    ),
)
