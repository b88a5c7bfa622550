"""Peer URLs that etcd would take, and die of."""

import pytest

from bot.targets.etcd.peer_urls import checked
from procedures.model.errors import Permanent


@pytest.mark.parametrize(
    "url",
    ["https://10.0.0.1:2380", "http://etcd-1.example.org:1", "https://[2001:db8::1]:65535"],
)
def test_good(url: str) -> None:
    """Host and port, nothing else."""
    assert checked([url], "the change") == (url,)


@pytest.mark.parametrize(
    "url",
    [
        *("", "etcd", "10.0.0.1:2380", "//10.0.0.1:2380", "https://", "https://10.0.0.1"),
        *("https://10.0.0.1:", "https://10.0.0.1:0", "https://10.0.0.1:65536", "https://:2380"),
        *("https://10.0.0.1:2380/", "https://10.0.0.1:2380/x", "https://10.0.0.1:2380?x"),
        *("https://me@10.0.0.1:2380", "https://10.0.0.1:2380 ", "https://10.0.0.1:2380\n"),
        *("unix://etcd:1", "ftp://10.0.0.1:2380", "https://2001:db8::1:2380", "https://a b:1"),
        *("https://10.0.0.1:２３８０", "HTTPS://10.0.0.1:2380"),
    ],
)
def test_bad(url: str) -> None:
    """One bad URL among good ones is enough; it is named, and nothing is sent."""
    with pytest.raises(Permanent, match="So the change was not sent") as caught:
        checked(["https://10.0.0.1:2380", url], "the change")
    assert repr(url) in str(caught.value)


def test_none_at_all() -> None:
    """A member has at least one."""
    with pytest.raises(Permanent, match="No peer URL is given"):
        checked([], "the change")
