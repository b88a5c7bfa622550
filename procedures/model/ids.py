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


def run_id(entropy: bytes) -> RunId:
    """Make a run id from 5 random bytes."""
    if len(entropy) != 5:
        message = f"a run id takes 5 bytes of entropy, not {len(entropy)}"
        raise ValueError(message)
    number = int.from_bytes(entropy)
    digits = "".join(ALPHABET[number >> shift & 31] for shift in range(35, -1, -5))
    return RunId(f"r-{digits}")


def hex_id(number: int) -> MemberId:
    """Write an etcd id the way `member list` does."""
    return MemberId(f"{number:x}")
