"""What every flavour can do."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from tests.testbed.machine import Machine
from tests.testbed.pki import Pki

Version = Literal["3.4", "3.5"]

FILES = Path(__file__).parent.parent / "files"


@dataclass(frozen=True, slots=True)
class Member:
    """What one host is told about its cluster."""

    name: str
    address: str
    cluster: Mapping[str, str]
    """Peer URLs of all first members, by name."""
    token: str
    state: Literal["new", "existing"] = "new"
    quota_bytes: int | None = None

    @property
    def initial_cluster(self) -> str:
        """As etcd wants it."""
        return ",".join(f"{name}={url}" for name, url in self.cluster.items())


class Flavour(Protocol):
    """A platform's habits. Files are written whether the host is on or off."""

    token: str
    """The cluster token that the platform's installer gives to every cluster."""
    ca_file: str
    """The authority's certificate, on every host."""

    def install(self, machine: Machine, version: Version) -> None:
        """Put the platform's software on a new host, with no member and nothing that starts."""

    def keys(self, machine: Machine, pki: Pki, address: str) -> None:
        """Give a host its certificates."""

    def authority(self, machine: Machine, pki: Pki) -> None:
        """Make a host the one that keeps the authority's key."""

    def configure(self, machine: Machine, member: Member) -> None:
        """Write a member's configuration; nothing starts."""

    def member_name(self, host: str, position: int) -> str:
        """What the installer calls the member on a host; `position` is counted from 1."""

    def start(self) -> list[str]:
        """The command that starts etcd on a configured host, now and at each boot."""


def etcd_environment(member: Member) -> dict[str, str]:
    """The settings that all platforms share, as etcd reads them from its environment."""
    address = member.address
    settings = {
        "ETCD_NAME": member.name,
        "ETCD_DATA_DIR": "/var/lib/etcd",
        "ETCD_LISTEN_PEER_URLS": f"https://{address}:2380",
        "ETCD_LISTEN_CLIENT_URLS": f"https://{address}:2379",
        "ETCD_INITIAL_ADVERTISE_PEER_URLS": f"https://{address}:2380",
        "ETCD_INITIAL_CLUSTER": member.initial_cluster,
        "ETCD_INITIAL_CLUSTER_STATE": member.state,
        "ETCD_INITIAL_CLUSTER_TOKEN": member.token,
        "ETCD_ADVERTISE_CLIENT_URLS": f"https://{address}:2379",
        "ETCD_CLIENT_CERT_AUTH": "true",
        "ETCD_PEER_CLIENT_CERT_AUTH": "true",
    }
    if member.quota_bytes:
        settings["ETCD_QUOTA_BACKEND_BYTES"] = str(member.quota_bytes)
    return settings


def environment_file(settings: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def link_binaries(machine: Machine, version: Version, folder: str, *names: str) -> None:
    """Give a host the programs of its version, in this folder."""
    for name in names:
        program = f"opt/etcd-{version}/usr/bin/{name}"
        if (machine.root / program).exists():  # etcdutl is new in 3.5
            machine.link(f"{folder}/{name}", f"/{program}")


def master_scripts(machine: Machine) -> None:
    """The scripts that OpenShift 3.10 and 3.11 put on every master, wherever its etcd runs."""
    for name in ("master-exec", "master-logs", "master-restart"):
        machine.write(f"usr/local/bin/{name}", (FILES / name).read_text(), mode=0o755)
