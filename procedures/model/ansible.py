"""Ansible's inventory as clusters of OpenShift and OKD 3 have it: an INI file. (P48, P52; X15, X19)

Comments, order and what is not of the groups of etcd stay as they are. A host is one by its whole
name, never by a part of it.
"""

import re
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

ETCD, NEW_ETCD = "etcd", "new_etcd"
_OURS = (ETCD, NEW_ETCD)

PLAYBOOK_RUNS = ("pgrep", "-f", "[a]nsible-playbook .*[.]ya?ml")
"""Ends with status 0 where one runs. The brackets keep the pattern from finding who asks."""

_ALL = ("OSEv3", "children")

_COMMENTS = "#;"
_HEADER = re.compile(r"\[(?P<group>[^:\]\s]+)(?::(?P<kind>\w+))?\]\s*(?:[#;].*)?")
_PORT = re.compile(r"(?P<name>[^:]+):\d+")
_RANGE = re.compile(r"\[[^\]]*:[^\]]*\]")
_ADDRESSES = frozenset({"ansible_host", "ansible_ssh_host"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A line that lists a host or a child in a group; `number` counts the file's lines from 0."""

    group: str
    kind: str | None
    name: str
    number: int
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Known:
    """A host of the configuration, with all that it is called, in lower case."""

    name: str
    known_as: frozenset[str]


def names_in(text: str, group: str) -> tuple[str, ...]:
    """List the hosts of a group, as they are spelt. Raises ValueError."""
    return tuple(each.name for each in _hosts(text, group))


def spelt(text: str, host: Known, others: Collection[Known]) -> tuple[str, ...]:
    """How an inventory calls a host, in whatever group. Raises ValueError where nobody can tell.

    It is one by its name, or by the address that is given with the name.
    """
    called: dict[str, set[str]] = {}
    for each in _entries(text):
        if each.kind is None:
            addresses = {each.variables[name] for name in _ADDRESSES & set(each.variables)}
            called.setdefault(each.name, set()).update({each.name, *addresses})
    found = []
    for name, aliases in called.items():
        lower = {each.lower() for each in aliases}
        owners = [one for one in (host, *others) if one.known_as & lower]
        if host in owners and len(owners) > 1:
            both = " and ".join(sorted(one.name for one in owners))
            message = f"{name} may be {both}"
            raise ValueError(message)
        found += [name] if host in owners else []
    return tuple(found)


def members_changed(text: str, values: Sequence[str]) -> str:
    """Take hosts out of [etcd] and [new_etcd] (`-NAME`), and let others be in [etcd] (`+LINE`).

    What is listed in [new_etcd] moves as it is, with its variables. Raises ValueError.
    """
    for value in values:
        sign, line = value[:1], value[1:]
        text = _in(text, line) if sign == "+" else _out(text, line, *_OURS)
    return text


def announced(text: str, values: Sequence[str]) -> str:
    """Let hosts be in [new_etcd], which is made where it is missing, and belongs to [OSEv3].

    Raises ValueError, also for one that is in [etcd].
    """
    for line in values:
        name = line.split()[0]
        if name in names_in(text, ETCD):
            message = f"[{ETCD}] lists {name} already"
            raise ValueError(message)
        if not any(_is_header(each, NEW_ETCD, None) for each in text.split("\n")):
            text = f"{text.rstrip()}\n\n[{NEW_ETCD}]\n"
        children = (each.name for each in _entries(text) if (each.group, each.kind) == _ALL)
        if NEW_ETCD not in children:
            text = _added(text, *_ALL, NEW_ETCD)
        if name not in names_in(text, NEW_ETCD):
            text = _added(text, NEW_ETCD, None, line)
    return text


def shown(text: str) -> str:
    """The same, with the values of hosts of etcd left out: any may be a password (X18)."""
    lines = text.split("\n")
    for each in _entries(text):
        if each.group in _OURS and each.kind is None:
            variables = (_veiled(name, value) for name, value in each.variables.items())
            lines[each.number] = " ".join((each.name, *variables))
    return "\n".join(lines)


def _veiled(name: str, value: str) -> str:
    return f"{name}={value}" if name in _ADDRESSES else f"{name}=…"


def _entries(text: str) -> Iterator[Entry]:
    """All that is listed. Raises ValueError for what is no inventory that can be edited."""
    if text.startswith("#!"):
        message = "it is a program, not a list"
        raise ValueError(message)
    group, kind = "ungrouped", None
    for number, raw in enumerate(text.split("\n")):
        line = raw.strip()
        if not line or line[0] in _COMMENTS:
            continue
        if line == "---":
            message = "it is YAML, and only INI files are edited"
            raise ValueError(message)
        if header := _HEADER.fullmatch(line):
            group, kind = header["group"], header["kind"]
        elif kind != "vars":
            yield _entry(group, kind, number, line)


def _entry(group: str, kind: str | None, number: int, line: str) -> Entry:
    try:
        first, *rest = shlex.split(line, comments=True)
    except ValueError as error:
        message = f"its line {number + 1} cannot be read"
        raise ValueError(message) from error
    if group in _OURS and _RANGE.search(first):
        message = f"[{group}] has the range {first}: list its hosts one by one"
        raise ValueError(message)
    port = _PORT.fullmatch(first)
    pairs = (each.partition("=") for each in rest)
    name = port["name"] if port else first
    return Entry(group, kind, name, number, {pair[0]: pair[2] for pair in pairs})


def _hosts(text: str, group: str) -> tuple[Entry, ...]:
    return tuple(each for each in _entries(text) if (each.group, each.kind) == (group, None))


def _out(text: str, name: str, *groups: str) -> str:
    gone = {each.number for group in groups for each in _hosts(text, group) if each.name == name}
    lines = enumerate(text.split("\n"))
    return "\n".join(line for number, line in lines if number not in gone)


def _in(text: str, line: str) -> str:
    """Let a host be in [etcd]: by the line that lists it in [new_etcd], where one does."""
    name = line.split(maxsplit=1)[0]
    waiting = [each.number for each in _hosts(text, NEW_ETCD) if each.name == name]
    if waiting:
        line = text.split("\n")[waiting[0]]
    text = _out(text, name, NEW_ETCD)
    return text if name in names_in(text, ETCD) else _added(text, ETCD, None, line)


def _is_header(line: str, group: str, kind: str | None) -> bool:
    found = _HEADER.fullmatch(line.strip())
    return found is not None and (found["group"], found["kind"]) == (group, kind)


def _added(text: str, group: str, kind: str | None, line: str) -> str:
    """Put a line after the last one of a section. Raises ValueError where there is no section."""
    lines = text.split("\n")
    starts = [number for number, each in enumerate(lines) if _is_header(each, group, kind)]
    if not starts:
        message = f"it has no section [{group}:{kind}]" if kind else f"it has no section [{group}]"
        raise ValueError(message)
    last = starts[0]
    for number, each in enumerate(lines[starts[0] + 1 :], starts[0] + 1):
        if _HEADER.fullmatch(each.strip()):
            break
        if each.strip() and each.strip()[0] not in _COMMENTS:
            last = number
    lines.insert(last + 1, line)
    return "\n".join(lines)
