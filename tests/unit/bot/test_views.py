"""Messages: first words, escaping, and Slack's limits."""

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

import pytest

from bot.slack.blocks import View
from bot.slack.text import MESSAGE, cut, escaped, shortened
from bot.slack.views import view
from procedures.etcd import health, members
from procedures.host import clock
from procedures.host.answering import Args as HostArgs
from procedures.model.ids import ClusterName, MemberName, RunId
from procedures.model.run import Run, State
from tests.support.furnishing import a_furnished_sight
from tests.support.requests import a_request
from tests.support.sight import NOW_MS, FakeSight, a_sight

RUN = Run(RunId("r-00000001"), a_request(), NOW_MS, NOW_MS)
DEMO = ClusterName("demo")


async def health_view(sight: FakeSight) -> View:
    answers = [answer async for answer in health.ask(health.Args(DEMO), sight)]
    return view(replace(RUN, state=State.SUCCEEDED, answer=answers[-1]), {})


async def members_view(sight: FakeSight) -> View:
    answers = [answer async for answer in members.ask(members.Args(DEMO), sight)]
    return view(replace(RUN, state=State.SUCCEEDED, answer=answers[-1]), {})


@pytest.mark.parametrize(
    ("run", "first"),
    [
        (RUN, "demo: checking, waiting for a worker to take it up"),
        (replace(RUN, state=State.RUNNING, attempts=1), "demo: checking, no answer yet"),
        (
            replace(RUN, state=State.RUNNING, attempts=2),
            "demo: checking again, attempt 2: the worker before was lost",
        ),
        (
            replace(RUN, state=State.FAILED, error="it broke."),
            "demo: failed, it broke. (/etcd health, run r-00000001)",
        ),
        (replace(RUN, state=State.EXPIRED, error="nobody."), "demo: expired, nobody."),
    ],
)
def test_first_words_without_an_answer(run: Run, first: str) -> None:
    """Whatever is read aloud begins with the cluster and how it stands."""
    assert view(run, {}).text.startswith(first)


async def test_a_health_message() -> None:
    """Verdict, safe-now line, table, details; metadata for tools."""
    shown = await health_view(a_furnished_sight())
    first, safe = shown.text.splitlines()[:2]
    assert first == "demo: healthy, 3 of 3 members"
    assert safe.startswith("Safe now: Restart? Yes, one at a time;")
    assert [block["type"] for block in shown.blocks] == [
        "section",
        "section",
        "table",
        "context",
        "context",
        "context",
        "context",
    ]
    assert shown.metadata == {
        "event_type": "quorumbot_answer",
        "event_payload": {"command": "etcd health", "cluster": "demo", "verdict": "healthy"},
    }


async def test_a_health_message_tells_of_hosts() -> None:
    """What is well stands in a line of its own, what is not among the warnings."""
    sight = a_furnished_sight()
    sight.hosts.machines["demo-1"].synchronised = False
    sight.hosts.machines["demo-3"].power_off()
    shown = await health_view(sight)
    assert "demo-1: time service: on, and not synchronised yet" in shown.text
    texts = list(_texts(shown.blocks))
    (hosts,) = [text for text in texts if text.startswith("Hosts: clock: ")]
    assert "time service: synchronised" in hosts
    assert any("host (demo-3 (10.0.0.3) cannot be reached: " in text for text in texts)


async def test_a_message_about_hosts() -> None:
    """What is wrong comes first; each figure has a line."""
    sight = a_furnished_sight()
    sight.hosts.machines["demo-2"].synchronised = False
    (report,) = [answer async for answer in clock.ask(HostArgs(DEMO), sight)]
    shown = view(replace(RUN, state=State.SUCCEEDED, answer=report), {})
    assert shown.text.splitlines()[:3] == [
        "demo: clocks of 3 of 3 hosts, 1 warning",
        "warning: demo-2: time service: on, and not synchronised yet",
        "clock: no two are more than 0.01 s apart, the way's delay included",
    ]
    assert [block["type"] for block in shown.blocks] == ["section", "section", "context"]


async def test_a_members_message() -> None:
    """The table has one row for each member, below the head."""
    shown = await members_view(a_sight())
    table = next(block for block in shown.blocks if block["type"] == "table")
    assert [row[0]["text"] for row in table["rows"]] == ["Member", "demo-1", "demo-2", "demo-3"]


async def test_names_from_a_cluster_are_text_and_nothing_else() -> None:
    """A member may be called anything; it notifies nobody and formats nothing."""
    sight = a_sight()
    sight.demo.add(MemberName("<!channel> <@U1> &amp;"), "https://127.0.0.1:9")
    for shown in (await health_view(sight), await members_view(sight)):
        mrkdwn = [
            element["text"]
            for block in shown.blocks
            for element in (block.get("text"), *block.get("elements", ()))
            if isinstance(element, dict) and element.get("type") == "mrkdwn"
        ]
        assert not any("<!channel>" in text or "<@U1>" in text for text in (*mrkdwn, shown.text))


@pytest.mark.parametrize("make", [health_view, members_view])
async def test_big_clusters_stay_below_slacks_limits(
    make: Callable[[FakeSight], Awaitable[View]],
) -> None:
    """Sixty members with long names, most unknown: within what Slack takes, and said to be cut."""
    sight = a_sight(9)
    for number in range(10, 60):
        sight.demo.add(
            MemberName(f"a-rather-long-member-name-{'&' * number}"), f"https://h{number}:1"
        )
    shown = await make(sight)
    assert len(shown.text) <= MESSAGE
    assert "more" in shown.text
    texts = list(_texts(shown.blocks))
    assert max(len(text) for text in texts) <= 3_000
    assert sum(len(text) for text in texts) <= 10_000


def _texts(blocks: object) -> Iterator[str]:
    """All text in blocks, wherever it is."""
    if isinstance(blocks, dict):
        if isinstance(blocks.get("text"), str):
            yield blocks["text"]
        blocks = list(blocks.values())
    if isinstance(blocks, list | tuple):
        for each in blocks:
            yield from _texts(each)


def test_shortening_never_cuts_an_escape() -> None:
    """Whatever the length, what is left is still text."""
    text = escaped("<&>" * 50)
    for most in range(10, 120):
        rest = shortened(text, most).removesuffix(" …")
        assert len(shortened(text, most)) <= most
        assert re.fullmatch(r"(&(lt|gt|amp);)*", rest)


def test_one_line_that_is_too_long_is_cut_and_not_dropped() -> None:
    """The beginning of a long error is worth more than its length."""
    short = cut("x" * 1_000, 200)
    assert len(short) <= 200
    assert short.startswith("x" * 100)


def test_what_cannot_be_seen_is_shown() -> None:
    """A name with a right-to-left mark does not turn a message around."""
    assert escaped("a\u202eb\x07") == "aU+202EbU+0007"


def test_a_view_changes_its_digest_with_its_content() -> None:
    """The same state is not sent twice, another one is."""
    assert view(RUN, {}).digest == view(RUN, {}).digest
    assert view(RUN, {}).digest != view(replace(RUN, state=State.RUNNING, attempts=1), {}).digest


def test_escaping() -> None:
    """Markup becomes text; a mention of a channel, which notifies nobody, stays one."""
    assert escaped("a & <b> <!here> <#C0OPS>") == "a &amp; &lt;b&gt; &lt;!here&gt; <#C0OPS>"


def test_cutting_says_how_much_is_left_out() -> None:
    """Whole lines are kept, and the rest is counted."""
    text = "\n".join(f"line {n}" for n in range(1_000))
    short = cut(text, 200)
    assert len(short) <= 200
    kept = short.splitlines()[:-1]
    assert short.splitlines()[-1] == f"… and {1_000 - len(kept)} more"
    assert cut("short", 200) == "short"
