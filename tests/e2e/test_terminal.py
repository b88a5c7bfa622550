"""The same questions from a terminal: words or JSON, exit statuses, one line for each error."""

import asyncio
from pathlib import Path

from tests.support.sandbox import MEMBERS, Sandbox
from tests.support.terminal import Output, quorumbot


async def ask(sandbox: Sandbox, *args: str) -> Output:
    return await quorumbot("ask", "--config", sandbox.config_path, *args)


def is_one_line(text: str) -> bool:
    return text.endswith("\n") and text.count("\n") == 1


async def test_health_in_words_and_as_json(sandbox: Sandbox) -> None:
    """Both say the same; the JSON has all that scripts decide on."""
    words, data = await asyncio.gather(
        ask(sandbox, "etcd health"), ask(sandbox, "--json", "etcd health demo")
    )
    assert (words.code, words.err) == (data.code, data.err) == (0, "")
    lines = words.out.splitlines()
    assert lines[0] == "demo: healthy, 3 of 3 members"
    assert lines[1].startswith("Safe now: ")
    assert all(any(line.startswith(member) for line in lines) for member in MEMBERS)

    report = data.json
    assert report["headline"] == lines[0]
    assert report["verdict"] == "healthy"
    assert (report["members"], report["voters"], report["tolerance"]) == (3, 3, 1)
    assert report["cluster"] == "demo"
    assert [row["name"] for row in report["rows"]] == list(MEMBERS)
    assert all(int(row["id"], 16) for row in report["rows"])
    figures = {figure["name"] for figure in report["figures"]}
    assert figures >= {"leader", "HashKV", "alarms", "raft", "version"}
    assert {advice["change"] for advice in report["advice"]} == {"restart", "remove", "add"}
    assert all(isinstance(advice["allowed"], bool) for advice in report["advice"])


async def test_a_degraded_cluster_is_an_answer(sandbox: Sandbox) -> None:
    """The exit status says whether the question was answered, not whether all is well."""
    await sandbox.cluster("demo-3", "kill")
    answer = await ask(sandbox, "--json", "etcd health")
    assert answer.code == 0
    assert answer.json["headline"] == "demo: degraded, 2 of 3 members, tolerance 0"
    remove = next(each for each in answer.json["advice"] if each["change"] == "remove")
    assert "demo-3" in remove["text"]


async def test_members(sandbox: Sandbox) -> None:
    """In words, and as JSON."""
    words, data = await asyncio.gather(
        ask(sandbox, "etcd members"), ask(sandbox, "--json", "etcd members demo-1")
    )
    assert words.code == data.code == 0
    assert [line.split()[0] for line in words.out.splitlines()[1:]] == list(MEMBERS)
    (row,) = data.json["rows"]
    assert row["name"] == "demo-1"
    assert row["id"] in words.out


async def test_failed_and_refused(sandbox: Sandbox) -> None:
    """Exit status 1, and one line on stderr."""
    answer = await ask(sandbox, "etcd members demo-9")
    assert (answer.code, answer.out) == (1, "")
    assert "There is no member 'demo-9'." in answer.err
    assert is_one_line(answer.err)


async def test_usage(sandbox: Sandbox) -> None:
    """Exit status 2, one line on stderr, and nothing is queued."""
    before = await sandbox.store().runs()
    cases = {
        "etcd health nope": "Unknown cluster: nope. There is demo.",
        "etcd frobnicate": "Unknown /etcd command: frobnicate.",
        "nonsense": "Unknown command: /nonsense.",
        "etcd health --force": "Unknown flag: --force.",
        " ": "Say what to ask",
    }
    answers = await asyncio.gather(*(ask(sandbox, text) for text in cases))
    for answer, words in zip(answers, cases.values(), strict=True):
        assert (answer.code, answer.out) == (2, "")
        assert answer.err.startswith(f"quorumbot: {words}")
        assert is_one_line(answer.err)
    assert await sandbox.store().runs() == before
    bare = await quorumbot("ask", "--config", sandbox.config_path)
    assert bare.code == 2
    assert "usage: quorumbot ask" in bare.err


async def test_clusters_and_help(sandbox: Sandbox) -> None:
    """Answered without a worker, for people without Slack's markup."""
    clusters, data, help_text = await asyncio.gather(
        ask(sandbox, "ops clusters"),
        ask(sandbox, "--json", "ops clusters"),
        ask(sandbox, "etcd help"),
    )
    assert clusters.code == data.code == help_text.code == 0
    assert clusters.out.startswith("demo: etcd, 3 members, ")
    assert [(each["name"], each["platform"]) for each in data.json] == [("demo", "etcd")]
    assert "/etcd health [CLUSTER]" in help_text.out
    assert not set("`*") & set(help_text.out)


async def test_a_configuration_that_cannot_be_used(tmp_path: Path) -> None:
    """Every command says it the same way: status 1, each fault on a line of its own."""
    missing = tmp_path / "missing.yaml"
    broken = tmp_path / "broken.yaml"
    broken.write_text("slack: {bot_token: {env: T}}\nclusters: {}\nsurprise: 1\n")
    commands = (("ask", "etcd health"), ("worker",), ("serve",))
    for output in await asyncio.gather(
        *(quorumbot(verb, "--config", missing, *rest) for verb, *rest in commands)
    ):
        assert (output.code, output.out) == (1, "")
        assert "missing.yaml" in output.err
        assert is_one_line(output.err)
    output = await quorumbot("ask", "--config", broken, "etcd health")
    assert output.code == 1
    assert len(output.err.splitlines()) >= 4
    assert all(line.startswith("quorumbot: ") for line in output.err.splitlines())
    assert "surprise" in output.err
