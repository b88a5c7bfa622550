"""What people may ask of etcd clusters."""

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
from procedures.etcd import (
    backup,
    backup_config,
    backup_v2,
    backups,
    certs,
    certs_issue,
    certs_renew,
    defrag,
    disarm_corrupt,
    drill,
    expect,
    fix_peer_url,
    health,
    member_add,
    member_promote,
    member_remove,
    members,
    move_leader,
    nospace,
    preflight,
    replace,
    replace_corrupt,
    restart,
    restore,
    restore_config,
    restore_v2,
    retire,
    scale_up,
    scale_up_ansible,
)

_CHANGE = (REASON_FLAG, PLAN_SWITCH, CLUSTER_FLAG)
_DAYS = Parameter("days", Kind.TEXT, "so many days they are good for; 1825 if none", flag=True)

GROUP = Group(
    "etcd",
    "Health, membership and backups of etcd clusters",
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
            "who is a member, with ids and URLs, and who of them is expected",
            (
                Parameter("member", Kind.MEMBER, "only this one, by name or id"),
                CLUSTER_FLAG,
            ),
            procedure=members.INQUIRY.name,
        ),
        Command(
            ("etcd", "backup"),
            "save and verify a snapshot",
            _CHANGE,
            procedure=backup.PROCEDURE.name,
        ),
        Command(
            ("etcd", "backup", "config"),
            "copy settings, certificates and units off the hosts",
            (
                Parameter("member", Kind.MEMBER, "only this one's, by name or id"),
                *_CHANGE,
            ),
            procedure=backup_config.PROCEDURE.name,
        ),
        Command(
            ("etcd", "backup", "files"),
            "the same as `etcd backup config`; on kubespray with Calico's certificates",
            (
                Parameter("member", Kind.MEMBER, "only this one's, by name or id"),
                *_CHANGE,
            ),
            procedure=backup_config.PROCEDURE.name,
        ),
        Command(
            ("etcd", "backup", "v2"),
            "copy the v2 store off a member that is stopped for it, its v3 data too",
            (
                Parameter("member", Kind.MEMBER, "from this one, by name or id"),
                *_CHANGE,
            ),
            procedure=backup_v2.PROCEDURE.name,
        ),
        Command(
            ("etcd", "backups"),
            "which snapshots are kept; each of the newest is read and verified again",
            (CLUSTER_FLAG,),
            procedure=backups.INQUIRY.name,
        ),
        Command(
            ("etcd", "certs"),
            "certificates and keys on the hosts: days left, what is wrong, what is shown",
            (
                Parameter("cluster", Kind.CLUSTER, "whose"),
                CLUSTER_FLAG,
            ),
            procedure=certs.INQUIRY.name,
        ),
        Command(
            ("etcd", "certs", "renew"),
            "new keys and certificates by the same CA; all at once where expired ones cost quorum",
            (
                Parameter("host", Kind.MEMBER, "only this member's, by name or id"),
                _DAYS,
                OUTAGE_SWITCH,
                *_CHANGE,
            ),
            procedure=certs_renew.PROCEDURE.name,
        ),
        Command(
            ("etcd", "certs", "issue"),
            "certificates for a host that is to get a member",
            (
                Parameter("host", Kind.TEXT, "which host", required=True),
                _DAYS,
                *_CHANGE,
            ),
            procedure=certs_issue.PROCEDURE.name,
        ),
        Command(
            ("etcd", "drill"),
            "try whether a snapshot can be restored, aside of everything",
            (
                Parameter("snapshot", Kind.TEXT, "which one; the newest with quorum if none"),
                *_CHANGE,
            ),
            procedure=drill.PROCEDURE.name,
        ),
        Command(
            ("etcd", "member", "remove"),
            "remove a member for good, after a snapshot; two others approve",
            (
                Parameter(
                    "member",
                    Kind.MEMBER,
                    "which one, by name or id",
                    required=True,
                    unless="unused",
                ),
                Parameter("to_one", Kind.SWITCH, "accept that a single member is left", flag=True),
                Parameter("unused", Kind.SWITCH, "the only one that nobody uses", flag=True),
                *_CHANGE,
            ),
            procedure=member_remove.PROCEDURE.name,
        ),
        Command(
            ("etcd", "member", "add"),
            "make room for a new member, a learner at first",
            (
                Parameter("name", Kind.TEXT, "the name that it will have", required=True),
                Parameter("peer_url", Kind.TEXT, "where its peers reach it", required=True),
                Parameter("voter", Kind.SWITCH, "give it a vote before it has started", flag=True),
                *_CHANGE,
            ),
            procedure=member_add.PROCEDURE.name,
        ),
        Command(
            ("etcd", "member", "promote"),
            "give a learner that has caught up a vote",
            (
                Parameter("member", Kind.MEMBER, "which one, by name or id", required=True),
                *_CHANGE,
            ),
            procedure=member_promote.PROCEDURE.name,
        ),
        Command(
            ("etcd", "member", "fix-peer-url"),
            "correct the URL at which a member's peers reach it",
            (
                Parameter("member", Kind.MEMBER, "which one, by name or id", required=True),
                Parameter("url", Kind.TEXT, "the new URL, https://HOST:PORT", required=True),
                *_CHANGE,
            ),
            procedure=fix_peer_url.PROCEDURE.name,
        ),
        Command(
            ("etcd", "replace"),
            "replace a member by one on another host; two others approve",
            (
                Parameter("member", Kind.MEMBER, "which one, by name or id", required=True),
                Parameter("with_", Kind.TEXT, "the host of the new one", flag=True),
                *_CHANGE,
            ),
            procedure=replace.PROCEDURE.name,
        ),
        Command(
            ("etcd", "preflight"),
            "whether a host is ready to get a member",
            (
                Parameter("host", Kind.TEXT, "which host; the only one without a member if none"),
                CLUSTER_FLAG,
            ),
            procedure=preflight.INQUIRY.name,
        ),
        Command(
            ("etcd", "scale-up"),
            "let a host that has no member get one; two others approve",
            (
                Parameter("host", Kind.TEXT, "which host; the only one without a member if none"),
                *_CHANGE,
            ),
            procedure=scale_up.PROCEDURE.name,
        ),
        Command(
            ("etcd", "scale-up-ansible"),
            "the same by openshift-ansible's playbook, on the host that has Ansible",
            (
                Parameter("host", Kind.TEXT, "which host; the only one without a member if none"),
                *_CHANGE,
            ),
            procedure=scale_up_ansible.PROCEDURE.name,
        ),
        Command(
            ("etcd", "replace-corrupt"),
            "give a member whose data differs that of the others; two others approve",
            (
                Parameter("member", Kind.MEMBER, "which one, by name or id", required=True),
                *_CHANGE,
            ),
            procedure=replace_corrupt.PROCEDURE.name,
        ),
        Command(
            ("etcd", "disarm-corrupt"),
            "take the alarm CORRUPT back, once all are proven to hold the same data",
            _CHANGE,
            procedure=disarm_corrupt.PROCEDURE.name,
        ),
        Command(
            ("etcd", "retire"),
            "switch etcd off on a host that has no member any more",
            (
                Parameter("host", Kind.TEXT, "which host", required=True),
                *_CHANGE,
            ),
            procedure=retire.PROCEDURE.name,
        ),
        Command(
            ("etcd", "expect"),
            "expect those as members that are listed now, and no others",
            (
                Parameter(
                    "members",
                    Kind.TEXT,
                    "expect these instead, as NAME=CLIENT_URL,NAME=CLIENT_URL",
                    flag=True,
                ),
                *_CHANGE,
            ),
            procedure=expect.PROCEDURE.name,
        ),
        Command(
            ("etcd", "restart"),
            "restart etcd on its hosts, one after another",
            (
                Parameter("member", Kind.MEMBER, "only this one, by name or id"),
                OUTAGE_SWITCH,
                *_CHANGE,
            ),
            procedure=restart.PROCEDURE.name,
        ),
        Command(
            ("etcd", "restore"),
            "restore a cluster that has lost its quorum from a snapshot; two others approve",
            (
                Parameter("snapshot", Kind.TEXT, "which one; the newest with quorum if none"),
                Parameter("on", Kind.TEXT, "the host that is restored first", flag=True),
                Parameter(
                    "data_is_bad",
                    Kind.SWITCH,
                    "the data itself is damaged: give it up although quorum exists",
                    flag=True,
                ),
                *_CHANGE,
            ),
            procedure=restore.PROCEDURE.name,
        ),
        Command(
            ("etcd", "restore", "v2"),
            "the same with the v2 store, from an archive of /etcd backup v2; two others approve",
            (
                Parameter("snapshot", Kind.TEXT, "which archive; the newest if none"),
                Parameter("on", Kind.TEXT, "the host that is restored first", flag=True),
                Parameter(
                    "data_is_bad",
                    Kind.SWITCH,
                    "the data itself is damaged: give it up although quorum exists",
                    flag=True,
                ),
                *_CHANGE,
            ),
            procedure=restore_v2.PROCEDURE.name,
        ),
        Command(
            ("etcd", "restore", "config"),
            "put a member's settings and certificates back from a copy, and restart it",
            (
                Parameter("member", Kind.MEMBER, "whose, by name or id", required=True),
                Parameter("copy", Kind.TEXT, "from this copy, not the newest", flag=True),
                OUTAGE_SWITCH,
                *_CHANGE,
            ),
            procedure=restore_config.PROCEDURE.name,
        ),
        Command(
            ("etcd", "move-leader"),
            "hand leadership over to another member",
            (
                Parameter("to", Kind.MEMBER, "to this one, by name or id", flag=True),
                *_CHANGE,
            ),
            procedure=move_leader.PROCEDURE.name,
        ),
        Command(
            ("etcd", "defrag"),
            "give the free space in data files back, one member after the other",
            (
                Parameter("member", Kind.MEMBER, "only this one, by name or id"),
                Parameter("anyway", Kind.SWITCH, "also where there is little to win", flag=True),
                *_CHANGE,
            ),
            procedure=defrag.PROCEDURE.name,
        ),
        Command(
            ("etcd", "nospace"),
            "get a cluster that refuses writes for lack of space going again",
            _CHANGE,
            procedure=nospace.PROCEDURE.name,
        ),
    ),
)
