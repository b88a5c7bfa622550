"""How soon does `/etcd health` say how a cluster is, beside a person with etcdctl and curl?

In turn, in one run, on one cluster: the command, from before it is sent to the moment at which its
first and its final verdict are on the user's screen; and the same facts through etcdctl with TLS
flags and a scrape of each member, one after the other. First with all members well, then with one
frozen, which answers nothing and refuses nothing.
"""

import argparse
import asyncio
import re
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.support.etcdctl import COMMANDS, SCRAPE, Etcdctl, Timed
from bench.support.figures import goal, load, median, p99, show
from bench.support.workspace import Seen, Workspace, workspace
from bot.config import load as load_configuration
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster

RATIO = 0.5
_PATIENCE_S = 60.0
_CLUSTER = ClusterName("demo")
_FIRST = re.compile(r"demo: checking, \d+ of \d+ members")
_FINAL = re.compile(r"demo: (?!checking)")


@dataclass(frozen=True, slots=True)
class Round:
    """One turn: seconds to either verdict, the words of the last, and what etcdctl took."""

    first_s: float
    final_s: float
    words: str
    etcdctl: dict[str, Timed]

    @property
    def etcdctl_s(self) -> float:
        """All commands of the person, one after the other."""
        return sum(timed.seconds for timed in self.etcdctl.values())


async def main(rounds: int, frozen_rounds: int) -> None:
    """Measure and print."""
    async with workspace() as slack, slack.live("alice") as seen:
        cluster = load_configuration(slack.directory / "quorumbot.yaml").inventory.clusters[
            _CLUSTER
        ]
        etcdctl = Etcdctl(slack.directory / "demo", cluster.deadline_ms)
        await one_round(slack, seen, etcdctl)  # the first one opens connections
        well = [await one_round(slack, seen, etcdctl) for _ in range(rounds)]
        report_well(well)
        if not frozen_rounds:
            return
        member = f"{_CLUSTER}-{await etcdctl.a_follower() + 1}"
        await slack.cluster(member, "freeze")
        try:
            frozen = [await one_round(slack, seen, etcdctl) for _ in range(frozen_rounds)]
        finally:
            await slack.cluster(member, "thaw")
    print()
    report_frozen(frozen, member, cluster)


async def one_round(slack: Workspace, seen: asyncio.Queue[Seen], etcdctl: Etcdctl) -> Round:
    """The command, to its end; then etcdctl."""
    while not seen.empty():
        seen.get_nowait()
    began = time.perf_counter()
    asked = asyncio.create_task(slack.command("alice", "health"))
    async with asyncio.timeout(_PATIENCE_S):
        first, _ = await until(seen, _FIRST)
        final, words = await until(seen, _FINAL)
        await asked
    return Round(first - began, final - began, words, await etcdctl.all())


async def until(seen: asyncio.Queue[Seen], words: re.Pattern[str]) -> tuple[float, str]:
    """When a message that begins with such words was shown, and its first line."""
    while True:
        frame = await seen.get()
        if frame.body["type"] == "message":
            text = str(frame.body["message"].get("text", ""))
            if words.match(text):
                return frame.at, text.splitlines()[0]


def report_well(rounds: Sequence[Round]) -> None:
    """Print the figures of a cluster in which all members answer."""
    print(f"all members well: {len(rounds)} rounds; {load()}")
    table(rounds)
    if failed := failures(rounds):
        print(f"etcdctl failed, so its times mean little: {failed}")
    ratio = median([r.first_s for r in rounds]) / median([r.etcdctl_s for r in rounds])
    goal("first verdict / etcdctl, all of it", ratio, RATIO)


def report_frozen(rounds: Sequence[Round], member: str, cluster: Cluster) -> None:
    """Print the figures of a cluster in which one member is frozen."""
    deadline, gap = cluster.deadline_ms / 1_000, cluster.sample_gap_ms / 1_000
    print(f"{member} frozen: {len(rounds)} rounds, deadline D = {deadline:g} s; {load()}")
    table(rounds)
    print(f"etcdctl failed (a frozen member is an error to it): {failures(rounds) or 'nothing'}")
    worst_first, worst_final = (max(r.first_s for r in rounds), max(r.final_s for r in rounds))
    goal("slowest first verdict, 1.1 D", worst_first, 1.1 * deadline, "s")
    goal("slowest final verdict, gap + 2.1 D", worst_final, gap + 2.1 * deadline, "s")


def table(rounds: Sequence[Round]) -> None:
    """Print what each thing took."""
    columns = {
        "/etcd health, first verdict": [r.first_s for r in rounds],
        "/etcd health, final verdict": [r.final_s for r in rounds],
        "etcdctl and curl, all of it": [r.etcdctl_s for r in rounds],
        **{
            f"  {command}": [r.etcdctl[command].seconds for r in rounds]
            for command in (*COMMANDS, SCRAPE)
        },
    }
    rows = [
        (name, *(f"{value * 1_000:,.0f}" for value in (median(s), p99(s), max(s))))
        for name, s in columns.items()
    ]
    show(("ms", "p50", "p99", "max"), rows)
    print(f"final words: {statistics.mode(r.words for r in rounds)}")


def failures(rounds: Sequence[Round]) -> str:
    """The commands that failed in any round."""
    failed = {name for r in rounds for name, timed in r.etcdctl.items() if not timed.succeeded}
    return ", ".join(name for name in (*COMMANDS, SCRAPE) if name in failed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="with all members well (10)")
    parser.add_argument("--frozen", type=int, default=3, help="with one member frozen (3)")
    options = parser.parse_args()
    asyncio.run(main(options.rounds, options.frozen))
