"""Figures from certificates: how long each is still valid."""

from collections.abc import Mapping

from procedures.etcd.view import View
from procedures.model.probe import Certificate, Certificates, Fault, FaultKind, OwnCertificates
from procedures.model.report import Figure, Level

_DAY_S = 24 * 3600
_LEAF_DAYS = 30  # ours
_CA_DAYS = 180  # ours


def certificates(
    view: View, told: Mapping[str, Certificates], own: OwnCertificates | None, now_s: int
) -> list[Figure]:
    """Days left on the certificates of each port, of the client certificate and of its CA."""
    figures = []
    for seen in view.seen:
        ports = told.get(seen.probe.endpoint) if seen.probe else None
        if ports is None:
            continue
        figures.append(_figure("client port", ports.client_port, _LEAF_DAYS, now_s, seen.name))
        figures.append(_figure("peer port", ports.peer_port, _LEAF_DAYS, now_s, seen.name))
    if own is not None:
        figures.append(_figure("own client", own.client, _LEAF_DAYS, now_s))
        if isinstance(own.ca, Fault):
            figures.append(_figure("CA", own.ca, _CA_DAYS, now_s))
        else:
            figures += [_figure("CA", authority, _CA_DAYS, now_s) for authority in own.ca]
    return figures


def _figure(
    what: str, found: Certificate | Fault, days: int, now_s: int, member: str | None = None
) -> Figure:
    name = f"{what} certificate"
    if isinstance(found, Fault):
        if found.kind is FaultKind.SKIPPED:
            return Figure(name, Level.INFO, found.message, member=member, counts=False)
        return Figure(name, Level.UNKNOWN, found.message, member=member, counts=False)
    left = (found.not_after_s - now_s) // _DAY_S
    if found.not_after_s <= now_s:
        ago = (now_s - found.not_after_s) // _DAY_S
        return Figure(name, Level.CRITICAL, f"expired {ago} days ago (R17)", member=member)
    if found.not_before_s > now_s:
        return Figure(name, Level.CRITICAL, "is not valid yet: check the clock", member=member)
    level = Level.WARN if left < days else Level.OK
    return Figure(name, level, f"{left} days left", member=member)
