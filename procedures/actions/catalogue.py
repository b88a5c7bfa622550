"""All actions, by kind and version: a stored plan is carried out by what stands here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import JsonValue, TypeAdapter, ValidationError

from procedures.actions.etcd.add_member import AddMember
from procedures.actions.etcd.check_forced import CheckForced
from procedures.actions.etcd.check_healthy import CheckHealthy, CheckMember, WriteAndRead
from procedures.actions.etcd.check_lost import CheckLost
from procedures.actions.etcd.check_restored import CheckRestored
from procedures.actions.etcd.check_same_data import CheckSameData
from procedures.actions.etcd.check_served import CheckServed
from procedures.actions.etcd.check_versions import CheckVersions
from procedures.actions.etcd.defragment import Defragment
from procedures.actions.etcd.disarm_corrupt import DisarmCorrupt
from procedures.actions.etcd.drill_snapshot import DrillSnapshot
from procedures.actions.etcd.expect import Expect
from procedures.actions.etcd.leadership import EnsureLeads, EnsureNotLeader
from procedures.actions.etcd.peer_url import UpdatePeerUrl
from procedures.actions.etcd.promote_member import PromoteMember
from procedures.actions.etcd.remove_member import RemoveMember
from procedures.actions.etcd.rotate_backups import RotateBackups
from procedures.actions.etcd.save_snapshot import SaveSnapshot
from procedures.actions.etcd.space import Compact, DisarmNospace, TellSpace
from procedures.actions.etcd.verify_snapshot import VerifySnapshot
from procedures.actions.host.api_server import StartApi, StopApi
from procedures.actions.host.check_api import CheckApi
from procedures.actions.host.check_clients import CheckClients
from procedures.actions.host.check_clock import CheckClock
from procedures.actions.host.check_entropy import CheckEntropy
from procedures.actions.host.check_etcd_urls import CheckEtcdUrls
from procedures.actions.host.copy_config import CopyConfig
from procedures.actions.host.copy_v2 import CopyV2
from procedures.actions.host.data_owner import OwnLikeData, Relabel
from procedures.actions.host.edit_file import EditFile
from procedures.actions.host.files import MoveAside, PlaceFile, WriteFile
from procedures.actions.host.keep_v2 import KeepV2, PackV2, RemoveV2
from procedures.actions.host.make_keys import MakeKeys
from procedures.actions.host.place_certificates import PlaceCertificates
from procedures.actions.host.ports import CheckPorts
from procedures.actions.host.restart_etcd import RestartEtcd, RestartOnly
from procedures.actions.host.restart_flannel import RestartFlannel
from procedures.actions.host.restart_master import NoteParts, RestartPart
from procedures.actions.host.restore_file import RestoreFile
from procedures.actions.host.restore_snapshot import RestoreSnapshot
from procedures.actions.host.restore_v2 import RestoreV2, UnpackV2
from procedures.actions.host.run_etcd import RetireEtcd, StartEtcd, StartTogether
from procedures.actions.host.run_playbook import RunPlaybook
from procedures.actions.host.send_snapshot import RemoveCopy, SendSnapshot
from procedures.actions.host.sign_certificates import SignCertificates
from procedures.actions.host.start_service import StartService
from procedures.actions.host.stop_etcd import StopEtcd
from procedures.actions.host.swap_data import PutDataInPlace, SetDataAside
from procedures.actions.host.update_packages import CheckRegistered, EnableChannels, UpdatePackages
from procedures.engine.doable import Doable
from procedures.model.errors import Permanent

ACTIONS: Mapping[str, TypeAdapter[Any]] = MappingProxyType(
    {
        kind.KIND: TypeAdapter(kind)
        for kind in (
            AddMember,
            CheckApi,
            CheckClients,
            CheckClock,
            CheckEntropy,
            CheckEtcdUrls,
            CheckForced,
            CheckHealthy,
            CheckLost,
            CheckMember,
            CheckPorts,
            CopyConfig,
            CopyV2,
            CheckRestored,
            CheckSameData,
            CheckServed,
            CheckVersions,
            CheckRegistered,
            EnableChannels,
            UpdatePackages,
            Compact,
            Defragment,
            DisarmCorrupt,
            DisarmNospace,
            EditFile,
            DrillSnapshot,
            EnsureLeads,
            EnsureNotLeader,
            Expect,
            KeepV2,
            MakeKeys,
            MoveAside,
            NoteParts,
            OwnLikeData,
            PackV2,
            PlaceFile,
            PlaceCertificates,
            PutDataInPlace,
            Relabel,
            PromoteMember,
            RemoveCopy,
            RemoveMember,
            RemoveV2,
            RestartEtcd,
            RestartFlannel,
            RestartOnly,
            RestartPart,
            RestoreSnapshot,
            RestoreFile,
            RestoreV2,
            RetireEtcd,
            RotateBackups,
            RunPlaybook,
            SaveSnapshot,
            SendSnapshot,
            SetDataAside,
            SignCertificates,
            StartApi,
            StartEtcd,
            StartTogether,
            StartService,
            StopApi,
            StopEtcd,
            TellSpace,
            UnpackV2,
            UpdatePeerUrl,
            VerifySnapshot,
            WriteAndRead,
            WriteFile,
        )
    }
)


def action(kind: str, args: Mapping[str, JsonValue]) -> Doable:
    """Put an action together again. Raises Permanent for one that is not known here."""
    try:
        made: Doable = ACTIONS[kind].validate_python(dict(args))
    except (KeyError, ValidationError) as error:
        message = f"This worker does not know the action {kind}: it is of another version."
        raise Permanent(message) from error
    return made
