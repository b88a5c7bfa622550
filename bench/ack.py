"""How soon is a slash command acknowledged, and is any lost or doubled?

Commands arrive on a schedule, whether or not earlier ones were answered. `ack_ms` is what the
workspace measured, from its sending to the acknowledgement; the caller's figure runs from the
moment at which the command was due to the end of the HTTP answer.
"""

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass

from bench.support.figures import goal, load, median, p99, show
from bench.support.workspace import Workspace, workspace

USERS = ("alice", "bob", "carol", "dave")
GOAL_MS = 100.0
_WARM_UP = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one command."""

    acked: bool
    text: str
    ack_ms: float
    caller_ms: float


async def main(rate: float, seconds: float) -> int:
    """Measure and print; exit status 1 when a command was lost or doubled."""
    async with workspace() as slack:
        for user in USERS * _WARM_UP:
            await slack.command(user, "help")
        before = {user: await ephemerals(slack, user) for user in USERS}
        answers = await storm(slack, rate, round(rate * seconds))
        after = {user: await ephemerals(slack, user) for user in USERS}
    asked = {user: len(answers[index :: len(USERS)]) for index, user in enumerate(USERS)}
    shown = {user: after[user] - before[user] for user in USERS}
    return report(rate, answers, asked, shown)


async def storm(slack: Workspace, rate: float, count: int) -> list[Answer]:
    """Send `count` commands, `rate` each second, the users in turn."""
    began = time.perf_counter() + 0.1

    async def one(number: int) -> Answer:
        due = began + number / rate
        await asyncio.sleep(due - time.perf_counter())
        answer = await slack.command(USERS[number % len(USERS)], "help")
        caller_ms = (time.perf_counter() - due) * 1_000
        text = str((answer["response"] or {}).get("text") or "")
        return Answer(bool(answer["acked"]), text, float(answer["ack_ms"] or 0), caller_ms)

    return await asyncio.gather(*(one(number) for number in range(count)))


async def ephemerals(slack: Workspace, viewer: str) -> int:
    """How many messages only this user sees."""
    return sum(bool(message.get("is_ephemeral")) for message in await slack.messages(viewer))


def report(rate: float, answers: list[Answer], asked: dict[str, int], shown: dict[str, int]) -> int:
    """Print the figures; gives the exit status."""
    acked = [answer for answer in answers if answer.acked]
    print(f"{len(answers)} commands, {rate:g}/s; {load()}")
    if acked:
        columns = {
            "ack, as the workspace measured it": [answer.ack_ms for answer in acked],
            "answer, as the caller saw it": [answer.caller_ms for answer in acked],
        }
        rows = [
            (name, f"{median(ms):.1f}", f"{p99(ms):.1f}", f"{max(ms):.1f}")
            for name, ms in columns.items()
        ]
        show(("ms", "p50", "p99", "max"), rows)
        goal("ack p99", p99([answer.ack_ms for answer in acked]), GOAL_MS, "ms")
    silent = sum(not (answer.acked and answer.text) for answer in answers)
    unseen = sum(max(0, asked[user] - shown[user]) for user in USERS)
    doubled = sum(max(0, shown[user] - asked[user]) for user in USERS)
    fine = goal("lost (no acknowledgement, or no words)", silent, 0)
    fine &= goal("lost (answered, and not on the asker's screen)", unseen, 0)
    fine &= goal("doubled", doubled, 0)
    return 0 if fine else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=50, help="commands each second (50)")
    parser.add_argument("--seconds", type=float, default=30, help="for how long (30)")
    options = parser.parse_args()
    sys.exit(asyncio.run(main(options.rate, options.seconds)))
