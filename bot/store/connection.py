"""The connection to Redis, and its errors in words."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError
from redis.exceptions import ConnectionError as LostConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from procedures.model.errors import Permanent, Retryable


def connect(url: str, password: str | None, *, timeout_s: float = 5.0) -> Redis:
    """Make a client that opens its connections when they are first needed.

    A call that takes longer than `timeout_s` fails; no call is repeated behind the caller's
    back, because an append that was repeated might have happened twice.
    """
    return Redis.from_url(
        url,
        password=password,
        socket_timeout=timeout_s,
        socket_connect_timeout=min(timeout_s, 1.0),
        retry=Retry(NoBackoff(), 0),
        health_check_interval=15,
    )


@contextmanager
def translated() -> Iterator[None]:
    """Turn Redis's errors into Quorumbot's.

    redis-py waits with `asyncio.wait_for`, which on Python 3.11 can lose a cancellation: what was
    cancelled is cancelled here, so that nothing goes on that should have ended.
    """
    try:
        yield
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError
    except AuthenticationError as error:
        message = "The store refused the password. Check redis.password."
        raise Permanent(message) from error
    except (LostConnectionError, RedisTimeoutError, OSError) as error:
        message = f"The store does not answer: {str(error) or type(error).__name__}."
        raise Retryable(message) from error
    except RedisError as error:
        message = f"The store refused a call: {error}"
        raise Retryable(message) from error
