"""A real S3 server on loopback: moto's, in a process of its own."""

import contextlib
import sys
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3

from bot.sandbox.ports import free_ports
from bot.sandbox.processes import Child
from bot.secret import Secret
from bot.targets.backups.bucket import Place
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

REGION: Final = "eu-north-1"


@dataclass(frozen=True, slots=True)
class S3Server:
    """Where it listens, and a client of the test's own."""

    url: str
    client: "S3Client"

    def place(self, bucket: str) -> Place:
        """How our side is configured for a bucket."""
        return Place(bucket, REGION, Secret("test-key"), Secret("test-secret"), self.url)


@contextlib.asynccontextmanager
async def running_s3(directory: Path) -> AsyncIterator[S3Server]:
    """Start the server, and end it."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    child = Child.start(
        "moto",
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        log=directory / "moto.log",
    )

    def answers() -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1):
            return True
        return False

    client = boto3.client(
        "s3",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="test-key",
        aws_secret_access_key="test-secret",  # noqa: S106 - the server takes any
    )
    try:
        await eventually(answers, 30, "the S3 server answers")
        yield S3Server(url, client)
    finally:
        client.close()
        await child.kill()
