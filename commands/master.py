"""What people may ask of the masters of OpenShift and OKD 3."""

from commands.registry import (
    CLUSTER_FLAG,
    PLAN_SWITCH,
    REASON_FLAG,
    Command,
    Group,
    Kind,
    Parameter,
)
from procedures.master import restart, set_etcd_urls

GROUP = Group(
    "master",
    "Masters of OpenShift and OKD 3: their API servers, and where these find etcd",
    (
        Command(
            ("master", "restart"),
            "restart API server and controllers, one master after another",
            (
                Parameter("host", Kind.TEXT, "only on this master"),
                REASON_FLAG,
                PLAN_SWITCH,
                CLUSTER_FLAG,
            ),
            procedure=restart.PROCEDURE.name,
        ),
        Command(
            ("master", "set-etcd-urls"),
            "let the masters ask the voters that etcd has now, and restart them one by one",
            (REASON_FLAG, PLAN_SWITCH, CLUSTER_FLAG),
            procedure=set_etcd_urls.PROCEDURE.name,
        ),
    ),
)
