"""What became of a call that changes something, from the error it ended with.

etcd goes on with what it was sent when the asker has gone, so an error proves nothing unless it
is one of those with which etcd turns a call away. These are known by their words: their codes
differ between versions, and gRPC uses the same codes for troubles of its own.
"""

from collections.abc import Sequence

import grpc

from bot.targets.etcd.faults import seconds
from procedures.model.errors import InDoubt, Permanent, Retryable
from procedures.model.ids import MemberId
from procedures.model.probe import Alarm, Fault

DEFRAGMENTATION = "the request to defragment its data file"
SNAPSHOT = "the request for a snapshot"
CANARY = "the write of a canary key"

_COMPACTED = "mvcc: required revision has been compacted"

_PREFIXES = ("etcdserver: ", "auth: ")

_NO_RIGHT = (
    "etcd's authentication is on, so the name in the client certificate needs a user with a role"
    " that may do it; members are changed by root only."
)

_LASTING = {
    "member not found": "It is no member, or not any more.",
    "unhealthy cluster": (
        "etcd takes out a member that works, and adds one, only if enough others have been"
        " connected for 5 s. Bring back what is down, or remove that first."
    ),
    "re-configuration failed due to not enough started members": (
        "Too few of the others have ever started. Start them, or remove those that never will."
    ),
    "Peer URLs already exists": "Another member has that peer URL, and each needs its own.",
    "too many learner members in cluster": "Promote or remove the learner that is there first.",
    "can only promote a learner member": "It is a voter already.",
    "mvcc: required revision is a future revision": "The cluster has not come that far.",
    "member ID already exist": "The same was asked for in this very second.",
    "not leader": "Only the leader hands leadership over; ask it, at its own endpoint.",
    "bad leader transferee": "Only a voter that is a member can become the leader.",
    "rpc not supported for learner": "It is a learner; ask a voter.",
    "mvcc: database space exceeded": "There is no space left for writes, until it is made.",
    "corrupt cluster": "A CORRUPT alarm is on: find out which members hold the true data.",
    "request is too large": "It is larger than etcd accepts.",
    "permission denied": _NO_RIGHT,
    "user name is empty": _NO_RIGHT,
    "user name not found": _NO_RIGHT,
    "invalid auth token": _NO_RIGHT,
}

_PASSING = {
    "can only promote a learner member which is in sync with leader": (
        "It has not caught up with the leader yet."
    ),
    "too many requests": "It has fallen behind with what was decided already.",
    "not capable": "It has just started, and does not know the cluster's version yet.",
}

_NO_SUCH_CALL = ("unknown service ", "unknown method ")


class AlreadyDoneError(Permanent):
    """etcd refused a call because what it is for was done before."""


def removal(member: MemberId) -> str:
    """Name a call in messages, as the others below do; so that it can stand after a verb."""
    return f"the removal of member {member}"


def new_peer_urls(member: MemberId) -> str:
    """Name the change of a member's peer URLs."""
    return f"the change of the peer URLs of member {member}"


def handover(to: MemberId) -> str:
    """Name the request to the leader to let another lead."""
    return f"the request to hand leadership to member {to}"


def addition(peer_urls: Sequence[str]) -> str:
    """Name the addition of a member."""
    return f"the addition of a member at {', '.join(peer_urls)}"


def promotion(member: MemberId) -> str:
    """Name the promotion of a learner."""
    return f"the promotion of learner {member}"


def compaction(revision: int) -> str:
    """Name the request to drop old versions."""
    return f"the request to drop all versions before revision {revision}"


def disarming(alarm: Alarm) -> str:
    """Name the request to take an alarm back."""
    return f"the request to take back the alarm {alarm.kind} of member {alarm.member_id}"


def not_sent(what: str, fault: Fault) -> Retryable:
    """There was no way to the member."""
    return Retryable(f"{fault.message} So {what} was not sent, and can be tried again.")


def after_sending(
    who: str, what: str, waited_ms: int, code: grpc.StatusCode, details: str | None
) -> Permanent | Retryable | InDoubt:
    """Judge the error that answered a call, which had `waited_ms` at most."""
    return turned_away(who, what, code, details) or in_doubt(who, what, waited_ms, code, details)


def turned_away(
    who: str, what: str, code: grpc.StatusCode, details: str | None
) -> Permanent | Retryable | None:
    """Tell what etcd says against a call, None where it is not sure that nothing happened."""
    text = details or ""
    words = next((text.removeprefix(each) for each in _PREFIXES if text.startswith(each)), "")
    if words in _PASSING:
        return Retryable(f"{who} did not take {what}: {words}. {_PASSING[words]}")
    if words == _COMPACTED:
        return AlreadyDoneError(f"{who} refused {what}: {words}.")
    if words in _LASTING:
        return refused(who, what, words)
    if code is grpc.StatusCode.UNIMPLEMENTED and text.startswith(_NO_SUCH_CALL):
        return Permanent(
            f"{who} does not know {what}: {text}. It is no etcd of version 3.4 to 3.7."
        )
    return None


def refused(who: str, what: str, words: str) -> Permanent:
    """Give etcd's own words, and what they mean."""
    return Permanent(f"{who} refused {what}: {words}. {_LASTING[words]}")


def in_doubt(
    who: str, what: str, waited_ms: int, code: grpc.StatusCode, details: str | None = None
) -> InDoubt:
    """Nobody knows: the answer is lost, or is that etcd does not know either."""
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        lost = f"{who} did not answer {what} within {seconds(waited_ms)}."
    else:
        text = (details or "").rstrip(". ") or code.name.lower()
        lost = f"Nothing is known of {what}, sent to {who}: {text}."
    message = "It may have happened, or happen later: look whether it has, before anything else."
    return InDoubt(f"{lost} {message}")
