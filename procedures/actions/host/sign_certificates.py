"""Having certificates signed by the cluster's own CA. (catalogue P53, P65; rule R17)

Only requests and certificates travel: the CA's key stays on its host, and new ones on theirs.
"""

import hashlib
import shlex
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.host.make_keys import public_key, requested_key
from procedures.actions.host.pieces import Piece, do, reach, settled
from procedures.engine.ports import Finding, Happened, Look, NotHappened, Unclear, Work, World
from procedures.model import certificate
from procedures.model.certificate import Leaf
from procedures.model.errors import Permanent, Retryable
from procedures.model.host import At, FileSeen
from procedures.model.ids import ClusterName, RunId
from procedures.model.inventory import Cluster, Host, Platform
from procedures.model.platform import layout
from procedures.model.probe import Fault
from procedures.model.restoring import RUN
from procedures.model.signing import Beside, NewPair, Signing, outlives, unfit


@dataclass(frozen=True, slots=True)
class SignCertificates:
    """Have the requests of a host signed on the host of the CA, and bring back what comes out.

    `ca` is the SHA-256 of the CA's certificate. Gives the SHA-256 of each new certificate. A late
    duplicate is harmless: each command runs once under its mark, and a request that was signed
    twice is one more certificate of the same key.
    """

    KIND: ClassVar[str] = "host.sign-certificates/1"

    cluster: ClusterName
    platform: Platform
    at: At
    pairs: tuple[NewPair, ...]
    signer: At
    ca: str
    days: int

    @property
    def command(self) -> str:
        """The exact commands, and what goes from where to where."""
        lines, beside = [], Beside(self.pairs, RUN)
        for pair in self.pairs:
            files, argv = Signing(self.at.host, pair, RUN), self._sign(pair, RUN).argv
            lines.append(
                f"{self.signer.host}: write {files.request} from {beside.request(pair)} "
                f"on {self.at.host}"
            )
            if files.extensions in argv:
                text = files.extension_text.strip()
                lines.append(f"{self.signer.host}: write {files.extensions}\n{text}")
            lines.append(f"{self.signer.host}: {shlex.join(argv)}")
            lines.append(
                f"{self.at.host}: write {beside.made(pair.cert)} from {files.cert} "
                f"on {self.signer.host}"
            )
        return "\n".join(lines)

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Sign, check, bring back. Raises Permanent with what is wrong with a certificate."""
        cluster, run = world.inventory.clusters[self.cluster], work.mark("sign").run
        host, signer = (
            await reach(world, cluster, self.at),
            await reach(world, cluster, self.signer),
        )
        ca, beside = await self._authority(world, cluster, signer), Beside(self.pairs, run)
        sums: list[JsonValue] = []
        for pair in self.pairs:
            key = await requested_key(world, cluster, host, beside, pair)
            if key is None:
                message = f"{beside.request(pair)} on {host.name} is not of a key that is there."
                raise Permanent(message)
            asked = _Asked(world, work, cluster, host, signer, pair, run)
            content = await self._signed(asked, key, ca)
            await asked.place(beside.made(pair.cert), content)
            leaf = certificate.read(content)
            assert leaf is not None  # noqa: S101 (it was checked)
            await work.say(f"{host.name}: {pair.name} certificate, SHA-256 {leaf.sha256}")
            sums.append(leaf.sha256)
        return sums

    async def probe(self, world: World, work: Work) -> Finding:
        """Settle what was begun; it is done where all certificates are back, and fit."""
        cluster, run = world.inventory.clusters[self.cluster], work.mark("sign").run
        try:
            host, signer = (
                await reach(world, cluster, self.at),
                await reach(world, cluster, self.signer),
            )
            for pair in self.pairs:
                trace = await settled(world, work, cluster, signer, self._sign(pair, run))
                if isinstance(trace, Unclear):
                    return trace
            ca, beside = await self._authority(world, cluster, signer), Beside(self.pairs, run)
            sums: list[JsonValue] = []
            for pair in self.pairs:
                content = await _read(world, cluster, host, beside.made(pair.cert))
                key = await public_key(world, cluster, host, beside.made(pair.key))
                leaf = certificate.read(content) if content else None
                if leaf is None or key is None or self._wrong(world, leaf, pair, key, ca):
                    return NotHappened()
                sums.append(leaf.sha256)
        except (Retryable, Permanent) as error:
            return Unclear(str(error))
        return Happened(sums)

    async def _signed(self, asked: "_Asked", key: bytes, ca: Leaf) -> bytes:
        """Have one request signed, unless an earlier attempt has. Raises Permanent."""
        files = Signing(self.at.host, asked.pair, asked.run)
        world, cluster, signer = asked.world, asked.cluster, asked.signer
        content = await _read(world, cluster, signer, files.cert)
        if content is None or self._unfit(world, content, asked.pair, key, ca):
            await asked.bring(files, self._sign(asked.pair, asked.run))
            content = await _read(world, cluster, signer, files.cert) or b""
        if wrong := self._unfit(world, content, asked.pair, key, ca):
            message = (
                f"{files.cert}, which {signer.name} has signed, is not used: {'; '.join(wrong)}. "
                "No file that etcd uses was changed."
            )
            raise Permanent(message)
        return content

    def _unfit(
        self, world: World, content: bytes, pair: NewPair, key: bytes, ca: Leaf
    ) -> list[str]:
        leaf = certificate.read(content)
        if leaf is None:
            return ["it is no certificate"]
        return self._wrong(world, leaf, pair, key, ca)

    def _wrong(self, world: World, leaf: Leaf, pair: NewPair, key: bytes, ca: Leaf) -> list[str]:
        now_s = world.clock.now_ms() // 1_000
        return unfit(leaf, pair, key, ca, now_s=now_s, days=self.days)

    async def _authority(self, world: World, cluster: Cluster, signer: Host) -> Leaf:
        """The CA that was approved. Raises Permanent where it is another one."""
        path = layout(self.platform).authority.cert
        ca = certificate.read(await _read(world, cluster, signer, path) or b"")
        if ca is None or ca.sha256 != self.ca:
            message = f"{path} on {signer.name} is not the CA that was approved. Ask again."
            raise Permanent(message)
        if not outlives(ca, world.clock.now_ms() // 1_000, self.days):
            message = f"The CA in {path} ends before a certificate of {self.days} days (R17)."
            raise Permanent(message)
        return ca

    def _sign(self, pair: NewPair, run: RunId) -> Piece:
        argv = Signing(self.at.host, pair, run).argv(layout(self.platform).authority, self.days)
        return Piece(f"sign-{pair.name}", argv, whole=True)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request on its way."""

    world: World
    work: Work
    cluster: Cluster
    host: Host
    signer: Host
    pair: NewPair
    run: RunId

    async def bring(self, files: Signing, sign: Piece) -> None:
        """Bring the request to the host of the CA, and have it signed."""
        beside = Beside((self.pair,), self.run)
        request = await _read(self.world, self.cluster, self.host, beside.request(self.pair))
        await self._write(self.signer, files.request, request or b"", 0o600)
        if files.extensions in sign.argv:
            content = files.extension_text.encode()
            await self._write(self.signer, files.extensions, content, 0o600)
        await do(self.world, self.work, self.cluster, self.signer, sign)

    async def place(self, path: str, content: bytes) -> None:
        """Put the certificate beside the one that it replaces."""
        await self._write(self.host, path, content, 0o600)

    async def _write(self, host: Host, path: str, content: bytes, mode: int) -> None:
        there = await _read(self.world, self.cluster, host, path)
        was = hashlib.sha256(there).hexdigest() if there is not None else None
        await self.work.guard()
        await self.world.on_hosts.write(self.cluster, host, path, content, was=was, mode=mode)


async def _read(look: Look, cluster: Cluster, host: Host, path: str) -> bytes | None:
    """A file's content; None where there is none. Raises Retryable."""
    found = await look.hosts.read(cluster, host, path)
    if isinstance(found, Fault):
        raise Retryable(found.message)
    return found.content if isinstance(found, FileSeen) else None
