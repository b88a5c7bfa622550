"""What people may type, what becomes of it, and what they are told otherwise."""

from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.catalogue import REGISTRY
from commands.grammar import Ask, Help, parse
from commands.words import LONGEST, Form, Word, words
from procedures.model.errors import UsageError
from procedures.model.ids import ChannelId, ClusterName, MemberName, Site
from procedures.model.inventory import Cluster, Inventory, Platform
from tests.support.typed_text import typed_text

OPS, OTHER, BOTH = ChannelId("C0OPS"), ChannelId("C0OTHER"), ChannelId("C0BOTH")


def a_cluster(name: str, *channels: ChannelId) -> Cluster:
    return Cluster(
        name=ClusterName(name),
        platform=Platform.ETCD,
        site=Site("default"),
        endpoints={MemberName(f"{name}-1"): "http://127.0.0.1:2379"},
        tls=None,
        channels=channels,
    )


INVENTORY = Inventory(
    MappingProxyType(
        {
            ClusterName("demo"): a_cluster("demo", OPS, BOTH),
            ClusterName("prod"): a_cluster("prod", BOTH),
        }
    ),
    frozenset({OPS, OTHER, BOTH}),
)


def ask(text: str, channel: ChannelId | None = OPS, slash: str = "/etcd") -> Ask:
    wanted = parse(REGISTRY, INVENTORY, slash, text, channel)
    assert isinstance(wanted, Ask)
    return wanted


def refusal(text: str, channel: ChannelId | None = OPS, slash: str = "/etcd") -> str:
    with pytest.raises(UsageError) as caught:
        parse(REGISTRY, INVENTORY, slash, text, channel)
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "health",
        "HEALTH",
        "  health   demo ",
        "health --cluster demo",
        "health --cluster=demo",
        'health --cluster="demo"',
        "health —cluster demo",
        "health “demo”",
        "health 'demo'",
        "health demo --cluster demo",
        "health <http://demo|demo>",
    ],
)
def test_ways_of_naming_a_cluster(text: str) -> None:
    """However it is typed, on whichever keyboard: it is the same request."""
    wanted = ask(text)
    assert (wanted.command.name, wanted.args) == ("etcd health", {"cluster": "demo"})


def test_the_only_cluster_of_a_channel_is_meant() -> None:
    """Where there is no choice nothing needs to be said; where there is, the choice is named."""
    assert ask("health").cluster == INVENTORY.clusters[ClusterName("demo")]
    assert refusal("health", BOTH) == "Which cluster? Say --cluster and one of demo or prod."
    assert "no cluster" in refusal("health", OTHER)


def test_the_terminal_may_ask_about_all() -> None:
    """A terminal has no channel, so no channel limits it."""
    assert ask("health prod", None).args == {"cluster": "prod"}


@pytest.mark.parametrize(
    ("text", "words_of_answer"),
    [
        ("helth", "Did you mean health?"),
        ("health pord", "Unknown cluster: pord"),
        ("health prod", "prod may not be asked about in this channel."),
        ("health --clutser demo", "Did you mean --cluster?"),
        ("health --cluster", "--cluster needs a value"),
        ("health --cluster ''", "CLUSTER is empty"),
        ("health demo --cluster other", "given twice"),
        ("health demo extra", "'extra' is one word too many"),
        ('health "demo', "has no end"),
        ("health <!channel>", "a mention of everybody"),
        ("health <!subteam^S1|@ops>", "a mention of everybody"),
        ("health <#C1|ops>", "a channel"),
        ("health <@U123|bob>", "not a person"),
        ('health "<!here>"', "a mention of everybody"),
        ('health "all of <!channel>"', "a mention of everybody"),
        ('health --cluster="<!subteam^S1|@ops>"', "a mention of everybody"),
        ('health "<@U123|bob>"', "not a person"),
        ("health --cluster help", "Unknown cluster: help."),
        ("health --cluster ?", "Unknown cluster: ?."),
        ("health --reason help", "Unknown flag: --reason."),
        ("health demo\x07", "U+0007"),
        ("health \u202edemo", "right-to-left override"),
        ("health \u200bdemo", "zero width space"),
        ("health " + "x" * 10_000, "10,007 characters"),
    ],
)
def test_what_is_not_understood_is_said(text: str, words_of_answer: str) -> None:
    """Each kind of bad input has its own exact answer."""
    assert words_of_answer in refusal(text)


def test_a_longer_command_is_not_a_shorter_one_with_arguments() -> None:
    """`backup config` begins with `backup`; what follows neither is one word too many."""
    assert ask("backup --reason because").command.name == "etcd backup"
    assert ask("backup config demo-1").command.name == "etcd backup config"
    assert ask("backup CONFIG --plan").args["plan"] is True
    assert "'confg' is one word too many" in refusal("backup confg")


def test_what_must_be_said_unless_something_else_is() -> None:
    """A member is named, or found by what it is."""
    assert ask("member remove --unused").args == {"unused": True, "cluster": "demo"}
    assert refusal("member remove").startswith("MEMBER is missing. Usage: /etcd member remove")


def test_an_unknown_slash_command_names_the_known_ones() -> None:
    """Fronts of different versions may be asked what they do not know."""
    assert refusal("health", slash="/etc") == (
        "Unknown command: /etc. Did you mean /etcd? There is /etcd, /host, /master or /ops."
    )


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("", ("etcd",)),
        ("help", ("etcd",)),
        ("HELP", ("etcd",)),
        ("health help", ("etcd", "health")),
        ("help health", ("etcd",)),
        ("health --help", ("etcd", "health")),
        ("health --help help", ("etcd", "health")),
        ("health demo help", ("etcd", "health")),
        ("health --cluster demo help", ("etcd", "health")),
        ("health --cluster=demo help", ("etcd", "health")),
        ("health --cluster --help", ("etcd", "health")),
    ],
)
def test_help_at_every_level(text: str, about: tuple[str, ...]) -> None:
    """A bare command and the word help ask for help, before or after the words it is about."""
    assert parse(REGISTRY, INVENTORY, "/etcd", text, OPS) == Help(about)


def test_slack_escapes_are_undone_once() -> None:
    """`&amp;lt;` is what somebody typed as `&lt;`, not as `<`."""
    assert words("a&amp;lt;b &lt;x&gt;") == [Word("a&lt;b"), Word("<x>")]
    assert words("--url=<https://a?b&amp;lt;c>") == [Word("--url=https://a?b&lt;c")]


def test_links_are_what_was_typed() -> None:
    """Slack makes links of host names; real links keep their address."""
    assert words("<http://host.example|host.example>") == [Word("host.example")]
    assert words("<https://127.0.0.1:2380|https://127.0.0.1:2380>") == [
        Word("https://127.0.0.1:2380")
    ]
    assert words("--url=<https://a:1>") == [Word("--url=https://a:1")]


def test_a_mention_is_a_user() -> None:
    """The id counts; the name beside it may be anything."""
    assert words("<@U123|root>") == [Word("U123", Form.USER)]


@pytest.mark.parametrize(
    ("inside", "meant"),
    [
        ("<http://h|h>", Word("h", Form.QUOTED)),
        ("see <https://h/x|the page> now", Word("see https://h/x now", Form.QUOTED)),
        ("a &amp;lt; b", Word("a &lt; b", Form.QUOTED)),
        ("&lt;!here&gt;", Word("<!here>", Form.QUOTED)),
        ("<@U123|bob>", Word("U123", Form.USER)),
        ("asked by <@U123|bob>", Word("asked by U123", Form.QUOTED)),
    ],
)
def test_quotes_do_not_keep_what_slack_made_of_a_text(inside: str, meant: Word) -> None:
    """Links, mentions and entities mean the same in quotes, of either kind, as outside."""
    assert words(f'"{inside}"') == words(f"“{inside}”") == [meant]


def test_a_quote_in_the_label_of_a_link_ends_nothing() -> None:
    """What Slack escaped is read as a whole."""
    assert words('"<https://h|the "big" one> now"') == [Word("https://h now", Form.QUOTED)]


def test_a_quoted_word_is_never_a_flag() -> None:
    """Quotes make text of what looks like a flag."""
    assert words('"--cluster"') == [Word("--cluster", Form.QUOTED)]
    assert words('"--cluster"')[0].flag is None


def test_the_longest_command_is_accepted_and_one_more_is_not() -> None:
    """The limit is where it says."""
    assert len(words("x" * LONGEST)) == 1
    with pytest.raises(UsageError):
        words("x" * (LONGEST + 1))


@given(
    typed_text,
    st.sampled_from([OPS, OTHER, BOTH, None]),
    st.sampled_from(["/etcd", "/ops", "/nothing"]),
)
def test_every_text_ends_in_a_request_or_in_words(
    text: str, channel: ChannelId | None, slash: str
) -> None:
    """Nothing that can be typed is unhandled, and no refusal is empty."""
    try:
        outcome: object = parse(REGISTRY, INVENTORY, slash, text, channel)
    except UsageError as error:
        outcome = str(error)
    assert outcome
    assert isinstance(outcome, Ask | Help | str)
