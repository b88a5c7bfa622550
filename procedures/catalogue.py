"""All procedures, by the name that a request carries."""

from collections.abc import Mapping
from types import MappingProxyType

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
from procedures.host import clock, clock_fix, disk, entropy, entropy_fix, flannel, rhsm_update
from procedures.master import restart as master_restart
from procedures.master import set_etcd_urls
from procedures.model.inquiry import Inquiry
from procedures.model.procedure import Procedure

INQUIRIES: Mapping[str, Inquiry] = MappingProxyType(
    {
        inquiry.name: inquiry
        for inquiry in (
            backups.INQUIRY,
            certs.INQUIRY,
            clock.INQUIRY,
            disk.INQUIRY,
            entropy.INQUIRY,
            health.INQUIRY,
            members.INQUIRY,
            preflight.INQUIRY,
        )
    }
)
"""The read-only ones."""

PROCEDURES: Mapping[str, Procedure] = MappingProxyType(
    {
        procedure.name: procedure
        for procedure in (
            backup.PROCEDURE,
            backup_config.PROCEDURE,
            backup_v2.PROCEDURE,
            certs_issue.PROCEDURE,
            certs_renew.PROCEDURE,
            clock_fix.PROCEDURE,
            entropy_fix.PROCEDURE,
            disarm_corrupt.PROCEDURE,
            drill.PROCEDURE,
            expect.PROCEDURE,
            defrag.PROCEDURE,
            fix_peer_url.PROCEDURE,
            flannel.PROCEDURE,
            master_restart.PROCEDURE,
            member_add.PROCEDURE,
            member_promote.PROCEDURE,
            member_remove.PROCEDURE,
            replace.PROCEDURE,
            replace_corrupt.PROCEDURE,
            restart.PROCEDURE,
            restore.PROCEDURE,
            restore_config.PROCEDURE,
            restore_v2.PROCEDURE,
            retire.PROCEDURE,
            rhsm_update.PROCEDURE,
            scale_up.PROCEDURE,
            scale_up_ansible.PROCEDURE,
            set_etcd_urls.PROCEDURE,
            move_leader.PROCEDURE,
            nospace.PROCEDURE,
        )
    }
)
"""The ones that go by a plan."""
