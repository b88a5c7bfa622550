"""Which bytes are a whole snapshot, and how far one has been compacted."""

import hashlib
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.targets.backups.bolt import compacted_revision
from bot.targets.backups.trailer import Trailer
from tests.contract.backups.real import Samples
from tests.contract.backups.values import flipped, sealed

PAGES = st.integers(1, 8)


def judged(data: bytes, cuts: list[int] | None = None) -> Trailer:
    """Let bytes pass by in pieces."""
    trailer = Trailer()
    for start, end in pairwise([0, *sorted(cuts or []), len(data)]):
        trailer.update(data[start:end])
    return trailer


@given(st.data(), PAGES)
def test_whole_in_whatever_pieces(data: st.DataObject, pages: int) -> None:
    """However a whole one is cut, also into nothing, it is whole, and its SHA-256 is the file's."""
    whole = sealed(os.urandom(pages * 512))
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=12))
    trailer = judged(whole, cuts)
    assert trailer.fault is None
    assert trailer.size == len(whole)
    assert trailer.sha256 == hashlib.sha256(whole).hexdigest()


@given(st.data(), PAGES)
def test_no_flipped_byte_goes_unseen(data: st.DataObject, pages: int) -> None:
    """Wherever it is, the SHA-256 itself included."""
    whole = sealed(os.urandom(pages * 512))
    place = data.draw(st.integers(0, len(whole) - 1))
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=4))
    assert "is damaged" in str(judged(flipped(whole, place), cuts).fault)


@given(st.data(), PAGES)
def test_nothing_shorter_is_whole(data: st.DataObject, pages: int) -> None:
    """Wherever it is cut off."""
    whole = sealed(os.urandom(pages * 512))
    length = data.draw(st.integers(0, len(whole) - 1))
    assert judged(whole[:length]).fault is not None


def test_each_region_of_a_real_snapshot(samples: Samples) -> None:
    """One byte in each 64 of a real snapshot, and every byte of its SHA-256."""
    data = samples.three.data
    assert judged(data).fault is None
    for place in (*range(0, len(data), 64), *range(len(data) - 32, len(data))):
        assert judged(flipped(data, place)).fault is not None


def test_the_words_tell_what_to_think_of(samples: Samples) -> None:
    """Empty, cut off or a copied data file, damaged."""
    data = samples.three.data
    assert judged(b"").fault == "is empty"
    assert "a copy of a data file" in str(judged(data[:-32]).fault)
    assert "was cut off" in str(judged(data[:-1]).fault)
    assert "was cut off" in str(judged(sealed(b"")).fault)
    assert "is damaged" in str(judged(data[:-512]).fault)


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    """A file to fill and read."""
    opened = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    yield opened
    os.close(opened)


def compacted(descriptor: int, data: bytes) -> int:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, data, 0)
    return compacted_revision(descriptor)


def test_the_compaction_of_real_snapshots(samples: Samples, descriptor: int) -> None:
    """It is on record where there was one, at the revision that was given."""
    taken = (samples.new, samples.three, samples.five, samples.compacted)
    found = [compacted(descriptor, each.data) for each in taken]
    assert found == [0, 0, 0, samples.compacted.revision]


@given(st.data())
def test_no_damage_breaks_the_reader(samples: Samples, data: st.DataObject) -> None:
    """Whatever a member sends, reading it ends, with a number."""
    sample = bytearray(samples.compacted.data)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(sample) - 9))
        sample[place : place + 8] = data.draw(st.binary(min_size=8, max_size=8))
    descriptor = os.memfd_create("sample")
    try:
        assert isinstance(compacted(descriptor, bytes(sample)), int)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("data", [b"", b"x", bytes(4096), b"\xff" * 8192])
def test_what_is_no_database_was_never_compacted(descriptor: int, data: bytes) -> None:
    """Nothing, zeros, and ones."""
    assert compacted(descriptor, data) == 0
