"""How soon is a dead member replaced on real hosts, beside a person with ssh and etcdctl?

Each trial has a testbed of its own: three members and a spare, of which one loses its power. Both
begin when it is decided what to do, and end when every member answers a linearizable read. Needs
root, as the testbed does.

And over SSH to one machine: how soon another worker goes on after `kill -9`, and what comes of
10,000 lines a second; then how soon a hundred hosts have told their health.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.support import many_hosts, output_over_ssh
from bench.support.by_hand import replaced_by_hand
from bench.support.figures import goal, load, median, show
from procedures.model.events import Done, Started
from procedures.model.inventory import Platform
from procedures.model.run import State
from tests.hosts.stage import on_stage
from tests.support.real_stage import Journal
from tests.testbed import Cluster, HostSpec, Namespace, Testbed, private_namespace
from tests.testbed.flavours import Version

NAMES = ("etcd-1", "etcd-2", "etcd-3")
DEAD, SPARE = "etcd-3", "etcd-4"
RATIO = 1.5
_ONCE_S = 11.4
"""What it took by hand when the goal was set, from the loss of power."""

_NOTICED_S = 10.0
"""By then the others have given the dead one up; etcd takes out nobody before."""

_KILLED_S = 12
_POURED_S = 10
_FLAT_OUT = 100_000
_HOSTS = 100

_HEALTHY = "Check that all members are healthy"


@dataclass(frozen=True, slots=True)
class Replaced:
    """How long it took until all were healthy, and each step's part of that."""

    seconds: float
    steps: tuple[tuple[str, float], ...]


async def replaced(rounds: int, version: Version, inside: Namespace) -> None:
    """A dead member's replacement."""
    print(f"etcd {version}; {load()}")
    bot, hand, careful = [], [], []
    for _ in range(rounds):
        bot.append(await _by_bot(version, inside))
        hand.append(_by_hand(version, inside, careful=False))
        careful.append(_by_hand(version, inside, careful=True))
    for who, trials in (("bot", bot), ("by hand", hand), ("by hand, by the rules", careful)):
        _show(who, trials)
    print(load())
    goal("replaced / by hand, by the rules", _median(bot) / _median(careful), RATIO)
    goal("replaced", _median(bot), RATIO * _ONCE_S, "s")


async def reattached(rounds: int) -> None:
    """Another worker goes on with a command that prints, after `kill -9` of the one before."""
    print(f"killed while a command prints 1,000 lines a second; {load()}")
    lines = await output_over_ssh.paced(_KILLED_S * rounds, kills=rounds, rate=1_000)
    seconds = ", ".join(f"{each:.2f}" for each in lines.resumed)
    print(f"killed to the next worker's first stored line, s: {seconds}")
    print(f"output: {lines.said:,} lines, {lines.missing} missing, {lines.doubled} doubled")
    goal("killed to resumed, worst", max(lines.resumed), 10, "s")
    goal("lines unaccounted", lines.unaccounted, 0)


async def poured(rounds: int) -> None:
    """10,000 lines a second, and as many as a worker takes."""
    print(f"output over SSH; {load()}")
    paced = [await output_over_ssh.paced(_POURED_S) for _ in range(rounds)]
    flat = [await output_over_ssh.flat_out(_FLAT_OUT) for _ in range(rounds)]
    show(
        (f"s (p50 of {rounds})", "printed", "behind", "stored", "CPU of the worker", "plain ssh"),
        [
            (
                f"{paced[0].said:,} lines at {output_over_ssh.RATE:,}/s",
                f"{median([each.seconds for each in paced]):.1f}",
                f"{median([each.behind for each in paced]):.1f}",
                "",
                f"{median([each.cpu for each in paced]):.1f}",
                "",
            ),
            (
                f"{_FLAT_OUT:,} lines at once",
                "",
                "",
                *(f"{median(column):.1f}" for column in zip(*flat, strict=True)),
            ),
        ],
    )
    goal("lines unaccounted, worst", max(each.unaccounted for each in paced), 0)


async def asked(rounds: int) -> None:
    """The health of a hundred hosts."""
    async with many_hosts.hosts(_HOSTS) as cluster:
        await many_hosts.look(cluster)  # the first one loads modules
        print(f"health of {_HOSTS} hosts; {load()}")
        looks = [await many_hosts.look(cluster) for _ in range(rounds)]
        plain = [await many_hosts.log_in(cluster) for _ in range(rounds)]
    show(
        (f"s (p50 of {rounds})", "took", "CPU of the worker"),
        [
            (
                "all that /etcd health asks of them",
                f"{median([each.seconds for each in looks]):.2f}",
                f"{median([each.own_cpu for each in looks]):.2f}",
            ),
            (f"plain ssh, {_HOSTS} logins with `date`", f"{median(plain):.2f}", ""),
        ],
    )
    print(f"hosts with something not learnt in time: {[each.late for each in looks]}")
    goal(f"health of {_HOSTS} hosts", median([each.seconds for each in looks]), 5, "s")
    goal("hosts not learnt in time, worst", max(each.late for each in looks), 0)


async def _by_bot(version: Version, inside: Namespace) -> Replaced:
    """From the approval: the plan is made once more, as a worker does, and carried out."""
    with _one_dead(version, inside) as (bed, cluster), tempfile.TemporaryDirectory() as folder:
        async with on_stage(bed, cluster, Platform.OKD3, Path(folder)) as stage:
            await stage.down(DEAD)
            await stage.planned("etcd replace", member=DEAD)
            began = time.time()
            journal = await stage.carried_out("etcd replace", member=DEAD)
            assert journal.run.state is State.SUCCEEDED, (journal.run.error, journal.said)
        return _of(journal, began)


def _of(journal: Journal, began: float) -> Replaced:
    assert journal.run.plan is not None
    titles = {step.number: step.title for step in journal.run.plan.steps}
    steps: list[tuple[str, float]] = []
    last = began
    for entry in journal.entries:
        at = entry.at_ms / 1_000
        if isinstance(entry.event, Started) and not steps:
            steps.append(("look and plan once more", at - last))
            last = at
        if isinstance(entry.event, Done):
            title = titles[entry.event.step]
            steps.append((title, at - last))
            last = at
            if title == _HEALTHY:
                break
    return Replaced(last - began, tuple(steps))


def _by_hand(version: Version, inside: Namespace, *, careful: bool) -> Replaced:
    with _one_dead(version, inside) as (bed, cluster):
        steps = replaced_by_hand(bed, cluster, DEAD, SPARE, careful=careful)
    return Replaced(sum(took for _, took in steps), tuple(steps))


@contextmanager
def _one_dead(version: Version, inside: Namespace) -> Iterator[tuple[Testbed, Cluster]]:
    specs = [HostSpec(name, "okd3", version) for name in (*NAMES, SPARE)]
    with Testbed.start(specs, bot=inside) as bed:
        cluster = bed.cluster(NAMES, spares=[SPARE])
        for number in range(100):
            cluster.etcdctl("put", f"key-{number}", "x" * 1_000, members=[NAMES[0]])
        bed[DEAD].power_off()
        time.sleep(_NOTICED_S)
        yield bed, cluster


def _show(who: str, trials: list[Replaced]) -> None:
    names = [name for name, _ in trials[0].steps]
    rows = [
        (f"  {name}", f"{median([dict(each.steps)[name] for each in trials]):.2f}")
        for name in names
    ]
    show((f"{who}, s (p50 of {len(trials)})", f"{_median(trials):.2f}"), rows)


def _median(trials: list[Replaced]) -> float:
    return median([each.seconds for each in trials])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--etcd", choices=["3.4", "3.5"], default="3.4")
    parts = ("replace", "reattach", "lines", "health")
    parser.add_argument("--only", choices=parts, action="append", help="all of them")
    given = parser.parse_args()
    wanted = given.only or parts
    for name, measure in (("reattach", reattached), ("lines", poured), ("health", asked)):
        if name in wanted:
            asyncio.run(measure(given.rounds))
            print()
    if "replace" in wanted:  # the last: there is no way back from its namespace
        with private_namespace() as namespace:
            namespace.enter()
            asyncio.run(replaced(given.rounds, given.etcd, namespace))
