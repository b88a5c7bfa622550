"""Keys of a front and a worker that trust each other."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bot.store.signing import Keyring, Signer, Writer
from procedures.model.events import Role

FRONT = Signer("front-1", Ed25519PrivateKey.generate())
WORKER = Signer("worker-1", Ed25519PrivateKey.generate())
STRANGER = Signer("stranger-1", Ed25519PrivateKey.generate())

KEYRING = Keyring(
    {
        FRONT.id: Writer(FRONT.id, Role.FRONT, FRONT.key.public_key()),
        WORKER.id: Writer(WORKER.id, Role.WORKER, WORKER.key.public_key()),
    }
)
