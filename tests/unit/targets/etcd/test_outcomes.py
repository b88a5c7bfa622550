"""Which errors prove that a change did not happen: etcd's own, of 3.4.23 and later, and gRPC's."""

import grpc
import pytest

from bot.targets.etcd import outcomes
from procedures.model.errors import InDoubt, Permanent, QuorumbotError, Retryable
from procedures.model.ids import MemberId
from procedures.model.probe import Fault, FaultKind

Code = grpc.StatusCode
WHO = "demo-1 at https://etcd"
WHAT = outcomes.removal(MemberId("8e9e05c52164694d"))


def judged(code: grpc.StatusCode, details: str | None) -> QuorumbotError:
    return outcomes.after_sending(WHO, WHAT, 5_000, code, details)


@pytest.mark.parametrize(
    ("code", "details"),
    [
        (Code.NOT_FOUND, "etcdserver: member not found"),
        (Code.UNAVAILABLE, "etcdserver: unhealthy cluster"),
        (Code.UNKNOWN, "etcdserver: unhealthy cluster"),
        (
            Code.UNKNOWN,
            "etcdserver: re-configuration failed due to not enough started members",
        ),
        (Code.FAILED_PRECONDITION, "etcdserver: Peer URLs already exists"),
        (Code.FAILED_PRECONDITION, "etcdserver: too many learner members in cluster"),
        (Code.FAILED_PRECONDITION, "etcdserver: can only promote a learner member"),
        (Code.OUT_OF_RANGE, "etcdserver: mvcc: required revision is a future revision"),
        (Code.FAILED_PRECONDITION, "etcdserver: member ID already exist"),
        (Code.FAILED_PRECONDITION, "etcdserver: not leader"),
        (Code.FAILED_PRECONDITION, "etcdserver: bad leader transferee"),
        (Code.UNAVAILABLE, "etcdserver: rpc not supported for learner"),
        (Code.RESOURCE_EXHAUSTED, "etcdserver: mvcc: database space exceeded"),
        (Code.DATA_LOSS, "etcdserver: corrupt cluster"),
        (Code.INVALID_ARGUMENT, "etcdserver: request is too large"),
        (Code.PERMISSION_DENIED, "etcdserver: permission denied"),
        (Code.INVALID_ARGUMENT, "etcdserver: user name is empty"),
        (Code.UNKNOWN, "auth: user name is empty"),
        (Code.UNAUTHENTICATED, "etcdserver: invalid auth token"),
        (Code.UNIMPLEMENTED, "unknown service etcdserverpb.Cluster"),
        (Code.UNIMPLEMENTED, "unknown method MemberRemove for service etcdserverpb.Cluster"),
    ],
)
def test_refused(code: grpc.StatusCode, details: str) -> None:
    """etcd's own words are given, and after them what they mean."""
    error = judged(code, details)
    assert type(error) is Permanent
    words = details.removeprefix("etcdserver: ").removeprefix("auth: ")
    assert f"{WHAT}: {words}. " in str(error)
    assert str(error).startswith(f"{WHO} ")
    assert str(error).endswith(".")


def test_done_before() -> None:
    """What is compacted already is told apart from what etcd does not want."""
    error = judged(Code.OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted")
    assert type(error) is outcomes.AlreadyDoneError


@pytest.mark.parametrize(
    ("code", "details"),
    [
        (Code.RESOURCE_EXHAUSTED, "etcdserver: too many requests"),
        (Code.UNAVAILABLE, "etcdserver: not capable"),
        (
            Code.FAILED_PRECONDITION,
            "etcdserver: can only promote a learner member which is in sync with leader",
        ),
    ],
)
def test_turned_away_for_now(code: grpc.StatusCode, details: str) -> None:
    """Nothing happened, and the reason passes."""
    assert type(judged(code, details)) is Retryable


@pytest.mark.parametrize(
    ("code", "details"),
    [
        (Code.UNAVAILABLE, "etcdserver: request timed out"),
        (
            Code.UNAVAILABLE,
            "etcdserver: request timed out, possibly due to previous leader failure",
        ),
        (Code.UNAVAILABLE, "etcdserver: request timed out, possibly due to connection lost"),
        (Code.UNKNOWN, "etcdserver: request timed out, leader transfer took too long"),
        (Code.UNAVAILABLE, "etcdserver: leader changed"),
        (Code.UNAVAILABLE, "etcdserver: no leader"),
        (Code.UNAVAILABLE, "etcdserver: server stopped"),
        (Code.UNKNOWN, "raft: stopped"),
        (Code.UNKNOWN, "etcdserver: something new"),
        (Code.UNKNOWN, "context deadline exceeded"),
        (Code.DEADLINE_EXCEEDED, "Deadline Exceeded"),
        (Code.DEADLINE_EXCEEDED, "Stream removed (Deadline Exceeded)"),
        (Code.CANCELLED, "context canceled"),
        (Code.UNAVAILABLE, "Stream removed (Socket closed)"),
        (Code.UNAVAILABLE, "recvmsg:Connection reset by peer"),
        (Code.UNAVAILABLE, "failed to connect to all addresses"),
        (Code.RESOURCE_EXHAUSTED, "Received message larger than max (5 vs. 4)"),
        (Code.UNIMPLEMENTED, "No message returned for unary request"),
        (Code.PERMISSION_DENIED, "Received http2 header with status: 403"),
        (Code.INTERNAL, ""),
        (Code.OK, None),
    ],
)
def test_in_doubt(code: grpc.StatusCode, details: str | None) -> None:
    """What is not surely a refusal may have happened, or happen later."""
    error = judged(code, details)
    assert type(error) is InDoubt
    assert WHAT in str(error)
    assert WHO in str(error)
    assert "happen later" in str(error)


def test_not_sent() -> None:
    """The fault comes first, and then that nothing was sent."""
    error = outcomes.not_sent(WHAT, Fault(FaultKind.REFUSED, f"{WHO} refused the connection."))
    assert str(error) == (
        f"{WHO} refused the connection. So {WHAT} was not sent, and can be tried again."
    )
