"""The files below folders that have folders of their own, such as a CA's. (catalogue P21)"""

import re
from dataclasses import dataclass
from posixpath import basename

from procedures.engine.ports import Look
from procedures.model.config_copy import copied
from procedures.model.errors import Retryable
from procedures.model.inventory import Cluster, Host
from procedures.model.platform import Argv, Layout
from procedures.model.probe import Fault

DEPTH, MOST, MOST_BYTES = 4, 300, 8 * 1024**2
_EACH_BYTES = 1024**2
_LINE = re.compile(r"(\d+)\|(/[!-~]+)")
_ASK_MS = 20_000


@dataclass(frozen=True, slots=True)
class Below:
    """What is copied, by path, and what is too much or too large for that."""

    paths: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def find_argv(how: Layout) -> Argv:
    """List them, with their sizes; links are not followed."""
    tell = ("-exec", "stat", "--format=%s|%n", "{}", "+")
    return ("find", *how.deep, "-maxdepth", str(DEPTH), "-type", "f", *tell)


async def look_below(look: Look, cluster: Cluster, host: Host, how: Layout) -> Below:
    """Choose those nearest to the top first, as far as they fit. Raises Retryable."""
    if not how.deep:
        return Below()
    said = await look.hosts.ask(cluster, host, find_argv(how), _ASK_MS)
    if isinstance(said, Fault):
        raise Retryable(said.message)
    # 1 where one of the folders is not there, which most hosts do not have.
    if said.status not in {0, 1}:
        message = f"`find` on {host.name} ended with {said.status}: {said.err[:200]}"
        raise Retryable(message)
    lines = (_LINE.fullmatch(line) for line in said.out.splitlines())
    # Never the key: it is not even read.
    found = [(int(each[1]), each[2]) for each in lines if each and copied([basename(each[2])])]
    paths: list[str] = []
    left: list[str] = []
    room = MOST_BYTES
    for size, path in sorted(found, key=lambda each: (each[1].count("/"), each[1])):
        if len(paths) < MOST and size <= min(room, _EACH_BYTES):
            paths.append(path)
            room -= size
        else:
            left.append(path)
    return Below(tuple(paths), tuple(left))
