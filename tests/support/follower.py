"""A worker that only follows: python follower.py PORT KEY KNOWN_HOSTS RUN PROGRAM…

It prints each line that is said, at once, until it is killed.
"""

import asyncio
import sys

from bot.targets.ssh.hosts import SshHosts
from procedures.model.host import Mark
from procedures.model.ids import ClusterName, RunId, Site
from procedures.model.inventory import Cluster, Host, Platform, SshAccess


async def say(line: str) -> None:
    print(line, flush=True)


async def main(port: str, key: str, known_hosts: str, run: str, *argv: str) -> None:
    """Run a command under the mark that tests use, and follow it."""
    access = SshAccess("root", key, known_hosts=known_hosts)
    cluster = Cluster(ClusterName("demo"), Platform.ETCD, Site("here"), {}, None, ssh=access)
    host, mark = Host("machine-1", "127.0.0.1", int(port)), Mark(RunId(run), 1, 1, "work")
    await SshHosts().run(cluster, host, mark, argv, limit_ms=60_000, say=say)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
