"""Fixtures for every test, and the time that each part took."""

from collections import Counter

import pytest

from tests.support.releases import etcd_34, etcd_35
from tests.support.services import (
    binary,
    etcd_cluster,
    make_cluster,
    private_redis,
    redis_server,
    shared_cluster,
    shared_redis,
)

__all__ = [
    "binary",
    "etcd_34",
    "etcd_35",
    "etcd_cluster",
    "make_cluster",
    "private_redis",
    "redis_server",
    "shared_cluster",
    "shared_redis",
]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how long the tests of each part took, as folders of `tests/`."""
    seconds: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                folders = report.nodeid.partition("::")[0].split("/")[1:-1]
                seconds[folders[0] if folders else "tests"] += round(report.duration * 1000)
    times = ", ".join(f"{part} {ms / 1000:.1f} s" for part, ms in sorted(seconds.items()))
    terminalreporter.write_line(f"time: {times or 'none'}")
