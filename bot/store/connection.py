"""The connection to Redis, and its errors in words."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError
from redis.exceptions import ConnectionError as LostConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from procedures.model.errors import Permanent, Retryable

_ANSWER_S = 5.0


def connect(url: str, password: str | None) -> Redis:
    """Make a client that opens its connections when they are first needed.

    No call is repeated behind the caller's back, because an append that was repeated might have
    happened twice. How long a call may take is up to `translated`: with a time limit of its own,
    redis-py waits with `asyncio.wait_for`, which on Python 3.11 can lose a cancellation.
    """
    return Redis.from_url(
        url,
        password=password,
        socket_timeout=None,
        socket_connect_timeout=1.0,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=0,
    )


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Give calls 5 s, and turn Redis's errors into Quorumbot's."""
    try:
        async with asyncio.timeout(_ANSWER_S):
            yield
    except AuthenticationError as error:
        message = "The store refused the password. Check redis.password."
        raise Permanent(message) from error
    except TimeoutError as error:
        message = f"The store did not answer within {_ANSWER_S:.0f} s."
        raise Retryable(message) from error
    except (LostConnectionError, RedisTimeoutError, OSError) as error:
        message = f"The store does not answer: {str(error) or type(error).__name__}."
        raise Retryable(message) from error
    except RedisError as error:
        message = f"The store refused a call: {error}"
        raise Retryable(message) from error
