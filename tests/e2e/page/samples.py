"""Messages in Slack's wire form: every block that the bot may send, and some that it may not."""

from typing import Any

Wire = dict[str, Any]
"""A JSON object as it goes over the wire."""

BOT: Wire = {
    "type": "message",
    "user": "U0BOT",
    "bot_id": "B0BOT",
    "app_id": "A0BOT",
    "bot_profile": {"id": "B0BOT", "name": "Quorumbot"},
}
XSS = "<img src=x onerror=\"document.title='owned'\">"


def plain(text: str) -> Wire:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Wire:
    return {"type": "mrkdwn", "text": text}


def rich(*elements: Wire) -> Wire:
    return {"type": "rich_text", "elements": list(elements)}


def rich_section(*elements: Wire) -> Wire:
    return {"type": "rich_text_section", "elements": list(elements)}


def word(text: str, **style: bool) -> Wire:
    return {"type": "text", "text": text, **({"style": style} if style else {})}


def raw(text: str) -> Wire:
    return {"type": "raw_text", "text": text}


def number(value: float) -> Wire:
    return {"type": "raw_number", "value": value}


def message(ts: str, text: str, *blocks: Wire | None, **more: object) -> Wire:
    return {**BOT, "ts": ts, "text": text, "blocks": list(blocks), **more}


HEALTH = message(
    "1790000100.000100",
    "demo: degraded, 2 of 3 members, tolerance 0",
    {"type": "header", "text": plain("demo: degraded, 2 of 3 members, tolerance 0")},
    {
        "type": "section",
        "text": mrkdwn(
            ":large_orange_circle: *demo-3* does not answer at `https://127.0.0.1:23793`\n"
            "> context deadline exceeded\n"
            "Safe now: _nothing that stops a member_. See <https://etcd.io/docs/|the guide>."
        ),
        "accessory": {"type": "button", "action_id": "health.again", "text": plain("Check Again")},
    },
    {
        "type": "data_table",
        "caption": "Members, unhealthy first",
        "row_header_column_index": 0,
        "page_size": 3,
        "rows": [
            [raw("Member"), raw("State"), raw("Revision"), raw("DB (MiB)"), raw("Latency (ms)")],
            [raw("demo-3"), raw("no answer"), raw("—"), raw("—"), raw("—")],
            [raw("demo-1"), raw("healthy, leader"), number(18423), number(12.4), number(3)],
            [raw("demo-2"), raw("healthy"), number(18423), number(12.5), number(4)],
            [raw("demo-4"), raw("learner"), number(18400), number(12.5), number(9)],
        ],
    },
    {
        "type": "context",
        "elements": [
            mrkdwn("Asked by <@U0ALICE> · <!date^1790000100^{date_short} {time}|then> in <#C0OPS>"),
            {"type": "image", "image_url": "/page/icon.svg", "alt_text": "quorumbot mark"},
        ],
    },
)

APPROVAL = message(
    "1790000200.000100",
    "Waiting for approval: Remove member demo-3 from demo (run r-7K2M)",
    {
        "type": "section",
        "block_id": "b-1",
        "text": mrkdwn("*Remove member demo-3 from demo?*"),
        "fields": [
            mrkdwn("*Requester*\n<@U0ALICE>"),
            mrkdwn("*Risk*\ndestructive, 2 approvals"),
            mrkdwn("*Quorum*\n2 of 3 → 2 of 2"),
            mrkdwn("*Reason*\ndisk of demo-3 is dead &amp; gone"),
        ],
    },
    {
        "type": "plan",
        "title": "What will run",
        "tasks": [
            {
                "type": "task_card",
                "task_id": "s1",
                "title": "Save and verify a snapshot",
                "status": "complete",
                "details": rich(rich_section(word("12.4 MiB, revision 18423"))),
            },
            {
                "type": "task_card",
                "task_id": "s2",
                "title": "Hand leadership over if it is there",
                "status": "in_progress",
            },
            {
                "type": "task_card",
                "task_id": "s3",
                "title": "Remove demo-3",
                "status": "error",
                "output": rich(
                    {
                        "type": "rich_text_preformatted",
                        "elements": [word("etcdserver: unhealthy cluster")],
                    }
                ),
                "sources": [{"type": "url", "url": "https://etcd.io/", "text": "etcd.io"}],
            },
            {
                "type": "task_card",
                "task_id": "s4",
                "title": "Verify that the others are healthy",
                "status": "pending",
            },
        ],
    },
    {"type": "divider"},
    {
        "type": "actions",
        "block_id": "r-7K2M.1",
        "elements": [
            {
                "type": "button",
                "action_id": "run.approve",
                "value": "q-123",
                "style": "danger",
                "text": plain("Approve Removal"),
                "confirm": {
                    "title": plain("Remove demo-3?"),
                    "text": mrkdwn("The member id *never* returns."),
                    "confirm": plain("Approve"),
                    "deny": plain("Not Now"),
                    "style": "danger",
                },
            },
            {
                "type": "button",
                "action_id": "run.reject",
                "value": "q-123",
                "text": plain("Reject"),
            },
            {
                "type": "button",
                "action_id": "run.plan",
                "value": "q-123",
                "style": "primary",
                "text": plain("Show Plan"),
            },
        ],
    },
    {"type": "context", "elements": [mrkdwn("Approved by <@U0BOB> · 1 of 2 needed")]},
    thread_ts="1790000200.000100",
    reply_count=2,
    latest_reply="1790000300.000100",
)

REPLIES = [
    message(
        f"17900002{n}0.000100",
        f"output line {n}",
        {"type": "markdown", "text": f"```\noutput line {n}\n```"},
        thread_ts="1790000200.000100",
    )
    for n in (1, 2)
]

RICH = message(
    "1790000400.000100",
    "Rich text and markdown",
    rich(
        rich_section(
            word("bold", bold=True),
            word(" and "),
            word("italic", italic=True),
            word(" and "),
            word("struck", strike=True),
            word(" and "),
            word("code", code=True),
            word(" by "),
            {"type": "user", "user_id": "U0BOB"},
            word(" in "),
            {"type": "channel", "channel_id": "C0OPS"},
            word(" "),
            {"type": "emoji", "name": "white_check_mark"},
            word(" "),
            {"type": "link", "url": "https://etcd.io/", "text": "etcd"},
        ),
        {
            "type": "rich_text_list",
            "style": "ordered",
            "elements": [rich_section(word("first")), rich_section(word("second"))],
        },
        {
            "type": "rich_text_list",
            "style": "bullet",
            "indent": 1,
            "elements": [rich_section(word("below"))],
        },
        {"type": "rich_text_quote", "elements": [word("a quotation")]},
        {"type": "rich_text_preformatted", "elements": [word("$ etcdctl member list")]},
    ),
    {
        "type": "markdown",
        "text": "## Restore\n\nRead **all** of [the page](https://etcd.io/docs/) _first_:\n\n"
        "1. stop\n2. restore\n   - with `etcdutl`\n\n> quoted\n\n"
        "| Member | Size |\n|---|---:|\n| demo-1 | 12 |\n\n"
        "```sh\netcdutl snapshot restore x.db\n```",
    },
    {
        "type": "table",
        "column_settings": [{"align": "left"}, {"align": "right"}],
        "rows": [
            [raw("Host"), raw("Free")],
            [rich(rich_section(word("node-1", bold=True))), raw("81 %")],
        ],
    },
    {
        "type": "task_card",
        "task_id": "t",
        "title": "A single task",
        "status": "complete",
        "output": rich(rich_section(word("all the output"))),
    },
    {
        "type": "image",
        "title": plain("Sizes over time"),
        "alt_text": "a rising line",
        "image_url": "https://elsewhere.example/line.png",
    },
    edited={"user": "U0BOT", "ts": "1790000401.000000"},
)

HOSTILE = message(
    "1790000500.000100",
    XSS,
    {"type": "section", "text": mrkdwn(XSS.replace("<", "&lt;").replace(">", "&gt;"))},
    {"type": "section", "text": mrkdwn(f"<javascript:alert(1)|press me> {XSS}")},
    {"type": "section", "text": plain(XSS)},
    {"type": "markdown", "text": f"[press me](javascript:alert(1)) {XSS}"},
    rich(rich_section({"type": "link", "url": "javascript:alert(1)", "text": "press me"})),
    {"type": "header", "text": plain(XSS)},
)

UNKNOWN = message(
    "1790000600.000100",
    "Something newer than this page",
    {"type": "hologram", "depth": 3},
    None,
    {"type": "context", "elements": [{"type": "smell", "text": "smoke"}]},
    rich({"type": "rich_text_song", "elements": []}),
)

FOR_ALICE: Wire = {
    **BOT,
    "ts": "1790000700.000100",
    "text": "Only *alice* sees this",
    "is_ephemeral": True,
}

OF_A_PERSON: Wire = {
    "type": "message",
    "user": "U0BOB",
    "ts": "1790000050.000100",
    "text": "*bold* _italic_ ~struck~ `a*b*c` snake_case_name :x: :nonsense: 12:30:45\n"
    "- one\n- two\n3. three\n```\npre *not bold*\n``` "
    "<@U0ALICE> <!channel> <mailto:a@b.c|mail> &lt;b&gt;",
    "files": [
        {
            "id": "F1",
            "name": "run-r-7K2M.log",
            "size": 2048,
            "url_private": "/files/F1",
        }
    ],
}

EVERYTHING = [OF_A_PERSON, HEALTH, APPROVAL, RICH, HOSTILE, UNKNOWN]

MODAL: Wire = {
    "id": "V1",
    "hash": "1",
    "type": "modal",
    "title": plain("Ask etcd"),
    "submit": plain("Ask"),
    "close": plain("Never Mind"),
    "blocks": [
        {"type": "section", "text": mrkdwn("What do you want to know?")},
        {
            "type": "input",
            "block_id": "verb",
            "label": plain("Question"),
            "element": {
                "type": "static_select",
                "action_id": "pick",
                "options": [
                    {"text": plain("Health"), "value": "health"},
                    {"text": plain("Members"), "value": "members"},
                ],
            },
        },
        {
            "type": "input",
            "block_id": "why",
            "label": plain("Reason"),
            "optional": True,
            "element": {"type": "plain_text_input", "action_id": "text"},
        },
    ],
}
