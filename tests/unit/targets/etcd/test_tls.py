"""Our own TLS files: what is wrong with them is said in words, and changes are noticed."""

import asyncio
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bot.sandbox.demo.certificates import Pki
from bot.targets.etcd import certificates
from bot.targets.etcd.deadline import Deadline
from bot.targets.etcd.faults import FaultError
from bot.targets.etcd.tls import Identities, Identity
from procedures.model.inventory import TlsFiles
from procedures.model.probe import Fault, FaultKind


@pytest.fixture
def files(tmp_path: Path) -> TlsFiles:
    written = Pki().write(tmp_path, ["demo-1"])
    return TlsFiles(str(written.ca), str(written.cert), str(written.key))


def load(identities: Identities, files: TlsFiles) -> Identity:
    async def get() -> Identity:
        return await identities.get(files, Deadline.after(5_000))

    return asyncio.run(get())


def refusal(files: TlsFiles) -> str:
    with pytest.raises(FaultError) as raised:
        load(Identities(), files)
    assert raised.value.fault.kind is FaultKind.FILES
    return raised.value.fault.message


def test_unchanged_files_are_loaded_once(files: TlsFiles) -> None:
    """While the files are the same, so is the identity."""
    identities = Identities()
    assert load(identities, files) is load(identities, files)


def test_changed_files_make_another_identity(files: TlsFiles) -> None:
    """Renewed files are used from the next question on."""
    identities = Identities()
    before = load(identities, files)
    Pki().write(Path(files.ca).parent, ["demo-1"])
    after = load(identities, files)
    assert after is not before
    assert after.client != before.client


@pytest.mark.parametrize(
    ("name", "words"),
    [("ca.crt", "CA file"), ("client.crt", "client certificate"), ("client.key", "client key")],
)
def test_missing_and_broken(files: TlsFiles, name: str, words: str) -> None:
    """The message names the role and the path of the file."""
    path = Path(files.ca).with_name(name)
    path.write_text("no PEM in here")
    assert f"The {words} {path} " in refusal(files)
    path.unlink()
    assert refusal(files) == f"The {words} {path} does not exist."
    path.mkdir()
    assert f"The {words} {path} cannot be read" in refusal(files)


def test_key_of_another_certificate(files: TlsFiles) -> None:
    """A key that does not fit is found before anybody is asked, and not shown."""
    other = Path(files.key).with_name("demo-1-server.key").read_text()
    Path(files.key).write_text(other)
    message = refusal(files)
    assert message == f"The client key {files.key} does not belong to {files.cert}."


def test_encrypted_key(files: TlsFiles) -> None:
    """An encrypted key is refused; nobody is there to type its password."""
    key = ec.generate_private_key(ec.SECP256R1())
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    Path(files.key).write_bytes(encrypted)
    assert "is encrypted" in refusal(files)


def test_identity_does_not_show_the_key(files: TlsFiles) -> None:
    """No part of the key is in the identity's representation."""
    shown = repr(load(Identities(), files))
    for line in Path(files.key).read_text().splitlines()[1:-1]:
        assert line not in shown


def test_own_certificates_of_a_bundle(files: TlsFiles, tmp_path: Path) -> None:
    """During a change of CA, the CA file holds the old one and the new one."""
    old = Path(files.ca).read_bytes()
    (tmp_path / "other").mkdir()
    new = Pki().write(tmp_path / "other", []).ca.read_bytes()
    Path(files.ca).write_bytes("# old, and ’new’\n".encode() + old + new)
    load(Identities(), files)
    own = certificates.own(files)
    assert isinstance(own.ca, tuple)
    assert len(own.ca) == 2
    Path(files.cert).unlink()
    assert isinstance(certificates.own(files).client, Fault)
