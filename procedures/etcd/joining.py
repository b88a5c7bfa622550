"""How the configuration of etcd reads on a host that joins, and on those that are there."""

import re
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
_ANYWHERE = frozenset({"localhost", "::1", "0.0.0.0", "::", ""})
_ONCE = ("ETCD_FORCE_NEW_CLUSTER",)
_OF_A_HOST = ("ETCD_", "ETCDCTL_")
_NEVER_IN_A_LIST = re.compile(r"[\s,=\"'`$\\]")


@dataclass(frozen=True, slots=True)
class Place:
    """A member's host, and who the machine is."""

    host: Host
    machine: Machine


def initial_cluster(peers: Mapping[str, str]) -> str:
    """Write the peer URL of each member, by its name.

    Raises Refused where a name would be read as more than one, or as another: etcd takes any.
    """
    for name in peers:
        if _NEVER_IN_A_LIST.search(name) or not name.isprintable():
            message = (
                f"The name of member {name!r} cannot stand in ETCD_INITIAL_CLUSTER. Start it "
                "under one of letters, digits, dots and dashes, or remove it first."
            )
            raise Refused(message)
    return ",".join(f"{name}={url}" for name, url in sorted(peers.items()))


def url_on(url: str, address: str) -> str:
    """Take the scheme and port of a URL to another address."""
    parts = urlsplit(url)
    host = f"[{address}]" if ":" in address else address
    return f"{parts.scheme}://{host}:{parts.port}"


def advertised(template: str, new: Host) -> str | None:
    """Where clients will reach a member that is configured like another; None: it tells not."""
    value = envfile.read(template).get("ETCD_ADVERTISE_CLIENT_URLS", "").split(",")[0]
    return _url(value, new.address) if value else None


def told(template: str, of: Place, new: Place) -> dict[str, str]:
    """What etcd will be told on a host that is configured like another."""
    return {
        name: _moved(value, of, new, addressed=name in (*_ADDRESSED, "ETCDCTL_ENDPOINTS"))
        for name, value in envfile.read(template).items()
        if name.startswith(_OF_A_HOST)
    }


def joined(template: str, of: Place, new: Place, peers: Mapping[str, str]) -> str:
    """Make the configuration of a new member from that of another.

    What is its own changes: name, addresses, certificates that bear its host name. It joins an
    existing cluster: with the state `new` it would found one of its own (R21).
    """
    values = envfile.read(template)
    changes: dict[str, str | None] = {**told(template, of, new)}
    changes |= {
        "ETCD_NAME": new.host.name,
        "ETCD_INITIAL_ADVERTISE_PEER_URLS": peers[new.host.name],
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


def own(text: str, member: str, of: Place, new: Place) -> str:
    """Make a file that runs a member, of that of another: wrapper, unit or manifest.

    What is a host's own in it are the name of its container, its address and its host name; what
    is a part of another name, of a path or of an image is not taken for them. Raises Refused
    where a container would keep the name of the other's.
    """
    named = rf"(--name[= ]|docker (?:rm|stop|kill)(?: -\S+)* ){re.escape(member)}(?![\w.-])"
    text = re.sub(named, lambda found: f"{found[1]}{new.host.name}", text)
    for before, after in (
        (of.host.address, new.host.address),
        (of.machine.hostname, new.machine.hostname),
    ):
        text = after.join(re.split(_alone(before), text))
    found = re.search(r"--name[= ](\S+)", text)
    if found and found[1] != new.host.name:
        message = (
            f"The container of etcd on {of.host.name} is called {found[1]}, and its member "
            f"{member}: nobody can tell what that on {new.host.name} is to be called."
        )
        raise Refused(message)
    return text


def _alone(word: str) -> str:
    """A pattern for a host name or address that is no part of another, or of a path."""
    more = r"[\w:]" if ":" in word else r"[\w-]|\.\w"
    return rf"(?<![\w.:-])(?:(?<!/)|(?<=//)){re.escape(word)}(?!{more})"


def staying(text: str, peers: Mapping[str, str]) -> str:
    """Change what a member that stays believes of the others; it is read at a first start only."""
    return envfile.edited(text, {"ETCD_INITIAL_CLUSTER": initial_cluster(peers)})


def _moved(value: str, of: Place, new: Place, *, addressed: bool) -> str:
    if addressed:
        return ",".join(_url(url, new.host.address) for url in value.split(","))
    before, after = of.machine.hostname, new.machine.hostname
    return value.replace(f"-{before}.", f"-{after}.").replace(f"-{before}-key.", f"-{after}-key.")


def _url(url: str, address: str) -> str:
    """Take a URL to a host; what is the same on each host stays."""
    hostname = urlsplit(url).hostname or ""
    return url if hostname in _ANYWHERE or hostname.startswith("127.") else url_on(url, address)
