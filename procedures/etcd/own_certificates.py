"""The certificates that a host has now, and those that take their place. (P53, P65, N11; R17)"""

import asyncio
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from procedures.engine.ports import Look
from procedures.etcd.asking import Asking
from procedures.etcd.certificates_in_use import InUse, in_use
from procedures.model import certificate, envfile
from procedures.model.certificate import Leaf
from procedures.model.errors import Refused
from procedures.model.host import FileSeen, Machine
from procedures.model.inventory import Cluster, Host, is_address
from procedures.model.paths import within, writable
from procedures.model.platform import Pair, layout
from procedures.model.signing import NewPair

_NAME = re.compile(r"[A-Za-z0-9._*-]+")
_ANYBODYS = frozenset({"127.0.0.1", "::1", "localhost"})
_KEY_MODE, _BY_GROUP = 0o600, 0o640


@dataclass(frozen=True, slots=True)
class KeyFile:
    """How a key lies there."""

    mode: int
    owner: str
    group: str


@dataclass(frozen=True, slots=True)
class OwnFiles:
    """One host: what it is told to use, and what lies there, by path."""

    host: Host
    machine: Machine
    uses: tuple[InUse, ...]
    certs: Mapping[str, FileSeen]
    keys: Mapping[str, KeyFile]

    def leaf(self, path: str) -> Leaf | None:
        """The certificate in a file."""
        file = self.certs.get(path)
        return certificate.read(file.content) if file else None

    @property
    def trusted(self) -> Mapping[str, tuple[Leaf, ...]]:
        """The CAs that it trusts, by file."""
        files = {use.ca: self.certs.get(use.ca) for use in self.uses}
        return {
            path: certificate.read_all(file.content) if file else () for path, file in files.items()
        }

    @property
    def pairs(self) -> Mapping[Pair, tuple[InUse, ...]]:
        """What each pair of files is used for."""
        found: dict[Pair, tuple[InUse, ...]] = {}
        for use in self.uses:
            found[use.pair] = (*found.get(use.pair, ()), use)
        return found

    @property
    def own_names(self) -> frozenset[str]:
        """What it is called, and where others come to it."""
        used = (each for use in self.uses for each in use.hosts)
        return frozenset({self.host.address, self.machine.hostname, *used})


async def look_at_own(
    cluster: Cluster,
    host: Host,
    machine: Machine,
    look: Look,
    told: Mapping[str, str] | None = None,
) -> OwnFiles:
    """Look at a host; `told` are the settings that it will have, without it those that it has.

    Raises Refused where it does not answer.
    """
    how, asking = layout(cluster.platform), Asking(look, cluster, host)
    values = told
    if values is None:
        config = await asking.file(how.config)
        values = envfile.read(config.content.decode(errors="replace")) if config else {}
    uses = in_use(how, machine.hostname, host, values)
    paths = tuple(dict.fromkeys(path for use in uses for path in (use.pair.cert, use.ca)))
    keys = tuple(dict.fromkeys(use.pair.key for use in uses))
    files, stats = await asyncio.gather(
        asyncio.gather(*(asking.file(path) for path in paths)),
        asyncio.gather(*(key_file(asking, path) for path in keys)),
    )
    return OwnFiles(
        host,
        machine,
        uses,
        {path: file for path, file in zip(paths, files, strict=True) if file},
        {path: key for path, key in zip(keys, stats, strict=True) if key},
    )


def renewed(own: OwnFiles, cluster: Cluster) -> tuple[NewPair, ...]:
    """Plan a new pair for each that is there, for all that the former one was for.

    Raises Refused with all that stands against it.
    """
    wrong, made = [], []
    for pair, uses in own.pairs.items():
        leaf, key = own.leaf(pair.cert), own.keys.get(pair.key)
        if leaf is None or key is None:
            wrong.append(f"{pair.cert if leaf is None else pair.key} is missing or unreadable")
        elif not (leaf.names | {leaf.common_name}) & (own.own_names - _ANYBODYS):
            named = ", ".join(sorted(leaf.names)) or leaf.subject
            wrong.append(f"{pair.cert} is another's: it is for {named}")
        else:
            file = own.certs[pair.cert]
            called = leaf.common_name or own.machine.hostname
            made.append(_pair(own, uses, _Like(leaf, file, key), called, leaf.names))
    return _checked(own, made, wrong, cluster)


def first(
    own: OwnFiles, model: OwnFiles, others: Iterable[str], cluster: Cluster
) -> tuple[NewPair, ...]:
    """Plan the pairs of a host like those of another; `others` are all that hosts are called.

    Raises Refused with all that stands against it.
    """
    wrong, made = [], []
    for (like, _), uses in zip(model.pairs.items(), own.pairs.values(), strict=True):
        leaf, key = model.leaf(like.cert), model.keys.get(like.key)
        if leaf is None or key is None:
            wrong.append(f"{like.cert} on {model.host.name} cannot be read")
            continue
        called = leaf.common_name.replace(model.machine.hostname, own.machine.hostname)
        if called == leaf.common_name:
            called = own.machine.hostname
        shared = leaf.names - set(others) - model.own_names
        made.append(_pair(own, uses, _Like(leaf, model.certs[like.cert], key), called, shared))
    return _checked(own, made, wrong, cluster)


@dataclass(frozen=True, slots=True)
class _Like:
    """What a new pair is to be like."""

    leaf: Leaf
    file: FileSeen
    key: KeyFile


def _pair(
    own: OwnFiles, uses: Sequence[InUse], like: _Like, called: str, names: Iterable[str]
) -> NewPair:
    pair, there = uses[0].pair, own.leaf(uses[0].pair.cert)
    purposes = like.leaf.purposes.union(*(use.purposes for use in uses))
    # Whoever runs etcd may be let in by the group only.
    by_group = like.key.owner == "root" != like.key.group and like.key.mode & _BY_GROUP == _BY_GROUP
    return NewPair(
        name=uses[0].what.split()[0],
        cert=pair.cert,
        key=pair.key,
        common_name=called,
        names=tuple(
            sorted(
                {*names, *own.own_names, "127.0.0.1"}, key=lambda each: (not is_address(each), each)
            )
        ),
        purposes=tuple(sorted(purposes)),
        ports=tuple(use.port for use in uses if use.port),
        was=there.sha256 if there else None,
        old=(
            *((pair.cert,) if pair.cert in own.certs else ()),
            *((pair.key,) if pair.key in own.keys else ()),
        ),
        owner=like.key.owner,
        group=like.key.group,
        cert_mode=like.file.mode,
        key_mode=_BY_GROUP if by_group else _KEY_MODE,
        context=like.file.context,
    )


def _checked(
    own: OwnFiles, made: Sequence[NewPair], wrong: Sequence[str], cluster: Cluster
) -> tuple[NewPair, ...]:
    """Make sure that all of it can be put in place together, and spelt. Raises Refused."""
    found, places = list(wrong), writable(cluster.platform)
    paths = [path for each in made for path in (each.cert, each.key)]
    if len({posixpath.dirname(path) for path in paths}) > 1:
        found.append("its certificates and keys lie in several folders")
    if len(set(paths)) < len(paths):
        found.append("one file is a certificate and a key, or is used twice")
    found += [f"{path} is not written by Quorumbot" for path in paths if not within(path, places)]
    called = {name for each in made for name in (*each.names, each.common_name)}
    strange = sorted(each for each in called if not (is_address(each) or _NAME.fullmatch(each)))
    found += [f"{each!r} is no name for a certificate" for each in strange]
    if found:
        message = (
            f"The certificates of {own.host.name} cannot be made (R17): {'; '.join(found)}. "
            f"See /etcd certs."
        )
        raise Refused(message)
    return tuple(made)


async def key_file(asking: Asking, path: str) -> KeyFile | None:
    """See how a key lies on a host; None where there is none. Raises Refused."""
    said = await asking.said(("stat", "-L", "--format=%a|%U|%G", "--", path), (0, 1))
    mode, _, owners = said.out.strip().partition("|")
    owner, _, group = owners.partition("|")
    return KeyFile(int(mode, 8), owner, group) if said.status == 0 and mode else None
