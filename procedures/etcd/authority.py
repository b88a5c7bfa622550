"""The CA that a cluster has, and the host that can sign with it. (catalogue P53, P65; rule R17)

A new CA is never made: with one, old and new members would no longer trust each other.
"""

import asyncio
import re
from dataclasses import dataclass

from procedures.engine.ports import Look
from procedures.etcd.asking import Asking
from procedures.etcd.certificate_figures import day
from procedures.etcd.hosts import Hosts
from procedures.etcd.own_certificates import OwnFiles
from procedures.model import certificate
from procedures.model.certificate import Leaf
from procedures.model.errors import Refused, UsageError
from procedures.model.host import At, Machine
from procedures.model.inventory import Host
from procedures.model.platform import Authority, layout
from procedures.model.probe import Fault
from procedures.model.signing import DAYS, outlives, public_argv

_DAY_S = 86_400
_UNIQUE = re.compile(r"^\s*unique_subject\s*=\s*(\w+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Signer:
    """A host with the CA's key, and the CA's certificate."""

    host: Host
    at: At
    place: Authority
    ca: Leaf


async def find_signer(hosts: Hosts, look: Look) -> Signer:
    """Find it among the hosts that answer. Raises Refused where none can sign, or too many."""
    cluster, place = hosts.cluster, layout(hosts.cluster.platform).authority
    reached = [each for each in cluster.hosts if isinstance(hosts.machines[each.name], Machine)]
    asked = [Asking(look, cluster, each) for each in reached]
    having = await asyncio.gather(*(each.holds("test", "-s", place.key) for each in asked))
    found = [each for each, has in zip(asked, having, strict=True) if has]
    if not found:
        message = (
            f"No host of {cluster.name} that answers has {place.key}, so nothing can be signed by "
            f"the CA that its members trust; a new CA is never made (R17). {_unreached(hosts)}"
            "Put the CA's certificate and key on one of the hosts."
        )
        raise Refused(message.strip())
    if place.record and len(found) > 1:
        names = " and ".join(each.host.name for each in found)
        message = (
            f"{place.key} is on {names}, each with a record of its own of what was signed: only "
            f"one of them may sign. Move {place.record} away from the others (R17)."
        )
        raise Refused(message)
    wrong: list[str] = []
    for each in found:
        ca, why = await _authority(each, place)
        if ca is not None:
            return Signer(each.host, hosts.at(each.host.name), place, ca)
        wrong.append(why)
    message = f"Nothing can be signed (R17): {'; '.join(wrong)}."
    raise Refused(message)


def days_of(text: str | None, signer: Signer, now_s: int) -> int:
    """For how many days a certificate is to be good. Raises UsageError, and Refused (R17)."""
    if text is not None and not (text.isdecimal() and 0 < int(text) < 100_000):
        message = f"--days takes a number of days, and {text!r} is none."
        raise UsageError(message)
    days = int(text) if text else DAYS
    if signer.ca.ends_s <= now_s:
        message = (
            f"The CA in {signer.place.cert} on {signer.host.name} ended {day(signer.ca.ends_s)}: "
            "whatever it signs is refused everywhere (R17). All members and clients need a new "
            "CA, trusted beside the old one first, which is not done here."
        )
        raise Refused(message)
    if not outlives(signer.ca, now_s, days):
        most = (signer.ca.ends_s - now_s) // _DAY_S - 1
        ask = f"Ask for --days {most} at most, or r" if most > 0 else "R"
        message = (
            f"The CA in {signer.place.cert} on {signer.host.name} ends {day(signer.ca.ends_s)}, "
            f"before a certificate of {days} days would (R17). {ask}enew the CA first, which is "
            "not done here."
        )
        raise Refused(message)
    return days


def require_trust(own: OwnFiles, signer: Signer, now_s: int) -> None:
    """Make sure that a host trusts what the CA signs: its name and key count. Raises Refused."""
    ca = (signer.ca.subject, signer.ca.key)
    for path, trusted in own.trusted.items():
        same = [each for each in trusted if (each.subject, each.key) == ca]
        if same and all(each.ends_s <= now_s for each in same):
            message = (
                f"The CA in {path} on {own.host.name} ended "
                f"{day(max(each.ends_s for each in same))}, so nothing that it has signed is "
                f"trusted there (R17). The one in {signer.place.cert} on {signer.host.name} ends "
                f"{day(signer.ca.ends_s)}: put that in its place first."
            )
            raise Refused(message)
        if not same:
            message = (
                f"{path} on {own.host.name} does not trust the CA in {signer.place.cert} on "
                f"{signer.host.name} ({signer.ca.subject}), so what that signs is of no use there "
                "(R17). Let all members trust one CA first."
            )
            raise Refused(message)


async def _authority(asking: Asking, place: Authority) -> tuple[Leaf | None, str]:
    """The CA of a host, or why it cannot sign."""
    name = asking.host.name
    file = await asking.file(place.cert)
    ca = certificate.read(file.content) if file else None
    if ca is None or not ca.authority:
        return None, f"{place.cert} on {name} is no certificate of a CA"
    public = await asking.said(public_argv(place.key), range(256))
    if public.status or certificate.public_key(public.out.encode()) != ca.key:
        why = "is not the key of" if public.status == 0 else "cannot be read beside"
        return None, f"{place.key} on {name} {why} {place.cert}"
    if place.config is None:
        return ca, ""
    config = await asking.file(place.config)
    attributes = await asking.file(f"{place.record}/index.txt.attr")
    if config is None:
        return None, f"{place.config} is missing on {name}"
    texts = (each.content.decode(errors="replace") for each in (attributes, config) if each)
    # The first word on it decides, and openssl's own is yes; a host has several of one name.
    words = [word for text in texts for word in _UNIQUE.findall(text)]
    if words[:1] != ["no"]:
        return None, f"{place.config} on {name} signs no name twice: set unique_subject = no"
    return ca, ""


def _unreached(hosts: Hosts) -> str:
    silent = [name for name, each in hosts.machines.items() if isinstance(each, Fault)]
    return f"{' and '.join(silent)} cannot be reached. " if silent else ""
