"""A short storm; the long one is `python -m tests.chaos.storm --kills 300`."""

from pathlib import Path

import pytest

from tests.chaos.storm import weather

KILLS = 10


@pytest.mark.timeout(600)
async def test_removals_in_a_storm(tmp_path: Path) -> None:
    """No run lost, no step done twice, no vote counted twice, no acknowledged write lost."""
    tally = await weather(tmp_path, KILLS, seed=20_261_121)
    assert tally.broken == []
    assert tally.removals >= 1
    assert tally.kills >= KILLS
    assert tally.witnessed > 0
