"""Which key a process signs with, and whose signatures it believes."""

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bot.config import Config, ConfigError
from bot.store.signing import Keyring, Signer, Writer
from procedures.model.events import Role


def keyring(config: Config) -> Keyring:
    """The writers that the configuration trusts."""
    return Keyring(
        {
            writer.id: Writer(
                writer.id,
                writer.role,
                Ed25519PublicKey.from_public_bytes(base64.b64decode(writer.public_key)),
            )
            for writer in config.file.signing.trusted
        }
    )


def signer(config: Config, role: Role) -> Signer:
    """The key of this process's role. Raises ConfigError when it has none, or nobody trusts it."""
    place = f"signing.{role}"
    reference = getattr(config.file.signing, role)
    if reference is None:
        raise ConfigError((f"{place}: is missing, and this process needs it",))
    try:
        key = load_pem_private_key(reference.read(config.base).reveal().encode(), password=None)
    except (ValueError, TypeError) as error:
        raise ConfigError((f"{place}: {error}",)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError((f"{place}: is not an Ed25519 key",))
    public = key.public_key().public_bytes_raw()
    for writer in config.file.signing.trusted:
        if writer.role is role and base64.b64decode(writer.public_key) == public:
            return Signer(writer.id, key)
    raise ConfigError((f"{place}: its public key is not among signing.trusted as a {role}",))
