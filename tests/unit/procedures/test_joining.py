"""How configuration files read after a change, to the byte; hostnames may be parts of others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procedures.etcd.joining import Place, joined, own, staying, url_on
from procedures.model import envfile
from procedures.model.errors import Refused
from procedures.model.host import Machine
from procedures.model.inventory import Host

OKD3 = """\
# written by the installer
ETCD_NAME=etcd-1
ETCD_LISTEN_PEER_URLS=https://10.0.0.1:2380
ETCD_DATA_DIR=/var/lib/etcd/
#ETCD_SNAPSHOT_COUNT=10000
ETCD_LISTEN_CLIENT_URLS=https://10.0.0.1:2379,https://127.0.0.1:2379
ETCD_INITIAL_ADVERTISE_PEER_URLS=https://10.0.0.1:2380
ETCD_INITIAL_CLUSTER="etcd-1=https://10.0.0.1:2380,etcd-10=https://10.0.0.10:2380"
ETCD_INITIAL_CLUSTER_STATE=new
ETCD_INITIAL_CLUSTER_TOKEN=etcd-cluster-1
ETCD_ADVERTISE_CLIENT_URLS=https://10.0.0.1:2379
ETCD_QUOTA_BACKEND_BYTES=4294967296
ETCD_PEER_CERT_FILE=/etc/etcd/peer.crt
"""
ONE = Place(Host("etcd-1", "10.0.0.1"), Machine("m1", "b1", "node1"))
TEN = Place(Host("etcd-4", "10.0.0.10"), Machine("m4", "b4", "node10"))
PEERS = {"etcd-4": "https://10.0.0.10:2380", "etcd-1": "https://10.0.0.1:2380"}


def test_the_configuration_of_a_member_that_joins() -> None:
    """Its own name and addresses, the state `existing`; all else is as it was."""
    assert (
        joined(OKD3, ONE, TEN, PEERS)
        == """\
# written by the installer
ETCD_NAME=etcd-4
ETCD_LISTEN_PEER_URLS=https://10.0.0.10:2380
ETCD_DATA_DIR=/var/lib/etcd/
#ETCD_SNAPSHOT_COUNT=10000
ETCD_LISTEN_CLIENT_URLS=https://10.0.0.10:2379,https://127.0.0.1:2379
ETCD_INITIAL_ADVERTISE_PEER_URLS=https://10.0.0.10:2380
ETCD_INITIAL_CLUSTER=etcd-1=https://10.0.0.1:2380,etcd-4=https://10.0.0.10:2380
ETCD_INITIAL_CLUSTER_STATE=existing
ETCD_INITIAL_CLUSTER_TOKEN=etcd-cluster-1
ETCD_ADVERTISE_CLIENT_URLS=https://10.0.0.10:2379
ETCD_QUOTA_BACKEND_BYTES=4294967296
ETCD_PEER_CERT_FILE=/etc/etcd/peer.crt
"""
    )


def test_certificates_that_bear_the_host_name() -> None:
    """Kubespray's do; a host name that is part of another is not taken for it."""
    template = OKD3 + "".join(
        f"{name}=/etc/ssl/etcd/ssl/member-{host}{end}\n"
        for name, host, end in (
            ("ETCD_CERT_FILE", "node1", ".pem"),
            ("ETCD_KEY_FILE", "node1", "-key.pem"),
            ("ETCD_OTHER", "node11", ".pem"),
        )
    )
    values = envfile.read(joined(template, ONE, TEN, PEERS))
    assert values["ETCD_CERT_FILE"] == "/etc/ssl/etcd/ssl/member-node10.pem"
    assert values["ETCD_KEY_FILE"] == "/etc/ssl/etcd/ssl/member-node10-key.pem"
    assert values["ETCD_OTHER"] == "/etc/ssl/etcd/ssl/member-node11.pem"


def test_what_must_not_be_handed_on() -> None:
    """A member that was once made to found a cluster of its own does not teach others to."""
    text = joined(OKD3 + "ETCD_FORCE_NEW_CLUSTER=true\n", ONE, TEN, PEERS)
    assert "FORCE" not in text


def test_a_template_that_says_too_little() -> None:
    """Without addresses nobody can tell where the new member would listen."""
    text = OKD3.replace("ETCD_LISTEN_PEER_URLS", "#ETCD_LISTEN_PEER_URLS")
    with pytest.raises(Refused, match="does not set ETCD_LISTEN_PEER_URLS"):
        joined(text, ONE, TEN, PEERS)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("docker run --name=etcd1 \\", "docker run --name=etcd-4 \\"),
        ("docker run --name etcd1 x", "docker run --name etcd-4 x"),
        ("ExecStartPre=-/usr/bin/docker rm -f etcd1", "ExecStartPre=-/usr/bin/docker rm -f etcd-4"),
        ("ExecStop=/usr/bin/docker stop etcd1", "ExecStop=/usr/bin/docker stop etcd-4"),
        ("docker stop etcd10", "docker stop etcd10"),
        ("Description=etcd1 here", "Description=etcd1 here"),
        ("-C https://10.0.0.1:2379", "-C https://10.0.0.10:2379"),
        ("-C https://10.0.0.10:2379,https://10.0.0.12:2379", None),
        ("--endpoints=https://node1:2379", "--endpoints=https://node10:2379"),
        ("/etc/node1/x node11 node1.example.com my-node1", None),
    ],
)
def test_what_runs_etcd_on_a_host(text: str, wanted: str | None) -> None:
    """Its container, address and host name; nothing that only looks like them."""
    assert own(text, "etcd1", ONE, TEN) == (wanted or text)


def test_a_member_that_is_called_like_its_program() -> None:
    """Paths and images stay."""
    text = "docker run --name=etcd quay.io/coreos/etcd:v3.4 /usr/local/bin/etcd"
    wanted = "docker run --name=etcd-4 quay.io/coreos/etcd:v3.4 /usr/local/bin/etcd"
    assert own(text, "etcd", ONE, TEN) == wanted


def test_a_container_with_a_name_of_its_own() -> None:
    """Two containers would not be told apart: nothing is guessed."""
    with pytest.raises(Refused, match="is called main, and its member etcd1"):
        own("docker run --name=main x", "etcd1", ONE, TEN)


def test_nothing_of_the_other_host_stays_in_its_settings() -> None:
    """Also where that one is called by a DNS name, and in what etcdctl is told."""
    text = OKD3.replace("URLS=https://10.0.0.1:2379\n", "URLS=https://node1.example.com:2379\n")
    text += "ETCDCTL_CERT=/etc/ssl/etcd/ssl/admin-node1.pem\n"
    values = envfile.read(joined(text, ONE, TEN, PEERS))
    assert values["ETCD_ADVERTISE_CLIENT_URLS"] == "https://10.0.0.10:2379"
    assert values["ETCDCTL_CERT"] == "/etc/ssl/etcd/ssl/admin-node10.pem"
    del values["ETCD_INITIAL_CLUSTER"]
    assert not any("10.0.0.1:" in each or "node1." in each for each in values.values())


def test_the_configuration_of_one_that_stays() -> None:
    """One line changes."""
    before, after = OKD3.splitlines(), staying(OKD3, PEERS).splitlines()
    assert [line for line in after if line not in before] == [
        "ETCD_INITIAL_CLUSTER=etcd-1=https://10.0.0.1:2380,etcd-4=https://10.0.0.10:2380"
    ]
    assert len(after) == len(before)


@pytest.mark.parametrize(
    ("url", "address", "wanted"),
    [
        ("https://10.0.0.1:2380", "10.0.0.9", "https://10.0.0.9:2380"),
        ("http://[fd00::1]:12380", "fd00::2", "http://[fd00::2]:12380"),
    ],
)
def test_the_same_port_on_another_host(url: str, address: str, wanted: str) -> None:
    """Scheme and port stay, IPv6 addresses keep their brackets."""
    assert url_on(url, address) == wanted


@pytest.mark.parametrize("value", ['a"b', "a\nb", "a$b", "a`b", "a\\b"])
def test_values_that_a_shell_or_systemd_would_read_otherwise(value: str) -> None:
    """They are never written."""
    with pytest.raises(Refused, match="cannot stand"):
        envfile.edited("", {"ETCD_NAME": value})


def test_quotes() -> None:
    """Values may stand in quotes of either kind; the last line of a name counts."""
    text = "A='x y'\nB=\"z\"\n C = no\n# D=1\nA=last\nexport E=1\n"
    assert envfile.read(text) == {"A": "last", "B": "z"}


LINES = st.lists(st.sampled_from(["", "# c", "A=1", 'A="2 3"', "B=x", "junk", "C="]))
VALUES = st.text(alphabet="abc /:=,-", max_size=8).map(str.strip)


@given(LINES, st.dictionaries(st.sampled_from("ABCD"), st.none() | VALUES))
def test_an_edit_is_what_is_read_afterwards(
    lines: list[str], changes: dict[str, str | None]
) -> None:
    """Changed values are read back, dropped ones are gone, all others and comments stay."""
    text = "".join(f"{line}\n" for line in lines)
    after = envfile.edited(text, changes)
    wanted = envfile.read(text) | changes
    assert envfile.read(after) == {name: each for name, each in wanted.items() if each is not None}
    kept = [line for line in lines if line.split("=")[0] not in changes]
    assert [line for line in after.splitlines() if line in kept] == kept
    assert envfile.edited(after, changes) == after
