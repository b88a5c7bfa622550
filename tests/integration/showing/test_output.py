"""Output in the thread: batched, within bounds, and nothing left out unsaid."""

import asyncio
import re
from itertools import pairwise

from procedures.model.events import Done, Failed, Resumed, Started, Succeeded
from tests.integration.showing.stage import Stage
from tests.support.plans import BOB, a_plan, approved

PLAN = a_plan(["one"])
END = (Done(1, None), Succeeded())
MORE = re.compile(r"… ([\d,]+) lines more, in the log")
DROPPED = re.compile(r"([\d,]+) (?:lines )?were not kept")


def figures(pattern: re.Pattern[str], text: str) -> int:
    return sum(int(found.replace(",", "")) for found in pattern.findall(text))


async def test_many_lines(stage: Stage) -> None:
    """Each is shown, or counted where it is not; the posts are short and have time in between."""
    name = await stage.took_up()
    await stage.write(name, *approved(PLAN), Started(1, 1))
    async with stage.showing():
        for batch in range(30):
            lines = [f"line {batch * 200 + n} <&> ```" for n in range(200)]
            await stage.hands.say(name, lines, skip=300 if batch == 15 else 0)
            await asyncio.sleep(0.05)
        await stage.write(name, *END)
        root = await stage.main("Succeeded: ")
        await stage.settled()
    posts = await stage.said(root, "Output, line")
    texts = [post["text"] for post in posts]
    assert len(posts) > 2
    assert max(map(len, texts)) <= 2_500
    times = [float(post["ts"]) for post in posts]
    assert min(b - a for a, b in pairwise(times)) >= 0.35
    shown = [int(n) for text in texts for n in re.findall(r"^line (\d+) &lt;", text, re.MULTILINE)]
    assert shown == sorted(set(shown))
    assert shown[-1] == 5_999
    assert len(shown) + sum(figures(MORE, text) for text in texts) == 6_000
    assert sum(figures(DROPPED, text) for text in texts) == 300
    ((_, content),) = await stage.files()
    rows = content.splitlines()
    assert len(rows) == 6_001
    assert "… 300 lines were not kept" in content
    assert rows[-1].endswith("step 1: line 5999 <&> ```")


async def test_a_long_line(stage: Stage) -> None:
    """It is cut in the thread, visibly, and whole in the log."""
    line = "x" * 50_000
    name = await stage.took_up()
    await stage.write(name, *approved(PLAN), Started(1, 1), says=[line])
    async with stage.showing():
        await stage.write(name, *END)
        root = await stage.main("Succeeded: ")
        await stage.settled()
    (post,) = await stage.said(root, "Output, line 1")
    assert " …\n" in post["text"]
    ((_, content),) = await stage.files()
    assert content.endswith(f"step 1: {line}\n")


async def test_a_log_whose_reply_is_lost_is_one_file(stage: Stage) -> None:
    """Whichever call of the upload seems to fail, the thread has the file once."""
    for number, method in enumerate(
        ("files.getUploadURLExternal", "files.completeUploadExternal"), 1
    ):
        name = await stage.asked(source=method)
        await stage.write(name, *approved(PLAN), Started(1, 1), says=["a line"])
        await stage.control.post("faults", kind="http_5xx", method=method, after=True, count=1)
        async with stage.showing():
            await stage.write(name, *END)
            await stage.settled()
        files = [file["name"] for file, _ in await stage.files()]
        assert len(files) == number
        assert f"{name}.log" in files


async def test_each_end_has_its_log(stage: Stage) -> None:
    """A failed run that was resumed has the log up to its failure, and then all of it."""
    name = await stage.took_up()
    await stage.write(name, *approved(PLAN), Started(1, 1), says=["before"])
    async with stage.showing():
        await stage.write(name, Failed("step 1: no.", 1))
        await stage.settled()

        await stage.write(name, Resumed(BOB), Started(1, 2), says=["after"])
        await stage.write(name, *END)
        await stage.settled()
    contents = [content for _, content in await stage.files()]
    assert ["before" in content for content in contents] == [True, True]
    assert ["after" in content for content in contents] == [False, True]
