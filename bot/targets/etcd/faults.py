"""Why a question has no answer: the words, and the translation of etcd's own errors."""

from typing import Self

import grpc

from procedures.model.probe import Fault, FaultKind


class FaultError(Exception):
    """Carries a fault from where it is found to where it becomes the answer."""

    def __init__(self, kind: FaultKind, message: str) -> None:
        super().__init__(message)
        self.fault = Fault(kind, message)

    @classmethod
    def of(cls, fault: Fault) -> Self:
        """Raise again what was known before."""
        return cls(fault.kind, fault.message)


class LearnerError(FaultError):
    """The member is a learner, which answers only Status and serializable reads."""


class LinkLostError(Exception):
    """The connection broke under a call, so the call has to be judged on a new one."""


_DENIED_CODES = frozenset({grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED})
_DENIED_TEXTS = ("user name is empty", "user name not found", "permission denied", "invalid auth")
_LOST_CODES = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED})
_ETCD = "etcdserver: "
_LEARNER = "rpc not supported for learner"
_TLS_TEXT = "handshake"


def seconds(duration_ms: int) -> str:
    """Write a deadline for people."""
    return f"{duration_ms / 1000:g} s"


def refused(who: str) -> FaultError:
    """Nothing listens on the port."""
    return FaultError(FaultKind.REFUSED, f"{who} refused the connection: nothing listens there.")


def unreachable(who: str, why: str) -> FaultError:
    """No TCP connection came about."""
    return FaultError(FaultKind.UNREACHABLE, f"{who} cannot be reached: {why}.")


def no_connection(who: str, deadline_ms: int) -> FaultError:
    """The network swallowed all attempts to connect."""
    return unreachable(who, f"no connection within {seconds(deadline_ms)}")


def silent(who: str, deadline_ms: int) -> FaultError:
    """The port accepts connections, and nobody answers on them."""
    return FaultError(
        FaultKind.SILENT, f"{who} accepts connections, but gave no answer {_within(deadline_ms)}."
    )


def hangs_up(who: str) -> FaultError:
    """The port accepts connections and closes them, for a reason that it keeps to itself.

    That may be ours: a rejection that got lost looks like this. So it proves nothing.
    """
    return FaultError(
        FaultKind.UNREACHABLE,
        f"{who} accepts connections and closes them without an answer; its log may say why.",
    )


def unanswered(who: str, what: str, deadline_ms: int) -> FaultError:
    """The member answers, but not this call."""
    return FaultError(FaultKind.SILENT, f"{who} did not answer {what} {_within(deadline_ms)}.")


def server_error(who: str, what: str, text: str) -> FaultError:
    """Give etcd's own error."""
    return FaultError(FaultKind.SERVER, f"{who} answered {what} with an error: {text}.")


def broken(who: str, text: str) -> FaultError:
    """Report a connection that breaks for gRPC, after one of our own did not."""
    if _TLS_TEXT in text.lower():
        return FaultError(FaultKind.TRUST, f"{who} and gRPC cannot agree on TLS: {text}.")
    return unreachable(who, f"the connection broke ({text})")


def learner(who: str, what: str) -> LearnerError:
    """Say that learners do not answer this, which is no fault of theirs."""
    return LearnerError(FaultKind.SKIPPED, f"{who} is a learner, which does not answer {what}.")


def from_rpc(
    who: str, what: str, deadline_ms: int, error: grpc.aio.AioRpcError
) -> FaultError | LinkLostError:
    """Translate a failed call. `what` is the call's name in messages."""
    details = error.details() or ""
    text = details.removeprefix(_ETCD).rstrip(". ") or error.code().name.lower()
    if _LEARNER in text:
        return LearnerError(FaultKind.SKIPPED, f"{who} is a learner, which does not answer {what}.")
    if _timed_out(error):
        return unanswered(who, what, deadline_ms)
    if _lost(error):
        return LinkLostError(text)
    if error.code() in _DENIED_CODES or any(part in text for part in _DENIED_TEXTS):
        return FaultError(
            FaultKind.DENIED,
            f"{who} does not allow {what}: {text}. etcd's authentication is on, so the name in"
            " the client certificate needs a role that may read.",
        )
    return server_error(who, what, text)


def from_member(error: grpc.aio.AioRpcError) -> bool:
    """Tell whether it is surely the member that sent the error."""
    return not _lost(error) and error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED


def _lost(error: grpc.aio.AioRpcError) -> bool:
    return error.code() in _LOST_CODES and not (error.details() or "").startswith(_ETCD)


def _timed_out(error: grpc.aio.AioRpcError) -> bool:
    """Tell whether time ran out, on our side or, with our deadline, on the server's."""
    return (
        error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        or error.details() == "context deadline exceeded"
    )


def _within(deadline_ms: int) -> str:
    return f"within {seconds(deadline_ms)}"
