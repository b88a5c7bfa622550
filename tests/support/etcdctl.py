"""Debian's etcdctl against a demo cluster: a second opinion in tests."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from bot.sandbox.demo.cluster import DemoCluster
from bot.sandbox.processes import environment


async def etcdctl(
    binary: str, cluster: DemoCluster, *args: str, member: str | None = None
) -> Mapping[str, Any]:
    """Run one command through all endpoints, or one member's; returns its JSON.

    Raises RuntimeError with etcdctl's own words.
    """
    endpoints = [cluster.endpoints[member]] if member else list(cluster.endpoints.values())
    process = await asyncio.create_subprocess_exec(
        binary,
        f"--endpoints={','.join(endpoints)}",
        f"--cacert={cluster.files.ca}",
        f"--cert={cluster.files.cert}",
        f"--key={cluster.files.key}",
        "--write-out=json",
        "--command-timeout=5s",
        "--dial-timeout=2s",
        *args,
        env=environment() | {"ETCDCTL_API": "3"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(errors.decode())
    answer: Mapping[str, Any] = json.loads(output)
    return answer
