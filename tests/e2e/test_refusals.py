"""Whatever cannot be answered is refused with words, at once, to its asker alone."""

import pytest

from commands.catalogue import REGISTRY
from tests.support.sandbox import Ack, Sandbox

VERBS = ", ".join(sorted({command.words[1] for command in REGISTRY.groups["etcd"].commands}))
MENTION = "The command contains a mention of everybody. Leave it out; nobody was notified."
BAD = {
    "unknown cluster": ("health nope", "Unknown cluster: nope. There is demo."),
    "nearly a cluster": ("health dmeo", "Unknown cluster: dmeo. Did you mean demo? There is demo."),
    "unknown command": (
        "frobnicate",
        f"Unknown /etcd command: frobnicate. There is {VERBS} or help.",
    ),
    "nearly a command": (
        "healht",
        f"Unknown /etcd command: healht. Did you mean health? There is {VERBS} or help.",
    ),
    "unknown flag": (
        "health --force",
        "Unknown flag: --force. There is --cluster. Usage: /etcd health [CLUSTER].",
    ),
    "flag without value": (
        "members --cluster",
        "--cluster needs a value. Usage: /etcd members [MEMBER] [--cluster CLUSTER].",
    ),
    "one word too many": (
        "health demo now",
        (
            "'now' is one word too many. Usage: /etcd health [CLUSTER]. "
            "Put several words that belong together in quotes."
        ),
    ),
    "endless": (
        "x" * 10_000,
        "That is 10,000 characters long; a command has at most 2,000. Nothing was started.",
    ),
    "control character": (
        "health \x07",
        (
            "Character 8 of the command is invisible (U+0007, a control character). "
            "Type the command again without it."
        ),
    ),
    "right-to-left mark": (
        "health \u202eomed",
        (
            "Character 8 of the command is invisible (U+202E, right-to-left override). "
            "Type the command again without it."
        ),
    ),
    "everybody": ("health <!channel>", MENTION),
    "everybody alone": ("<!here>", MENTION),
    "a person": ("health @bob", "CLUSTER is a name, not a person."),
    "open quote": ('health "demo', "The quote that begins with '\"demo' has no end."),
}
ELSEWHERE = "You belong to another workspace. Ask somebody of this one."
NOT_HERE = "I do not answer in this channel. Ask in <#C0ETCDALERTS>, <#C0OPS>."
REFUSED = {
    "guest in ops": "Your account is a single-channel guest. "
    "Only full members of this workspace may ask.",
    "mallory in shared-ext": ELSEWHERE,
    "mallory in ops": ELSEWHERE,
    "alice in random": NOT_HERE,
    "alice in shared-ext": NOT_HERE,
    "alice in dm-alice": NOT_HERE,
}


async def refused(sandbox: Sandbox, user: str, channel: str, text: str) -> str:
    """Ask; nothing is started, and nobody but the asker reads the answer. Returns it."""
    before = await sandbox.store().runs()
    seen = {v: await sandbox.messages(channel, v) for v in (user, "carol", None)}
    ack = await sandbox.command(user, channel, text)
    assert ack.words
    assert ack == Ack(acked=True, ms=ack.ms, words=ack.words)
    assert ack.ms < 2_500
    (message,) = (await sandbox.messages(channel, user))[len(seen[user]) :]
    assert message["text"] == ack.words
    assert message["is_ephemeral"] is True
    for other in ("carol", None):
        assert await sandbox.messages(channel, other) == seen[other]
    assert await sandbox.store().runs() == before
    return ack.words


@pytest.mark.parametrize("case", BAD)
async def test_bad_input(sandbox: Sandbox, case: str) -> None:
    """What is wrong is said exactly, with what would be right."""
    text, words = BAD[case]
    assert await refused(sandbox, "alice", "ops", text) == words


@pytest.mark.parametrize("case", [case for case in REFUSED if "dm-" not in case])
async def test_who_and_where(sandbox: Sandbox, case: str) -> None:
    """Strangers and guests get nothing, and members only where everybody may read along."""
    user, _, channel = case.split()
    for text in ("health", "help", "nonsense"):
        assert await refused(sandbox, user, channel, text) == REFUSED[case]


async def test_whoever_may_read_need_not_approve(sandbox: Sandbox) -> None:
    """A full member without any right to approve gets an answer, in each allowed channel."""
    for channel in ("ops", "etcd-alerts"):
        since = await sandbox.accepted("members", "dave", channel)
        answer = await sandbox.wait_for_answer(since, channel)
        assert answer.headline == "demo: 3 members, 3 answer"
        assert "asked by <@U0DAVE>" in str(answer.blocks)


@pytest.mark.parametrize("text", ["", "help", "HELP", "?", "--help"])
async def test_help_on_all_commands(sandbox: Sandbox, text: str) -> None:
    """Every way of asking for help names each command and how to learn more."""
    words = await refused(sandbox, "alice", "ops", text)
    for part in ("/etcd health [CLUSTER]", "/etcd members [MEMBER]", "COMMAND help", "/ops help"):
        assert part in words


@pytest.mark.parametrize("text", ["health help", "members help", "members --help"])
async def test_help_on_one_command(sandbox: Sandbox, text: str) -> None:
    """Its usage comes first, then what it does and each argument."""
    words = await refused(sandbox, "bob", "ops", text)
    name = text.split(maxsplit=1)[0]
    assert words.splitlines()[0].strip("`").startswith(f"/etcd {name} [")
    assert "CLUSTER" in words


async def test_the_other_group(sandbox: Sandbox) -> None:
    """`/ops` helps, and lists the clusters of the channel, without a run."""
    before = await sandbox.store().runs()
    help_text = await sandbox.command("alice", "ops", "help", command="/ops")
    listed = await sandbox.command("alice", "ops", "clusters", command="/ops")
    assert "/ops clusters" in (help_text.words or "")
    assert (listed.words or "").startswith("demo: etcd, 3 members, ")
    assert await sandbox.store().runs() == before
