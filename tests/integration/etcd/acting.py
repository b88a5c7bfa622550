"""What tests of the actor share: short limits, one odd cluster, and calls that have to fail."""

import time
from collections.abc import Awaitable

import pytest

from bot.sandbox.demo.pki import Files
from procedures.model.errors import QuorumbotError
from procedures.model.ids import ClusterName, MemberName, Site
from procedures.model.inventory import Cluster, Platform, TlsFiles

DEADLINE_MS = 1_500
PATIENCE_MS = 1_800
_SLACK_MS = 3_000


def one(url: str, files: Files | None = None) -> Cluster:
    """Describe a cluster of one member."""
    tls = TlsFiles(str(files.ca), str(files.cert), str(files.key)) if files else None
    return Cluster(
        name=ClusterName("odd"),
        platform=Platform.ETCD,
        site=Site("here"),
        endpoints={MemberName("odd-1"): url},
        tls=tls,
        deadline_ms=DEADLINE_MS,
    )


async def failure(call: Awaitable[object]) -> QuorumbotError:
    """Await a call that fails in time."""
    began = time.monotonic()
    with pytest.raises(QuorumbotError) as caught:
        await call
    assert (time.monotonic() - began) * 1000 < DEADLINE_MS + PATIENCE_MS + _SLACK_MS
    return caught.value
