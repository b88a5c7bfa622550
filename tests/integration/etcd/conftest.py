"""Actors for the tests, ended with them."""

from collections.abc import AsyncIterator

import pytest

from bot.targets.etcd.act import EtcdActor
from tests.integration.etcd.acting import PATIENCE_MS


@pytest.fixture
async def actor() -> AsyncIterator[EtcdActor]:
    """An actor with little patience."""
    actor = EtcdActor(patience_ms=PATIENCE_MS)
    yield actor
    await actor.close()
