"""What etcd's errors and texts mean, recorded from etcd 3.4.23 and 3.5.16."""

import grpc
import pytest
from grpc.aio import Metadata

from bot.targets.etcd import faults
from bot.targets.etcd.core import alarms_in
from bot.targets.etcd.faults import FaultError, LearnerError, LinkLostError
from procedures.model.ids import hex_id
from procedures.model.probe import Alarm, FaultKind

Code = grpc.StatusCode


def translated(code: grpc.StatusCode, details: str) -> FaultError | LinkLostError:
    error = grpc.aio.AioRpcError(code, Metadata(), Metadata(), details)
    return faults.from_rpc("demo-1 at https://etcd", "a status call", 2_000, error)


@pytest.mark.parametrize(
    ("code", "details", "kind"),
    [
        (Code.UNAVAILABLE, "etcdserver: request timed out", FaultKind.SERVER),
        (Code.UNAVAILABLE, "etcdserver: no leader", FaultKind.SERVER),
        (Code.UNAVAILABLE, "etcdserver: leader changed", FaultKind.SERVER),
        (Code.DATA_LOSS, "etcdserver: corrupt cluster", FaultKind.SERVER),
        (Code.OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted", "server"),
        (Code.UNIMPLEMENTED, "unknown service etcdserverpb.Maintenance", FaultKind.SERVER),
        (Code.RESOURCE_EXHAUSTED, "", FaultKind.SERVER),
        (Code.DEADLINE_EXCEEDED, "Deadline Exceeded", FaultKind.SILENT),
        (Code.UNKNOWN, "context deadline exceeded", FaultKind.SILENT),
        (Code.INVALID_ARGUMENT, "etcdserver: user name is empty", FaultKind.DENIED),
        (Code.UNKNOWN, "auth: user name is empty", FaultKind.DENIED),
        (Code.PERMISSION_DENIED, "etcdserver: permission denied", FaultKind.DENIED),
        (Code.UNAUTHENTICATED, "etcdserver: invalid auth token", FaultKind.DENIED),
        (Code.UNAVAILABLE, "etcdserver: rpc not supported for learner", FaultKind.SKIPPED),
    ],
)
def test_errors(code: grpc.StatusCode, details: str, kind: FaultKind) -> None:
    """Each of etcd's errors has its kind, and a sentence that begins with the member."""
    error = translated(code, details)
    assert isinstance(error, FaultError)
    assert error.fault.kind == kind
    assert error.fault.message.startswith("demo-1 at https://etcd ")
    assert error.fault.message.endswith(".")
    assert "etcdserver:" not in error.fault.message
    assert isinstance(error, LearnerError) == (kind is FaultKind.SKIPPED)


def test_a_broken_connection_is_no_answer() -> None:
    """What gRPC says about connections is judged elsewhere."""
    lost = translated(Code.UNAVAILABLE, "recvmsg:Connection reset by peer")
    assert isinstance(lost, LinkLostError)


def test_alarms_in_a_status() -> None:
    """The text of an alarm is read, whatever the spaces in it; other errors of etcd are none."""
    texts = (
        "memberID:10501334649042878790 alarm:NOSPACE ",
        "memberID:255  alarm:CORRUPT",
        "memberID:1 alarm:7 ",
        "etcdserver: no leader",
    )
    assert alarms_in(texts) == (
        Alarm(hex_id(10501334649042878790), "NOSPACE"),
        Alarm(hex_id(255), "CORRUPT"),
        Alarm(hex_id(1), "7"),
    )
    assert alarms_in(()) == ()


def test_a_text_that_is_not_understood_is_not_taken_for_health() -> None:
    """Rather no answer about alarms than a wrong one."""
    assert alarms_in(("something new",)) is None
