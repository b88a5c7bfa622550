"""`/host clock fix` and `/host entropy fix`: what is looked at again right before and after."""

from procedures.model.run import State
from tests.support.furnishing import short_of_entropy, unkept
from tests.support.theatre import a_theatre


async def test_a_clock_that_has_gone_off_since() -> None:
    """A service that might set it at once is not started."""
    theatre = a_theatre("host clock fix", {"host": "demo-2"})
    unkept(theatre)
    await theatre.approved()
    theatre.sight.hosts.machines["demo-2"].clock_off_ms = 3_000
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "demo-2 is 3.00 s ahead of" in (theatre.run.error or "")
    assert theatre.effects == []


async def test_a_service_that_reaches_no_server() -> None:
    """It runs and keeps nothing right: the run says so, and the next host is left alone."""
    theatre = a_theatre("host clock fix", {})
    unkept(theatre)
    theatre.sight.hosts.machines["demo-2"].units["ntpd.service"].on_start = lambda _: None
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "demo-2 is not synchronised after 5 min" in (theatre.run.error or "")
    assert theatre.effects == ["demo-2: systemctl enable --now ntpd.service"]


async def test_a_service_that_gives_no_entropy() -> None:
    """The figure is in the end of the run."""
    theatre = a_theatre("host entropy fix", {})
    short_of_entropy(theatre)
    theatre.sight.hosts.machines["demo-2"].units["rngd.service"].on_start = lambda _: None
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "demo-2 has 120 bits after 60 s, and not 800" in (theatre.run.error or "")
