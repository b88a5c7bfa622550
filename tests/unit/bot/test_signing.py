"""Nothing that was not written by who may write it, where it stands, is believed."""

from dataclasses import replace
from typing import get_args

import pytest

from bot.store.signing import GENESIS, Signer
from procedures.model.canonical import digest
from procedures.model.events import (
    WRITERS,
    Began,
    CancelAsked,
    Cancelled,
    Decided,
    Entry,
    Event,
    Expired,
    Reported,
    Requested,
    Resumed,
    Role,
    Settled,
    Succeeded,
    Voted,
)
from procedures.model.ids import RunId
from tests.support.requests import a_request
from tests.support.signing import FRONT, KEYRING, STRANGER, WORKER

RUN = RunId("r-00000001")


def sealed(signer: Signer, event: Event, seq: int = 0, prev: str = GENESIS) -> bytes:
    return signer.seal(Entry(RUN, seq, prev, 1_700_000_000_000, signer.id, event))


def test_what_was_written_is_read() -> None:
    """A chain of entries comes back whole, with the hash of its last."""
    first = sealed(FRONT, a_request())
    second = sealed(WORKER, Began("w"), 1, digest(first))
    journal = KEYRING.read(RUN, [first, second])
    assert [entry.event for entry in journal.entries] == [a_request(), Began("w")]
    assert (journal.version, journal.head, journal.faults) == (2, digest(second), ())


def with_spare_bits(raw: bytes) -> bytes:
    """The same signature in other base64: its last letter has bits that say nothing."""
    last = raw.index(b"==") - 1
    return raw[:last] + bytes([raw[last] + 1]) + raw[last + 1 :]


FIRST = sealed(FRONT, a_request())


@pytest.mark.parametrize(
    ("stored", "why"),
    [
        (sealed(STRANGER, a_request()), "is not trusted"),
        (sealed(replace(STRANGER, id="front-1"), a_request()), "is not front-1's"),
        (sealed(WORKER, a_request()), "a worker may not write 'requested'"),
        (sealed(FRONT, Succeeded()), "a front may not write 'succeeded'"),
        (sealed(FRONT, a_request(), seq=1), "moved here"),
        (sealed(FRONT, a_request(), prev="0" * 64), "moved here"),
        (FIRST.replace(b"alice", b"mallo"), "is not front-1's"),
        (FIRST[1:], "is not front-1's"),
        (b"!" + FIRST, "is not front-1's"),
        (with_spare_bits(FIRST), "is not as front-1 wrote it"),
        (b"", "Invalid JSON"),
        (b"x {}", "validation error"),
    ],
)
def test_forgery_is_left_out_and_reported(stored: bytes, why: str) -> None:
    """A changed, misplaced or foreign entry does not count, and is named with the reason."""
    journal = KEYRING.read(RUN, [stored])
    assert journal.entries == ()
    assert why in journal.faults[0]


FRONTS = {Requested, Voted, Decided, Settled, Reported, CancelAsked, Resumed}
EITHERS = {Cancelled, Expired}


def test_fronts_speak_for_people_and_workers_for_clusters() -> None:
    """Each event has its writers: what people say is no worker's to write, all else no front's."""
    assert set(WRITERS) == set(get_args(get_args(Event)[0]))
    for event, roles in WRITERS.items():
        own = {Role.FRONT if event in FRONTS else Role.WORKER}
        assert roles == ({Role.FRONT, Role.WORKER} if event in EITHERS else own), event


def test_entries_of_another_run_do_not_count() -> None:
    """A signed request cannot be replayed under another run id."""
    assert KEYRING.read("r-00000002", [FIRST]).entries == ()


def test_an_entry_after_a_forged_one_still_counts() -> None:
    """Whoever adds rubbish can disturb, but cannot make honest entries unreadable."""
    rubbish = b"rubbish"
    after = sealed(WORKER, Began("w"), 2, digest(rubbish))
    journal = KEYRING.read(RUN, [FIRST, rubbish, after])
    assert [entry.seq for entry in journal.entries] == [0, 2]


def test_a_removed_entry_breaks_the_chain() -> None:
    """What comes after a removed entry does not count."""
    second = sealed(WORKER, Began("w"), 1, digest(FIRST))
    assert KEYRING.read(RUN, [second]).entries == ()


def test_a_signer_does_not_show_its_key() -> None:
    """A log line with a signer in it gives nothing away."""
    assert "PrivateKey" not in repr(FRONT)
