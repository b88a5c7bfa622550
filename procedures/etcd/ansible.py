"""Ansible's inventory as one more place that names who is a member. (catalogue P48; X15, X19)"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from procedures.actions.host.edit_file import edited
from procedures.engine.ports import Look
from procedures.etcd.hosts import Hosts
from procedures.etcd.leaving import home_of
from procedures.etcd.observe import listed
from procedures.model.ansible import ETCD, NEW_ETCD, Known, names_in, spelt
from procedures.model.edits import IN_ANSIBLE
from procedures.model.host import FileSeen, Machine
from procedures.model.inventory import Ansible, Host
from procedures.model.plan import Undo
from procedures.model.probe import Fault, ListedMember
from procedures.model.procedure import Runbook

_LOOPBACK = frozenset({"localhost", "localhost.localdomain", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Noted:
    """The inventory as it was read; `file` is None where it could not be, and `why` says why."""

    hosts: Hosts
    where: Ansible
    file: FileSeen | None
    why: str = ""

    @property
    def shown(self) -> str:
        """Which file it is."""
        return f"{self.where.inventory} on {self.where.host}"


async def look_at_ansible(hosts: Hosts, look: Look) -> Noted | None:
    """Read it; None where the configuration names none. A silent host stands against nothing."""
    where = hosts.cluster.ansible
    if where is None:
        return None
    if not isinstance(hosts.machines.get(where.host), Machine):
        return Noted(hosts, where, None, f"{where.host} does not answer")
    found = await look.hosts.read(hosts.cluster, hosts.host(where.host), where.inventory)
    if isinstance(found, FileSeen):
        return Noted(hosts, where, found)
    why = found.message.rstrip(".") if isinstance(found, Fault) else "there is no such file"
    return Noted(hosts, where, None, why)


def note_members(
    noted: Noted | None, run: Runbook, *, leaves: ListedMember | None, joins: Host | None = None
) -> None:
    """Let the inventory name who is a member then; what cannot be done there is said."""
    if noted is None:
        return
    going = None if leaves is None else _going(noted.hosts, leaves, joins)
    words = _by_hand(going, joins)
    if not words:
        return
    if noted.file is None:
        run.fact(f"{noted.shown} stays, because {noted.why}. {words}")
        return
    try:
        _note(noted, noted.file, going, joins, run)
    except ValueError as error:
        why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error
        run.fact(f"{noted.shown} stays, because {why}. {words}")


def known(hosts: Hosts, host: Host) -> Known:
    """A host with all that it is called: by the configuration, by itself, by its member."""
    rows = [row for _, row in listed(hosts.view) if home_of(row, hosts) == host]
    machine = hosts.machines.get(host.name)
    names = {host.name, host.address}
    names |= {machine.hostname} if isinstance(machine, Machine) else set()
    return _known(host.name, names, rows)


def line_for(text: str, hosts: Hosts, host: Host) -> str:
    """How an inventory is to list a host: as it does already, else by its address."""
    found = spelt(text, known(hosts, host), others(hosts, host))
    waiting = names_in(text, NEW_ETCD)
    chosen = next((each for each in found if each in waiting), next(iter(found), None))
    return chosen or f"{host.name} ansible_host={host.address}"


def others(hosts: Hosts, *apart_from: Host | None) -> tuple[Known, ...]:
    """All other hosts of the cluster."""
    return tuple(known(hosts, each) for each in hosts.cluster.hosts if each not in apart_from)


def _known(name: str, names: set[str], rows: Sequence[ListedMember]) -> Known:
    for row in rows:
        names |= {row.name} | {
            urlsplit(url).hostname or "" for url in (*row.client_urls, *row.peer_urls)
        }
    return Known(name, frozenset(each.lower() for each in names - {""}) - _LOOPBACK)


@dataclass(frozen=True, slots=True)
class _Going:
    """Who leaves, and its host where the configuration names one."""

    known: Known
    host: Host | None


def _going(hosts: Hosts, row: ListedMember, joins: Host | None) -> _Going | None:
    """None where its host has, or gets, another member."""
    home = home_of(row, hosts)
    if home is None:
        return _Going(_known(row.name or row.id, set(), [row]), None)
    stays = any(
        each.id != row.id and home_of(each, hosts) == home for _, each in listed(hosts.view)
    )
    return None if stays or home == joins else _Going(known(hosts, home), home)


def _by_hand(going: _Going | None, joins: Host | None) -> str:
    out = f"take {going.known.name} out of [{ETCD}]" if going else ""
    into = f"list {joins.name} in [{ETCD}]" if joins else ""
    what = " and ".join(each for each in (out, into) if each)
    return f"{what[0].upper()}{what[1:]} by hand." if what else ""


def _note(
    noted: Noted, file: FileSeen, going: _Going | None, joins: Host | None, run: Runbook
) -> None:
    hosts, text = noted.hosts, file.content.decode()
    values = []
    if going is not None:
        called = spelt(text, going.known, others(hosts, going.host))
        values = [f"-{name}" for name in called]
    if joins is not None:
        values.append(f"+{line_for(text, hosts, joins)}")
    at = hosts.at(noted.where.host)
    edit = edited(
        hosts.cluster.name, at, noted.where.inventory, file, edit=IN_ANSIBLE, values=tuple(values)
    )
    if edit is None:
        run.fact(f"{noted.shown} reads so already.")
        return
    run.step(
        "Note the new membership in Ansible's inventory",
        edit,
        undo=Undo(f"On {at.host}: the former file lies beside it, as .…quorumbot-<its SHA-256>."),
    )
    before = names_in(text, ETCD)
    after = [name for name in before if f"-{name}" not in values]
    if before and after and before[0] != after[0]:
        run.fact(
            f"{before[0]} is the first in [{ETCD}], where openshift-ansible looks for the CA of "
            f"etcd; {after[0]} is that then. Keep a copy of /etc/etcd/ca."
        )
