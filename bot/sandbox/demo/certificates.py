"""The certificates of one demo cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.sandbox.demo.pki import LOOPBACK_HOSTS, Authority, Files, Validity


@dataclass(frozen=True, slots=True)
class Pki:
    """How a cluster's certificates are made. The defaults are right; tests ask for wrong ones.

    Members talk to each other with certificates of their own, which are always right, so that a
    wrong server certificate does not break the cluster.
    """

    authority: Authority = field(default_factory=lambda: Authority.create("demo CA"))
    """Signs everything, unless said otherwise; members trust clients that it signed."""
    server_authority: Authority | None = None
    """Another one, for the members' server certificates."""
    client_authority: Authority | None = None
    """Another one, for the client certificate."""
    server_validity: Mapping[str, Validity] = field(default_factory=dict)
    """By member."""
    server_hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By member; by default loopback and the member's name."""
    client_validity: Validity | None = None

    def write(self, directory: Path, members: Sequence[str]) -> Files:
        """Write `ca.crt`, `client.*` and, for each member, `MEMBER-server.*` and `MEMBER-peer.*`.

        Certificates that are there are replaced. Returns the client's files.
        """
        ca = directory / "ca.crt"
        ca.write_bytes(self.authority.pem)
        for member in members:
            hosts = (*LOOPBACK_HOSTS, member)
            (self.server_authority or self.authority).issue(
                member,
                hosts=self.server_hosts.get(member, hosts),
                validity=self.server_validity.get(member),
            ).write(directory, f"{member}-server")
            self.authority.issue(member, hosts=hosts).write(directory, f"{member}-peer")
        cert, key = (
            (self.client_authority or self.authority)
            .issue("quorumbot", validity=self.client_validity)
            .write(directory, "client")
        )
        return Files(ca, cert, key)
