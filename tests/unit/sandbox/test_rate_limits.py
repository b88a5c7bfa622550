"""Rate limits of the sandbox's workspace."""

from bot.sandbox.workspace.limits import POSTING, TIER_1, TIER_2, RateLimiter


class Time:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_minute_slides() -> None:
    """The 21st call within a minute waits until the first is a minute old."""
    time = Time()
    limiter = RateLimiter(time)
    for _ in range(20):
        assert limiter.retry_after("usergroups.list", TIER_2, "") is None
        time.now += 1
    assert limiter.retry_after("usergroups.list", TIER_2, "") == 40
    assert limiter.retry_after("conversations.list", TIER_2, "") is None
    time.now += 40
    assert limiter.retry_after("usergroups.list", TIER_2, "") is None


def test_a_refused_call_costs_nothing() -> None:
    """Asking too early does not push the next allowed call further away."""
    time = Time()
    limiter = RateLimiter(time)
    for _ in range(5):
        assert limiter.retry_after("chat.postMessage", POSTING, "C1") is None
    for _ in range(10):
        assert limiter.retry_after("chat.postMessage", POSTING, "C1") == 1
    assert limiter.retry_after("chat.postMessage", POSTING, "C2") is None
    time.now += 1
    assert limiter.retry_after("chat.postMessage", POSTING, "C1") is None
    assert limiter.retry_after("chat.postMessage", POSTING, "C1") == 1


def test_the_first_tier_allows_restarts_then_one_a_minute() -> None:
    """Twenty sockets may be asked for at once; after that one each minute."""
    time = Time()
    limiter = RateLimiter(time)
    for _ in range(20):
        assert limiter.retry_after("apps.connections.open", TIER_1, "") is None
    assert limiter.retry_after("apps.connections.open", TIER_1, "") == 60
    time.now += 60
    assert limiter.retry_after("apps.connections.open", TIER_1, "") is None
