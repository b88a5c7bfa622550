"""The core questions to one member: status, read, member list and alarms, all at once."""

import asyncio
import re
from collections.abc import Coroutine
from typing import TypeVar

from bot.targets.etcd import calls, faults
from bot.targets.etcd.channel import Link
from bot.targets.etcd.deadline import Deadline
from bot.targets.etcd.faults import FaultError, LinkLostError
from procedures.model.ids import MemberName, hex_id
from procedures.model.probe import Alarm, Fault, MemberProbe, Status

_ALARM = re.compile(r"memberID:\s*(\d+)\s+alarm:\s*(\w+)\s*")
_NOT_AN_ALARM = "etcdserver: "

T = TypeVar("T")


async def ask(
    link: Link, endpoint: str, expected: MemberName | None, deadline: Deadline
) -> MemberProbe:
    """Ask for all four; raise `LinkLostError` where the link broke before the status came."""
    who = link.target.who
    read, status, members, alarms = await asyncio.gather(
        _answer(calls.read(link, deadline)),
        _answer(calls.status(link, deadline)),
        _answer(calls.members(link, deadline)),
        _answer(calls.alarms(link, deadline)),
    )
    if isinstance(status, LinkLostError):
        raise status
    if isinstance(status, Status) and not isinstance(alarms, tuple):
        own = alarms_in(status.errors)
        alarms = own if own is not None else alarms
    return MemberProbe(
        endpoint=endpoint,
        expected=expected,
        status=status,
        read=_settled(who, read),
        members=_settled(who, members),
        alarms=_settled(who, alarms),
    )


def unasked(endpoint: str, expected: MemberName | None, fault: Fault) -> MemberProbe:
    """Give one fault as the answer to all four."""
    return MemberProbe(endpoint, expected, fault, fault, fault, fault)


def alarms_in(errors: tuple[str, ...]) -> tuple[Alarm, ...] | None:
    """Read a member's own copy of the alarms out of its status; None if a text is not understood.

    It serves where the call for alarms cannot: that one needs a quorum, and learners refuse it.
    """
    alarms = []
    for text in errors:
        if found := _ALARM.fullmatch(text):
            alarms.append(Alarm(hex_id(int(found[1])), found[2]))
        elif not text.startswith(_NOT_AN_ALARM):
            return None
    return tuple(alarms)


async def _answer(call: Coroutine[object, object, T]) -> T | Fault | LinkLostError:
    try:
        return await call
    except FaultError as error:
        return error.fault
    except LinkLostError as error:
        return error


def _settled(who: str, answer: T | LinkLostError) -> T | Fault:
    if isinstance(answer, LinkLostError):
        return faults.broken(who, str(answer)).fault
    return answer
