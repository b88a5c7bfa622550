"""Lists of client URLs: who goes, who stays as it is spelt, and how a new one is spelt."""

import pytest

from procedures.model.client_urls import Asked, renewed
from procedures.model.yaml_list import items, relisted

PATH = ("etcdClientInfo", "urls")


def a_voter(name: str, number: int) -> Asked:
    address = f"10.0.0.{number}"
    return Asked(name, f"https://{address}:2379", frozenset({name, address}))


ONE, TEN, TWO = a_voter("master-1", 1), a_voter("master-10", 10), a_voter("master-2", 2)


@pytest.mark.parametrize(
    ("urls", "voters", "then"),
    [
        (  # X15, X19: the very one goes, not one that begins like it
            ["https://master-1:2379", "https://master-10:2379", "https://master-2:2379"],
            [TEN, TWO],
            ("https://master-10:2379", "https://master-2:2379"),
        ),
        (["https://10.0.0.1:2379", "https://10.0.0.10:2379"], [TEN], ("https://10.0.0.10:2379",)),
        (["https:/10.0.0.1:2379"], [ONE], ("https://10.0.0.1:2379",)),  # X9: one slash
        (["https://master-2:2379"], [TWO, ONE], ("https://master-2:2379", "https://master-1:2379")),
        (["https://10.0.0.2:2379"], [TWO, ONE], ("https://10.0.0.2:2379", "https://10.0.0.1:2379")),
        (["https://master-1:2379", "https://10.0.0.1:2379"], [ONE], ("https://master-1:2379",)),
        (["https://master-1:4001"], [ONE], ("https://10.0.0.1:2379",)),
        (["https://lb:2379"], [ONE], ("https://10.0.0.1:2379",)),
    ],
)
def test_a_list_follows_the_voters(
    urls: list[str], voters: list[Asked], then: tuple[str, ...]
) -> None:
    """Whole hosts are compared; what stays is spelt as before."""
    assert renewed(urls, voters) == then


FILE = """\
# master
etcdClientInfo:
  ca: master.etcd-ca.crt   # keep
  urls:
  - https://master-1:2379
  # the tenth
  - "https://master-10:2379"  # ten
  - 'https://master-2:2379'
other: {urls: [https://master-1:2379]}
"""


def test_only_lines_of_the_list_change() -> None:
    """Comments, order, quotes and other lists stay."""
    wanted = ["https://master-10:2379", "https://new:2379", "https://master-2:2379"]
    assert relisted(FILE, PATH, wanted) == FILE.replace(
        "  - https://master-1:2379\n", "", 1
    ).replace("'https://master-2:2379'\n", "'https://master-2:2379'\n  - https://new:2379\n")
    assert relisted(FILE, PATH, items(FILE, PATH)) == FILE


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (FILE.replace("etcdClientInfo", "etcClientInfo"), "it has no list etcdClientInfo.urls"),
        ("etcdClientInfo: {urls: [a, b]}\n", "one item on each line"),
        ("etcdClientInfo:\n  urls: []\n", "is empty, or would be"),
        ("etcdClientInfo: [\n", "it is not YAML"),
        ("", "it is empty"),
        (FILE + "etcdClientInfo: {}\n", "it has no list"),
        ("etcdClientInfo:\n  urls:\n  - a", "without an end of line"),
    ],
)
def test_what_cannot_be_edited_is_left_alone(text: str, fault: str) -> None:
    """Each fault has its words."""
    with pytest.raises(ValueError, match=fault):
        relisted(text, PATH, ["https://new:2379"])
