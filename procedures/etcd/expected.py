"""Who of those listed is expected, and what the record becomes when that changes."""

from collections.abc import Callable, Mapping
from typing import NoReturn
from urllib.parse import urlsplit

from procedures.etcd.view import Seen, View
from procedures.model.client_urls import is_host
from procedures.model.errors import Refused
from procedures.model.ids import MemberId, MemberName
from procedures.model.inventory import Cluster
from procedures.model.probe import ListedMember

Members = dict[MemberName, str]
"""Client URLs by name."""


def known(cluster: Cluster, view: View) -> Mapping[MemberId, MemberName]:
    """Tell which expected member each listed one is; those that are not expected are left out.

    An answer at its endpoint is the best evidence, then comes the name, then the address.
    """
    found: dict[MemberId, MemberName] = {}
    for way in (_by_answer, _by_name, _by_address):
        _match(cluster, view, way, found)
    return found


def missing(cluster: Cluster, view: View) -> tuple[MemberName, ...]:
    """List who is expected, and not in the member list."""
    found = set(known(cluster, view).values())
    return tuple(name for name in cluster.endpoints if name not in found)


def without(cluster: Cluster, view: View, member: MemberId) -> Members | None:
    """Leave a member out, and all others as they are. None where it was not expected.

    Where it was the only one that was expected, the others that are listed take its place.
    """
    name = known(cluster, view).get(member)
    if name is None:
        return None
    others = {each: url for each, url in cluster.endpoints.items() if each != name}
    return others or {
        MemberName(row.name): url
        for row in _rows(view)
        if row.id != member and row.started and (url := _own_url(cluster, row))
    }


def also(cluster: Cluster, view: View, row: ListedMember) -> Members | None:
    """Expect one more, where the configuration or else it itself says that it is.

    None where it is expected already, or where nobody can tell where it is to be asked.
    """
    name = MemberName(row.name)
    url = cluster.configured.get(name) or _own_url(cluster, row)
    taken = name in cluster.endpoints or url in cluster.endpoints.values()
    if url is None or taken or row.id in known(cluster, view):
        return None
    return {**cluster.endpoints, name: url}


def as_listed(cluster: Cluster, view: View) -> Members:
    """Expect those that are listed, each where it is known to be found.

    That is its endpoint, if it is expected already; else what the configuration says of its
    name; else where it says itself that it is. Raises Refused where that cannot be told.
    """
    expected = known(cluster, view)
    members: Members = {}
    for row in sorted(_rows(view), key=lambda row: row.name):
        name = MemberName(row.name)
        if not row.started:
            peer = ", ".join(row.peer_urls)
            message = (
                f"Member {row.id}, peer {peer}, was added and has never started, so that nobody "
                "knows where it answers. Start it, or remove it."
            )
            raise Refused(message)
        if name in members:
            message = f"Two members are called {name}. Give each a name of its own first."
            raise Refused(message)
        own = expected.get(row.id)
        url = cluster.endpoints[own] if own else cluster.configured.get(name)
        members[name] = url or _own_url(cluster, row) or _nowhere(cluster, row)
    twice = sorted({url for url in members.values() if [*members.values()].count(url) > 1})
    if twice:
        message = f"Two members would be expected at {twice[0]}. Say with --members who is where."
        raise Refused(message)
    return members


def fits(cluster: Cluster, url: str) -> bool:
    """Tell whether a URL is one at which a member of this cluster can be asked."""
    try:
        parts = urlsplit(url)
        whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    rest = parts.path or parts.query or parts.fragment or "@" in parts.netloc
    plain = not rest and is_host(parts.hostname or "")
    return whole and plain and parts.scheme == scheme(cluster)


def scheme(cluster: Cluster) -> str:
    """The scheme of its client URLs: encrypted where there are files for that, and only there."""
    return "https" if cluster.tls else "http"


def _own_url(cluster: Cluster, row: ListedMember) -> str | None:
    """Choose where a member says that it is."""
    return next((url for url in row.client_urls if fits(cluster, url)), None)


def _nowhere(cluster: Cluster, row: ListedMember) -> NoReturn:
    message = (
        f"{row.name} says that it is at {', '.join(row.client_urls) or 'no address'}, and is to be "
        f"asked by {scheme(cluster)}. Say with --members who is where."
    )
    raise Refused(message)


def _match(
    cluster: Cluster,
    view: View,
    way: Callable[[Cluster, Seen, ListedMember], MemberName | None],
    found: dict[MemberId, MemberName],
) -> None:
    for seen in view.seen:
        row = seen.listed
        if row is None or row.id in found:
            continue
        name = way(cluster, seen, row)
        if name is not None and name not in found.values():
            found[row.id] = name


def _by_answer(_: Cluster, seen: Seen, __: ListedMember) -> MemberName | None:
    return seen.probe.expected if seen.probe and seen.status else None


def _by_name(cluster: Cluster, _: Seen, row: ListedMember) -> MemberName | None:
    return MemberName(row.name) if row.name in cluster.endpoints else None


def _by_address(cluster: Cluster, seen: Seen, row: ListedMember) -> MemberName | None:
    for name, url in cluster.endpoints.items():
        if url in row.client_urls or (not row.started and name == seen.name):
            return name
    return None


def _rows(view: View) -> list[ListedMember]:
    return [seen.listed for seen in view.seen if seen.listed]
