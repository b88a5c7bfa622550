"""What lies on a host of certificates and keys; keys stay there. (catalogue N11)"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from procedures.etcd.certificates_in_use import InUse, in_use
from procedures.host.asking import OnHost
from procedures.host.settings import read_settings
from procedures.model import certificate
from procedures.model.certificate import CLIENT, Leaf
from procedures.model.host import FileSeen
from procedures.model.platform import Layout, Pair, layout
from procedures.model.probe import Fault
from procedures.model.signing import public_argv

_MOST = 20
"""So many certificates of others' are looked at on one host, besides its own."""

_CERT, _KEY = ".pem", "-key.pem"


@dataclass(frozen=True, slots=True)
class Key:
    """A key's file as its host describes it; `public` is None where it cannot be read there."""

    mode: int
    owner: str
    public: bytes | None


@dataclass(frozen=True, slots=True)
class Kept:
    """A certificate's file; `leaf` is None where there is none, or what is no certificate."""

    use: InUse
    leaf: Leaf | Fault | None
    key: Key | Fault | None


@dataclass(frozen=True, slots=True)
class Certified:
    """All certificates of one host, the CAs that it trusts by path, and the CA that it keeps."""

    kept: tuple[Kept, ...]
    trusted: Mapping[str, tuple[Leaf, ...] | Fault]
    authority: Kept | None
    passed_over: int

    @property
    def empty(self) -> bool:
        """Tell whether no certificate that a member would use is there."""
        return all(each.leaf is None and each.key is None for each in self.kept)


async def look_at_certificates(on: OnHost) -> Certified | Fault:
    """Look at all of one host within its time."""
    machine = await on.machine()
    if isinstance(machine, Fault):
        return machine
    how = layout(on.cluster.platform)
    settings, others = await asyncio.gather(read_settings(on, how), _others(on, how))
    own = in_use(how, machine.hostname, on.host, settings.known)
    wanted = [*own, *(each for each in others if each.pair not in {use.pair for use in own})]
    authority = how.authority
    kept, trusted, signs = await asyncio.gather(
        asyncio.gather(*(kept_on(on, use) for use in wanted[: len(own) + _MOST])),
        asyncio.gather(*(trusted_on(on, ca) for ca in dict.fromkeys(use.ca for use in own))),
        on.said("test", "-s", authority.key, fine=(0, 1)),
    )
    pair = Pair(authority.cert, authority.key)
    ca = InUse("CA", pair, authority.cert, (), frozenset())
    has_key = not isinstance(signs, Fault) and signs.status == 0
    return Certified(
        kept=tuple(kept),
        trusted=dict(trusted),
        authority=await kept_on(on, ca) if has_key else None,
        passed_over=max(0, len(wanted) - len(own) - _MOST),
    )


async def _others(on: OnHost, how: Layout) -> Sequence[InUse]:
    """What else lies in a folder of certificates alone, as kubespray has one: its clients'."""
    folder, ca = how.authority.key.rpartition("/")[0], how.certificates("").ca
    if how.authority.config is not None:
        return ()
    said = await on.said("ls", "-A", "--", folder, fine=(0, 2))
    if isinstance(said, Fault):
        return ()
    stems = [
        name.removesuffix(_CERT)
        for name in sorted(said.out.splitlines())
        if name.endswith(_CERT) and not name.endswith(_KEY) and f"{folder}/{name}" != ca
    ]
    return [
        InUse(
            f"{stem} certificate",
            Pair(f"{folder}/{stem}{_CERT}", f"{folder}/{stem}{_KEY}"),
            ca,
            (),
            frozenset({CLIENT}),
        )
        for stem in stems
    ]


async def kept_on(on: OnHost, use: InUse) -> Kept:
    """Look at one certificate and its key."""
    file, key = await asyncio.gather(on.read(use.pair.cert), _key(on, use.pair.key))
    if isinstance(file, Fault):
        return Kept(use, file, key)
    return Kept(use, certificate.read(file.content) if file else None, key)


async def trusted_on(on: OnHost, path: str) -> tuple[str, tuple[Leaf, ...] | Fault]:
    """Read the CAs in a file; gives its path too."""
    file = await on.read(path)
    if isinstance(file, FileSeen):
        return path, certificate.read_all(file.content)
    return path, file or ()


async def _key(on: OnHost, path: str) -> Key | Fault | None:
    stat, public = await asyncio.gather(
        on.said("stat", "-L", "--format=%a|%U", "--", path, fine=(0, 1)),
        on.said(*public_argv(path), fine=range(256)),
    )
    if isinstance(stat, Fault):
        return stat
    if isinstance(public, Fault):
        return public
    mode, _, owner = stat.out.strip().partition("|")
    if stat.status or not mode:
        return None
    found = certificate.public_key(public.out.encode()) if public.status == 0 else None
    return Key(int(mode, 8), owner, found)
