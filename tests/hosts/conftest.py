"""The whole pytest process moves into a network namespace, from which hosts can be reached.

`./test hosts` therefore runs this folder in a process of its own; `tests.testbed.namespaces` says
more. Where there can be no hosts, every test here is skipped, and says why.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.testbed import Namespace, private_namespace, unmet
from tests.testbed.base import held_base


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests of this folder when they would take others' loopback away."""
    here = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    if len(here) < len(items):
        for item in here:
            item.add_marker(pytest.mark.skip("in a process of their own: ./test hosts"))


@pytest.fixture(scope="session")
def inside() -> Iterator[Namespace]:
    """The namespace that this process is in from now on."""
    if reason := unmet():
        pytest.skip(reason)
    # Inside there is no way to a mirror of Debian's: the base has to be there before.
    with held_base(), private_namespace() as namespace:
        namespace.enter()
        yield namespace
