"""Which certificates the hosts of a cluster have, and how they are. (catalogue N11; rule R17)

Keys stay where they are: of one, its host tells mode, owner and the public half only. Nothing is
changed.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping

from procedures.engine.ports import Look
from procedures.etcd.certificate_figures import (
    authority_figure,
    ca_figures,
    file_figure,
    port_figures,
)
from procedures.etcd.certificates_seen import Certified, look_at_certificates
from procedures.etcd.observe import observe
from procedures.host.answering import Args, answered, report
from procedures.host.asking import each_host
from procedures.model.inquiry import Inquiry
from procedures.model.platform import layout
from procedures.model.probe import Certificates
from procedures.model.report import Figure, HostsReport, Level


async def ask(args: Args, look: Look) -> AsyncIterator[HostsReport]:
    """Look at all hosts, and at what the members show. Raises Refused."""
    cluster = look.inventory.clusters[args.cluster]
    layout(cluster.platform)
    seen, view = await asyncio.gather(
        each_host(cluster, look, look_at_certificates), observe(cluster, look)
    )
    urls: dict[str, str | None] = dict.fromkeys(cluster.endpoints.values())
    names = {url: str(name) for name, url in cluster.endpoints.items()}
    for each in view.seen:
        if each.probe is not None:
            names[each.probe.endpoint] = each.name
            urls[each.probe.endpoint] = each.listed.peer_urls[0] if each.listed else None
    shown = await look.etcd.certificates(cluster, urls)
    by_name: Mapping[str, Certificates] = {names[url]: each for url, each in shown.items()}
    told, unreached = answered(seen)
    now_s = look.clock.now_ms() // 1_000
    figures: list[Figure] = []
    members = {each.name for each in view.seen if each.listed}
    for name, host in told.items():
        if view.listed and name not in members and host.empty:
            text = f"none yet, and no member: /etcd certs issue {name} makes them"
            figures.append(Figure("certificates", Level.INFO, text, name, counts=False))
            continue
        figures += _figures(name, host, by_name.get(name), now_s)
    if not any(host.authority for host in told.values()):
        place = layout(cluster.platform).authority.key
        text = f"no host that answered has {place}: nothing can be signed from here (R17)"
        figures.append(Figure("CA key", Level.INFO, text, counts=False))
    yield report(cluster, "certificates", seen, [*figures, *unreached])


INQUIRY = Inquiry("etcd certs", Args, ask)


def _figures(name: str, host: Certified, shown: Certificates | None, now_s: int) -> list[Figure]:
    figures = [
        file_figure(name, kept, host.trusted.get(kept.use.ca, ()), now_s) for kept in host.kept
    ]
    figures += ca_figures(name, host.trusted, now_s)
    figures += port_figures(name, host.kept, shown)
    if host.authority:
        figures.append(authority_figure(name, host.authority, host.trusted, now_s))
    if host.passed_over:
        text = f"{host.passed_over} more certificates of others were not looked at"
        figures.append(Figure("certificates", Level.UNKNOWN, text, name, counts=False))
    return figures
