"""Which server versions have a fault."""

import pytest

from procedures.model.gates import older

FIXED = ("3.4.38", "3.5.23", "3.6.5")


@pytest.mark.parametrize(
    ("version", "faulty"),
    [
        ("3.3.27", True),
        ("3.4.23", True),
        ("3.4.38", False),
        ("3.4.100", False),
        ("3.5.22", True),
        ("3.5.23", False),
        ("3.6.0-rc.1", True),
        ("3.6.5", False),
        ("3.7.0", False),
        ("unknown", False),
    ],
)
def test_a_fix_in_each_minor(version: str, faulty: bool) -> None:
    """A release is compared with the fix of its own minor; older minors never got one."""
    assert older([version], FIXED) == ((version,) if faulty else ())
