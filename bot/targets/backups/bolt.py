"""What `snapshot status` does not say: how far a snapshot has been compacted.

The revision that the tool gives is that of the newest write which is still in the file. Where the
last writes were deletions, and a compaction has taken away their traces too, it is lower than the
cluster's revision, although the snapshot is not old. The compaction itself is on record in etcd's
bucket `meta`. Only as much of bbolt's format is read here as leads there.
"""

import os
import struct

_PAGE = struct.Struct("<QHHI")  # id, flags, count, overflow
_META = struct.Struct("<4I2Q")  # magic, version, page size, flags; root page, sequence
_BRANCH = struct.Struct("<IIQ")  # position, key size, page
_LEAF = struct.Struct("<4I")  # flags, position, key size, value size
_BUCKET = struct.Struct("<QQ")  # root page, 0 for one that is inline; sequence
_REVISION = struct.Struct(">q")

_MAGIC = 0xED0CDAED
_IS_BRANCH, _IS_LEAF = 0x01, 0x02
_DEEPEST = 32
_LARGEST_PAGE = 1024**2
_KEYS = (b"finishedCompactRev", b"scheduledCompactRev")


def compacted_revision(descriptor: int) -> int:
    """Give the revision of the newest compaction on record, 0 for none or an unknown format.

    A cluster that compacts at a revision has reached it. Reads a few pages of the file.
    """
    try:
        return _compacted(descriptor)
    except (struct.error, ValueError, OverflowError):
        return 0


def _compacted(descriptor: int) -> int:
    # A snapshot is written with the same root in both of its meta pages.
    head = os.pread(descriptor, _PAGE.size + _META.size, 0)
    magic, _, page_size, _, root, _ = _META.unpack_from(head, _PAGE.size)
    if magic != _MAGIC or not 512 <= page_size <= _LARGEST_PAGE:
        return 0
    bucket = _look_up(descriptor, page_size, _read(descriptor, page_size, root), b"meta")
    if bucket is None:
        return 0
    top = _BUCKET.unpack_from(bucket)[0]
    page = _read(descriptor, page_size, top) if top else bucket[_BUCKET.size :]
    found = (_look_up(descriptor, page_size, page, key) for key in _KEYS)
    return max((int(_REVISION.unpack_from(value)[0]) for value in found if value), default=0)


def _read(descriptor: int, page_size: int, number: int) -> bytes:
    page = os.pread(descriptor, page_size, number * page_size)
    overflow = int(_PAGE.unpack_from(page)[3])
    if not overflow:
        return page
    size = page_size * (overflow + 1)
    if size > _LARGEST_PAGE:
        message = f"a page of {size} bytes"
        raise ValueError(message)
    return os.pread(descriptor, size, number * page_size)


def _look_up(descriptor: int, page_size: int, page: bytes, key: bytes) -> bytes | None:
    """Find a key below a page: its value, which for a bucket is the bucket's head."""
    for _ in range(_DEEPEST):
        _, flags, count, _ = _PAGE.unpack_from(page)
        if flags & _IS_LEAF:
            return _in_leaf(page, count, key)
        if not flags & _IS_BRANCH:
            break
        below = None
        for index in range(count):
            at = _PAGE.size + index * _BRANCH.size
            position, size, number = _BRANCH.unpack_from(page, at)
            if below is not None and page[at + position : at + position + size] > key:
                break
            below = number
        if below is None:
            break
        page = _read(descriptor, page_size, below)
    message = "no tree of pages"
    raise ValueError(message)


def _in_leaf(page: bytes, count: int, key: bytes) -> bytes | None:
    for index in range(count):
        at = _PAGE.size + index * _LEAF.size
        _, position, key_size, value_size = _LEAF.unpack_from(page, at)
        start = at + position
        if page[start : start + key_size] == key:
            return page[start + key_size : start + key_size + value_size]
    return None
