"""How the configuration of etcd reads on a host that joins, and on those that are there."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from procedures.model import envfile
from procedures.model.errors import Refused
from procedures.model.host import Machine
from procedures.model.inventory import Host

_ADDRESSED = (
    "ETCD_LISTEN_PEER_URLS",
    "ETCD_LISTEN_CLIENT_URLS",
    "ETCD_INITIAL_ADVERTISE_PEER_URLS",
    "ETCD_ADVERTISE_CLIENT_URLS",
    "ETCD_LISTEN_METRICS_URLS",
)
_ONCE = ("ETCD_FORCE_NEW_CLUSTER",)


@dataclass(frozen=True, slots=True)
class Place:
    """A member's host, and who the machine is."""

    host: Host
    machine: Machine


def initial_cluster(peers: Mapping[str, str]) -> str:
    """Write the peer URL of each member, by its name."""
    return ",".join(f"{name}={url}" for name, url in sorted(peers.items()))


def url_on(url: str, address: str) -> str:
    """Take the scheme and port of a URL to another address."""
    parts = urlsplit(url)
    host = f"[{address}]" if ":" in address else address
    return f"{parts.scheme}://{host}:{parts.port}"


def joined(template: str, of: Place, new: Place, peers: Mapping[str, str]) -> str:
    """Make the configuration of a new member from that of another.

    What is its own changes: name, addresses, certificates that bear its host name. It joins an
    existing cluster: with the state `new` it would found one of its own (R21).
    """
    values = envfile.read(template)
    changes: dict[str, str | None] = {
        name: _moved(value, of, new, addressed=name in _ADDRESSED)
        for name, value in values.items()
        if name.startswith("ETCD_")
    }
    changes |= {
        "ETCD_NAME": new.host.name,
        "ETCD_INITIAL_CLUSTER": initial_cluster(peers),
        "ETCD_INITIAL_CLUSTER_STATE": "existing",
    }
    changes |= {name: None for name in _ONCE if name in values}
    missing = [name for name in _ADDRESSED[:4] if not changes.get(name)]
    if missing:
        message = (
            f"The configuration of {of.host.name} does not set {', '.join(missing)}, so that of "
            f"{new.host.name} cannot be made from it. Add it there."
        )
        raise Refused(message)
    return envfile.edited(template, changes)


def staying(text: str, peers: Mapping[str, str]) -> str:
    """Change what a member that stays believes of the others; it is read at a first start only."""
    return envfile.edited(text, {"ETCD_INITIAL_CLUSTER": initial_cluster(peers)})


def _moved(value: str, of: Place, new: Place, *, addressed: bool) -> str:
    if addressed:
        urls = value.split(",")
        return ",".join(_url(url, of.host.address, new.host.address) for url in urls)
    before, after = of.machine.hostname, new.machine.hostname
    return value.replace(f"-{before}.", f"-{after}.").replace(f"-{before}-key.", f"-{after}-key.")


def _url(url: str, before: str, after: str) -> str:
    return url_on(url, after) if urlsplit(url).hostname == before else url
