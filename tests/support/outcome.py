"""What must hold of every run, whatever happened meanwhile."""

from tests.support.sandbox import Answer, Sandbox
from tests.support.store import ends
from tests.support.waiting import eventually

HEALTHY = "demo: healthy, 3 of 3 members"
LISTED = "demo: 3 members, 3 answer"


async def each_is_answered_once(sandbox: Sandbox, since: str, count: int) -> list[Answer]:
    """As many messages as runs, each a complete answer; each journal ends once, without fault."""
    answers = await sandbox.wait_for_answers(count, since)
    await eventually(sandbox.store().idle, 30, "nothing more is under way")
    later = await sandbox.answers(since)
    assert [each.ts for each in later] == [each.ts for each in answers], later
    headlines = [answer.headline for answer in answers]
    assert set(headlines) <= {HEALTHY, LISTED}, headlines
    assert len({answer.run for answer in answers}) == count, answers
    for answer in answers:
        journal = await sandbox.store().journal(answer.run)
        assert journal.faults == (), journal.faults
        assert ends(journal) == 1, journal.entries
    return answers


async def it_works(sandbox: Sandbox) -> None:
    """A command is accepted, at once or after it was said that it is not, and answered."""
    since = await sandbox.moment()

    async def accepted() -> bool:
        ack = await sandbox.command("carol", "ops", "members")
        said = ack.words or ""
        assert not said or said.startswith("Not accepted: "), said
        return ack.acked and not said

    await eventually(accepted, 30, "a command is accepted")
    await each_is_answered_once(sandbox, since, 1)
