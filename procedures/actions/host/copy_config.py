"""Copying what configures etcd off a host. (catalogue P21)"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.host.deep_files import MOST, MOST_BYTES, look_below
from procedures.actions.host.pieces import reach
from procedures.engine.config_copies import ConfigCopies
from procedures.engine.ports import Finding, Look, NotHappened, Work, World
from procedures.model import certificate, envfile
from procedures.model.config_copy import ConfigCopy, CopiedFile, copied, packed
from procedures.model.errors import Permanent, Retryable
from procedures.model.host import At, FileSeen, Said
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster, Host, Platform
from procedures.model.member import Identity
from procedures.model.platform import Layout, layout
from procedures.model.probe import Fault

NO_PLACE = "No place for backups is configured. Set `backups` in the configuration."
PAIRS = (("ETCD_CERT_FILE", "ETCD_KEY_FILE"), ("ETCD_PEER_CERT_FILE", "ETCD_PEER_KEY_FILE"))
"""Settings that name a certificate and its key."""

_NAMED = (*(name for pair in PAIRS for name in pair), "ETCD_TRUSTED_CA_FILE")
_REGULAR = frozenset({"regular file", "regular empty file"})


@dataclass(frozen=True, slots=True)
class CopyConfig:
    """Read all that configures etcd on a host, and keep it in the place for backups.

    What was copied is compared with the SHA-256 that the host itself sees. A duplicate is
    harmless: where nothing has changed, there is one copy.
    """

    KIND: ClassVar[str] = "host.copy-config/1"

    cluster: ClusterName
    platform: Platform
    at: At
    member: Identity

    @property
    def command(self) -> str:
        """Where it looks."""
        how = layout(self.platform)
        deep = (f"{each}/**" for each in how.deep)
        places = ", ".join([*(f"{each}/*" for each in how.folders), *deep, *how.files])
        return f"{self.at.host}: read {places}; compare with sha256sum there"

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Copy. Raises Permanent where what was read is not what lies there."""
        if world.backups is None:
            raise Permanent(NO_PLACE)
        cluster = world.inventory.clusters[self.cluster]
        host = await reach(world, cluster, self.at)
        below = await look_below(world, cluster, host, layout(self.platform))
        for path in below.left_out:
            await work.say(f"warning: {path} is not copied: {MOST} files, {MOST_BYTES} bytes")
        files = await read_all(world, cluster, host, layout(self.platform), below.paths)
        copy = ConfigCopy(
            cluster=self.cluster,
            host=self.at.host,
            address=host.address,
            machine_id=self.at.machine_id,
            member=self.member,
            taken_at_ms=world.clock.now_ms(),
            files=files,
        )
        for line in unfit(copy, layout(self.platform)):
            await work.say(f"warning: {line}")
        last = await _last(world.backups.copies, copy)
        if last is not None:
            await work.say(f"{copy.host}: nothing has changed since {last.name}, read again now")
            return {"name": last.name, "sha256": last.sha256}
        await work.guard()
        await world.backups.copies.keep(copy)
        await work.say(f"{copy.host}: {len(files)} files, as sha256sum sees them: {copy.name}")
        return {"name": copy.name, "sha256": copy.sha256}

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It is simply taken again: what was cut off is not kept."""
        return NotHappened()


async def read_all(
    look: Look, cluster: Cluster, host: Host, how: Layout, also: Sequence[str] = ()
) -> tuple[CopiedFile, ...]:
    """Read each regular file, and make sure that it is what the host sees. Raises Retryable.

    `also` are files besides. A private key beside a CA's record is not copied, whatever its name,
    nor is an archive.
    """
    asking = _Asking(look, cluster, host)
    paths = {*how.files, *also}
    for folder in how.folders:
        listing = await asking.said((0, 2), "ls", "-A", "--", folder)
        if listing.status and not listing.absent:
            message = f"{folder} on {host.name} cannot be read: {listing.err.strip()[:200]}"
            raise Retryable(message)
        paths |= {f"{folder}/{name}" for name in copied(listing.out.splitlines())}
    config = await asking.read(how.config)
    if config is not None:
        values = envfile.read(config.content.decode(errors="replace"))
        paths |= {values[each] for each in _NAMED if values.get(each, "").startswith("/")}
    kinds = await asking.said((0, 1), "stat", "--format=%F|%n", "--", *sorted(paths))
    lines = (line.partition("|") for line in kinds.out.splitlines())
    regular = sorted(path for kind, _, path in lines if kind in _REGULAR)
    if not regular:
        message = f"{host.name} has nothing that configures etcd."
        raise Permanent(message)
    files = [(path, await asking.read(path)) for path in regular]
    files = [(path, each) for path, each in files if not (each and _of_authority(how, path, each))]
    regular = [path for path, _ in files]
    sums = await asking.said((0,), "sha256sum", "--", *regular)
    there = {line[66:]: line[:64] for line in sums.out.splitlines()}
    made = tuple(_copied(path, found) for path, found in files if found is not None)
    changed = [path for path in regular if there.get(path) not in {each.sha256 for each in made}]
    if changed or len(made) != len(regular):
        message = f"{', '.join(changed or regular)} on {host.name} changed meanwhile. Try again."
        raise Retryable(message)
    return made


def unfit(copy: ConfigCopy, how: Layout) -> list[str]:
    """Say which certificates have another's key."""
    config = copy.file(how.config)
    values = envfile.read(config.content.decode(errors="replace")) if config else {}
    found = []
    for names in PAIRS:
        cert, key = (copy.file(values.get(name, "")) for name in names)
        leaf = certificate.read(cert.content) if cert else None
        if cert and key and leaf and not certificate.key_belongs(leaf, key.content):
            found.append(f"{key.path} on {copy.host} is not the key of {cert.path}")
    return found


async def _last(copies: ConfigCopies, copy: ConfigCopy) -> ConfigCopy | None:
    """The newest copy of the same host, where it is the same and still whole."""
    for listed in await copies.listing(copy.cluster):
        if listed.host == copy.host:
            same = listed.name.endswith(copy.sha256[:12])
            try:
                return await copies.read(copy.cluster, listed.name) if same else None
            except Permanent:
                return None  # damaged: another one is made
    return None


def _of_authority(how: Layout, path: str, found: FileSeen) -> bool:
    """Tell whether it may be the key of the CA, kept under another name or in an archive."""
    record = how.authority.record
    if packed(found.content):
        return True
    return bool(record) and path.startswith(f"{record}/") and b"PRIVATE KEY" in found.content


def _copied(path: str, found: FileSeen) -> CopiedFile:
    return CopiedFile(path, found.content, found.mode, found.owner, found.group, found.context)


@dataclass(frozen=True, slots=True)
class _Asking:
    look: Look
    cluster: Cluster
    host: Host

    async def said(self, fine: Sequence[int], *argv: str) -> Said:
        said = await self.look.hosts.ask(self.cluster, self.host, argv)
        if isinstance(said, Fault):
            raise Retryable(said.message)
        if said.status not in fine:
            message = f"`{argv[0]}` on {self.host.name} ended with {said.status}: {said.err[:200]}"
            raise Retryable(message)
        return said

    async def read(self, path: str) -> FileSeen | None:
        found = await self.look.hosts.read(self.cluster, self.host, path)
        if isinstance(found, Fault):
            raise Retryable(found.message)
        return found
