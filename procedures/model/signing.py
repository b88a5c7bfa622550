"""New certificates by the CA that a cluster has: what is made, and by which commands. (P53, P65)

A key is made on the host that uses it and stays there. What it needs is made in a folder beside
the files that it replaces, so that these are replaced by a rename.
"""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

from procedures.model.certificate import CLIENT, Leaf, signed
from procedures.model.ids import RunId
from procedures.model.inventory import is_address
from procedures.model.paths import scratch
from procedures.model.platform import Argv, Authority

DAYS = 1_825
"""So long a certificate is good for where nobody says otherwise, as openshift-ansible has it."""

_EARLY_S = 300
_DAY_S = 86_400
_BITS = 2_048


@dataclass(frozen=True, slots=True)
class NewPair:
    """A certificate and a key that are to be made, and whose place they take.

    `name` tells it from others of its host. `was` is the SHA-256 of the certificate that is there,
    None where there is none; `old` are those of its two files that are there. `ports` are those at
    which etcd shows it.
    """

    name: str
    cert: str
    key: str
    common_name: str
    names: tuple[str, ...]
    purposes: tuple[str, ...]
    ports: tuple[str, ...]
    was: str | None
    old: tuple[str, ...]
    owner: str
    group: str
    cert_mode: int
    key_mode: int
    context: str | None = None

    @property
    def alternative_names(self) -> str:
        """As openssl wants them: `IP:10.0.0.1,DNS:etcd-1`."""
        kinds = ("IP" if is_address(each) else "DNS" for each in self.names)
        return ",".join(f"{kind}:{name}" for kind, name in zip(kinds, self.names, strict=True))


@dataclass(frozen=True, slots=True)
class Beside:
    """The folder of a run beside the files that it replaces, and the files in it."""

    pairs: tuple[NewPair, ...]
    run: RunId

    @property
    def target(self) -> str:
        """Where the new files go: all of a host go to one folder."""
        return posixpath.dirname(self.pairs[0].cert)

    @property
    def folder(self) -> str:
        """Where they are made."""
        return f"{self.target}/quorumbot-{self.run}"

    @property
    def old(self) -> str:
        """Where the former ones are kept."""
        return f"{self.folder}/old"

    def made(self, path: str) -> str:
        """Where a file is made that takes the place of this path."""
        return f"{self.folder}/{posixpath.basename(path)}"

    def request(self, pair: NewPair) -> str:
        """Where the request to sign a certificate is made."""
        return f"{self.folder}/{pair.name}.csr"

    @property
    def paths(self) -> tuple[str, ...]:
        """All files that are replaced, certificates first."""
        return (*(each.cert for each in self.pairs), *(each.key for each in self.pairs))

    def request_argv(self, pair: NewPair) -> Argv:
        """Make a key without a password, and a request to sign its certificate."""
        return (
            *("openssl", "req", "-new", "-batch", "-nodes", "-newkey", f"rsa:{_BITS}", "-sha256"),
            *("-subj", f"/CN={pair.common_name}", "-keyout", self.made(pair.key)),
            *("-out", self.request(pair)),
        )

    @property
    def former(self) -> tuple[str, ...]:
        """The files that are replaced, of those that are there."""
        return tuple(path for each in self.pairs for path in each.old)

    @property
    def kept(self) -> tuple[str, ...]:
        """Where these are kept."""
        return tuple(f"{self.old}/{posixpath.basename(path)}" for path in self.former)

    @property
    def keep_argv(self) -> Argv:
        """Give the former files a second name, so that their content stays when they go."""
        return ("ln", "--force", f"--target-directory={self.old}", *self.former)

    def swap_argv(self, paths: Sequence[str]) -> Argv:
        """Put new files in the place of these."""
        made = (self.made(path) for path in paths)
        return ("mv", "--force", f"--target-directory={self.target}", *made)

    @property
    def back_argv(self) -> Argv:
        """Put the former files back, all that there were."""
        return ("ln", "--force", f"--target-directory={self.target}", *self.kept)


@dataclass(frozen=True, slots=True)
class Signing:
    """The files of one request on the host that signs, in the run's own scratch."""

    host: str
    pair: NewPair
    run: RunId

    @property
    def request(self) -> str:
        """The request, as it came."""
        return self._path("csr")

    @property
    def extensions(self) -> str:
        """What the certificate is to be good for, where openssl's CA has no say in it."""
        return self._path("ext")

    @property
    def cert(self) -> str:
        """What comes out."""
        return self._path("crt")

    @property
    def extension_text(self) -> str:
        """As kubespray has it."""
        usage = ", ".join(f"{each}Auth" for each in sorted(self.pair.purposes))
        return (
            "basicConstraints = CA:FALSE\n"
            "subjectKeyIdentifier = hash\n"
            "authorityKeyIdentifier = keyid,issuer\n"
            f"extendedKeyUsage = {usage}\n"
            f"subjectAltName = {self.pair.alternative_names}\n"
        )

    def argv(self, authority: Authority, days: int) -> Argv:
        """Sign it: by openssl's CA, which records it, or by the key alone."""
        files = ("-in", self.request, "-out", self.cert, "-days", str(days))
        if authority.config is not None:
            kind = "peer" if CLIENT in self.pair.purposes else "server"
            return (
                *("env", f"SAN={self.pair.alternative_names}", "openssl", "ca", "-batch"),
                *("-notext", "-name", "etcd_ca", "-config", authority.config),
                *("-extensions", f"etcd_v3_ca_{kind}", *files),
            )
        # A serial number of its own: one in a file beside the CA would be a second thing to keep.
        return (
            *("openssl", "x509", "-req", "-sha256", "-CA", authority.cert),
            *("-CAkey", authority.key, "-CAserial", self._path("srl"), "-CAcreateserial"),
            *("-extfile", self.extensions, *files),
        )

    def _path(self, kind: str) -> str:
        return f"{scratch(self.run)}/{self.host}-{self.pair.name}.{kind}"


def unfit(leaf: Leaf, pair: NewPair, key: bytes, ca: Leaf, *, now_s: int, days: int) -> list[str]:
    """Say what is wrong with a certificate that was signed."""
    wrong = []
    if leaf.key != key:
        wrong.append("it is of another key than the one that was made")
    if not signed(leaf, ca):
        wrong.append(f"it is not of the CA {ca.subject}")
    wrong += [f"it is not for {each}" for each in pair.names if each not in leaf.names]
    wrong += [f"it is not good as {each}" for each in pair.purposes if each not in leaf.purposes]
    if leaf.begins_s > now_s:
        wrong.append("it is not valid yet: compare the clocks")
    if leaf.ends_s > ca.ends_s or leaf.ends_s < now_s + (days - 1) * _DAY_S:
        wrong.append(f"it does not end in {days} days")
    return wrong


def outlives(ca: Leaf, now_s: int, days: int) -> bool:
    """Tell whether a CA lasts as long as a certificate that it would sign now, and longer."""
    return ca.ends_s > now_s + days * _DAY_S + _EARLY_S


def public_argv(path: str) -> Argv:
    """What prints the public half of a key. Where that has a password, it fails and asks nobody."""
    return ("openssl", "pkey", "-in", path, "-passin", "pass:", "-pubout")
