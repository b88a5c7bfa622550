"""Who may log in to hosts, and how they know a host: keys of ssh, for people and for machines."""

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.testbed.machine import Machine

BOT = "quorumbot"
"""May do everything, by sudo without a password."""
PROMPTED = "prompted"
"""May do everything, by sudo with the password that is the same word."""
_HOST_KEY = "etc/ssh/ssh_host_ed25519_key"


@dataclass(frozen=True, slots=True)
class Access:
    """The bot's side of ssh: files that are the same for all hosts."""

    key: Path
    """The private key of all users."""
    known_hosts: Path
    """The hosts' keys by address and by name, as when they were trusted."""
    public_key: str

    @classmethod
    def create(cls, folder: Path) -> "Access":
        private, public = _key_pair()
        key, known_hosts = folder / "id_ed25519", folder / "known_hosts"
        key.touch(mode=0o600)
        key.write_text(private)
        known_hosts.touch()
        return cls(key, known_hosts, public)

    def admit(self, machine: Machine) -> None:
        """Let the users in, and give the machine a host key; nobody knows it yet."""
        for user in (BOT, PROMPTED):
            home = f"home/{user}/.ssh"
            machine.write(f"{home}/authorized_keys", self.public_key, mode=0o600, owner=user)
            machine.own(home, user)
        private, public = _key_pair()
        machine.write(_HOST_KEY, private, mode=0o600)
        machine.write(f"{_HOST_KEY}.pub", public)

    def trust(self, machine: Machine, address: str) -> None:
        """Know the host by the key that it has now, in place of another."""
        names = f"{machine.name},{address}"
        kept = self.known_hosts.read_text().splitlines(keepends=True)
        kept = [line for line in kept if line.split()[0] != names]
        public = (machine.root / f"{_HOST_KEY}.pub").read_text()
        draft = self.known_hosts.with_suffix(".draft")
        draft.write_text("".join([*kept, f"{names} {public}"]))
        draft.replace(self.known_hosts)  # a bot at work never sees half of it

    def ssh(self, address: str, *command: str, user: str = BOT) -> list[str]:
        """The command line of ssh, with strict host keys and nobody to ask."""
        return [
            *("ssh", "-F", "none", "-i", str(self.key), "-o", "IdentitiesOnly=yes"),
            *("-o", "StrictHostKeyChecking=yes", "-o", f"UserKnownHostsFile={self.known_hosts}"),
            *("-o", "GlobalKnownHostsFile=none", "-o", "BatchMode=yes"),
            *("-o", "ConnectTimeout=5", f"{user}@{address}"),
            *(["--", *command] if command else []),
        ]


def _key_pair() -> tuple[str, str]:
    """Private and public key, as OpenSSH writes them."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return private.decode(), f"{public.decode()}\n"
