"""Heads of the audit log in Slack: each is there once, in a form for people and for tools."""

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.heads import HeadChannel
from procedures.model.audit import Head
from procedures.model.errors import Retryable
from procedures.model.ids import ChannelId
from tests.integration.workspace.harness import Control

ALERTS = ChannelId("C0ETCDALERTS")
HEAD = Head(42, "ab" * 32)


async def test_a_head_is_posted_once(client: AsyncWebClient, control: Control) -> None:
    """Although fronts that know nothing of each other post it; another head is another message."""
    for head in (HEAD, HEAD, Head(43, "cd" * 32)):
        await HeadChannel(client, ALERTS).post(head)
    first, second = await control.messages("etcd-alerts")
    assert first["text"] == f"Audit head 42:{HEAD.hash}"
    assert first["metadata"] == {
        "event_type": "quorumbot_audit_head",
        "event_payload": {"index": 42, "hash": HEAD.hash},
    }
    assert second["text"].startswith("Audit head 43:")


async def test_what_slack_refuses_is_said_in_words(client: AsyncWebClient) -> None:
    """With the place in the configuration that it is about."""
    with pytest.raises(Retryable, match=r"audit\.channel C0RANDOM: not_in_channel"):
        await HeadChannel(client, ChannelId("C0RANDOM")).post(HEAD)
