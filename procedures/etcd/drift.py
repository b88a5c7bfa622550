"""Whether etcd's configuration on a host says what the cluster's member list says."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from procedures.model.probe import ListedMember
from procedures.model.report import Figure, Level

_STATES = frozenset({"new", "existing"})
_QUOTED = 60


def drift(
    host: str, path: str, values: Mapping[str, str], listing: Sequence[ListedMember]
) -> list[Figure]:
    """Compare the values of a configuration file; one figure for each difference.

    What is not set there is not compared: it may stand on the command line.
    """
    row = next((each for each in listing if each.name == host), None)
    if row is None:
        text = f"the member list has no {host}, and {path} is there"
        return [_figure(host, Level.INFO, text)]
    figures = [_figure(host, Level.WARN, text) for text in _differences(row, values, listing)]
    state = values.get("ETCD_INITIAL_CLUSTER_STATE", "new")
    if state not in _STATES:
        text = f"ETCD_INITIAL_CLUSTER_STATE is {state[:_QUOTED]!r}, neither new nor existing"
        figures.append(_figure(host, Level.WARN, text))
    return figures or [_figure(host, Level.OK, f"as the member list has it, initial state {state}")]


def _differences(
    row: ListedMember, values: Mapping[str, str], listing: Sequence[ListedMember]
) -> list[str]:
    found = []
    name = values.get("ETCD_NAME", row.name)
    if name != row.name:
        found.append(f"ETCD_NAME is {name[:_QUOTED]!r}, in the member list it is {row.name}")
    for key, listed in (
        ("ETCD_INITIAL_ADVERTISE_PEER_URLS", row.peer_urls),
        ("ETCD_ADVERTISE_CLIENT_URLS", row.client_urls),
    ):
        if key in values and set(values[key].split(",")) != set(listed):
            found.append(f"{key} is {values[key]}, in the member list it is {','.join(listed)}")
    believed = _members(values.get("ETCD_INITIAL_CLUSTER", ""))
    real = {(each.name, url) for each in listing for url in each.peer_urls if each.name}
    if believed and believed != real:
        added = [f"{name}={url} is no member" for name, url in sorted(believed - real)]
        lacking = [f"{name}={url} is missing" for name, url in sorted(real - believed)]
        found.append(
            f"ETCD_INITIAL_CLUSTER, read at a first start only: {', '.join(added + lacking)}"
        )
    return found


def hosts_of(urls: str) -> tuple[str, ...]:
    """The names or addresses in a list of URLs as etcd writes it."""
    found = (urlsplit(url).hostname for url in urls.split(","))
    return tuple(dict.fromkeys(each for each in found if each))


def _members(text: str) -> set[tuple[str, str]]:
    pairs = (each.partition("=") for each in text.split(",") if "=" in each)
    return {(name.strip(), url.strip()) for name, _, url in pairs}


def _figure(host: str, level: Level, text: str) -> Figure:
    return Figure("config", level, text, member=host, counts=False)
