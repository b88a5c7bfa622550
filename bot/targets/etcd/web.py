"""The two pages of etcd's client port that are read: /metrics and /version."""

import asyncio
import json
from collections.abc import Callable

import aiohttp

from bot.targets.etcd import faults
from bot.targets.etcd.deadline import Deadline
from bot.targets.etcd.metrics import parse
from bot.targets.etcd.proof import Prover
from bot.targets.etcd.target import Target
from procedures.model.probe import Metrics, Versions

_OK = 200


async def metrics(
    prover: Prover, target: Target, deadline: Deadline, now_ms: Callable[[], int]
) -> Metrics:
    """Scrape the metrics page; raise `FaultError`."""
    page = await _get(prover, target, "/metrics", deadline)
    return parse(page, now_ms())


async def versions(prover: Prover, target: Target, deadline: Deadline) -> Versions:
    """Read the version page; raise `FaultError`."""
    page = await _get(prover, target, "/version", deadline)
    try:
        reply = json.loads(page)
        return Versions(server=str(reply["etcdserver"]), cluster=str(reply["etcdcluster"]))
    except (ValueError, KeyError, TypeError) as error:
        raise faults.server_error(
            target.who, "the question for its version", "the answer is not etcd's"
        ) from error


async def _get(prover: Prover, target: Target, path: str, deadline: Deadline) -> str:
    """Get a page from the address that was proven, past proxies and redirects."""
    address = await prover.prove(target, deadline)
    identity = target.identity
    scheme = "https" if identity else "http"
    what = f"the request for {path}"
    try:
        async with (
            asyncio.timeout_at(deadline.at),
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session,
            session.get(
                f"{scheme}://{address.authority}{path}",
                headers={"Host": target.authority},
                ssl=identity.http1 if identity else True,
                server_hostname=target.certificate_name if identity else None,
                allow_redirects=False,
            ) as reply,
        ):
            if reply.status != _OK:
                text = f"HTTP {reply.status} {reply.reason}"
                raise faults.server_error(target.who, what, text)
            return await reply.text()
    except TimeoutError:
        raise faults.unanswered(target.who, what, deadline.duration_ms) from None
    except aiohttp.ClientError as error:
        raise faults.server_error(target.who, what, str(error)) from error
