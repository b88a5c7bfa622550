"""Identifiers as types, so that one cannot stand in for another."""

from typing import NewType

RunId = NewType("RunId", str)
"""`r-` and eight characters of Crockford's base 32, e.g. `r-7K2M9QXD`."""

ClusterName = NewType("ClusterName", str)
MemberName = NewType("MemberName", str)

MemberId = NewType("MemberId", str)
"""An etcd member or cluster id as etcd prints it: hexadecimal, not padded."""

UserId = NewType("UserId", str)
TeamId = NewType("TeamId", str)
ChannelId = NewType("ChannelId", str)
Site = NewType("Site", str)

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U, so that an id survives being read aloud."""

_ALIKE = str.maketrans("ILO", "110")


def run_id(entropy: bytes) -> RunId:
    """Make a run id from 5 random bytes."""
    if len(entropy) != 5:
        message = f"a run id takes 5 bytes of entropy, not {len(entropy)}"
        raise ValueError(message)
    number = int.from_bytes(entropy)
    digits = "".join(ALPHABET[number >> shift & 31] for shift in range(35, -1, -5))
    return RunId(f"r-{digits}")


def read_run_id(text: str) -> RunId | None:
    """Read a run id as people type it: in either case, I and L for 1, O for 0. None: it is none."""
    digits = text[2:].upper().translate(_ALIKE)
    if text[:2] not in {"r-", "R-"} or len(digits) != 8 or not set(digits) <= set(ALPHABET):
        return None
    return RunId(f"r-{digits}")


def hex_id(number: int) -> MemberId:
    """Write an etcd id the way `member list` does."""
    return MemberId(f"{number:x}")
