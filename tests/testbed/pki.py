"""The certificates of one etcd cluster, and its authority as openssl keeps one."""

from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bot.sandbox.demo.pki import LOOPBACK_HOSTS, Authority, Files, Pair


@dataclass(frozen=True, slots=True)
class Pki:
    """One authority; certificates of hosts are for both ends of a connection."""

    authority: Authority = field(default_factory=lambda: Authority.create("etcd-signer"))

    @property
    def ca_key(self) -> bytes:
        """The authority's private key, in PEM."""
        return self.authority.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def issue(self, name: str, address: str) -> Pair:
        """A certificate for a host: its name, its address and loopback."""
        return self.authority.issue(name, hosts=(address, name, *LOOPBACK_HOSTS))

    def client(self, folder: Path) -> Files:
        """Write `ca.crt`, `client.crt` and `client.key`, for the bot."""
        ca = folder / "ca.crt"
        ca.write_bytes(self.authority.pem)
        cert, key = self.authority.issue("quorumbot").write(folder, "client")
        return Files(ca, cert, key)
