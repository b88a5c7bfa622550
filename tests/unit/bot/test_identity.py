"""Each process signs with the key of its own role: no worker speaks for people, nor back."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bot.config import Config, ConfigError, load
from bot.identity import keyring, signer
from procedures.model.events import Role

FRONT, WORKER, STRANGER = (Ed25519PrivateKey.generate() for _ in range(3))


def a_config(tmp_path: Path, **keys: Ed25519PrivateKey) -> Config:
    """One that trusts a front and a worker; `keys` are what this process has."""
    for name, key in keys.items():
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / name).write_bytes(pem)
        (tmp_path / name).chmod(0o600)
    own = "".join(f"  {name}: {{file: {name}}}\n" for name in keys)
    front, worker = (
        base64.b64encode(key.public_key().public_bytes_raw()).decode() for key in (FRONT, WORKER)
    )
    path = tmp_path / "quorumbot.yaml"
    path.write_text(f"""
slack: {{bot_token: {{env: BOT}}, app_token: {{env: APP}}}}
redis: {{url: "rediss://redis.example:6379/0"}}
clusters: {{prod: {{endpoints: {{one: "http://10.0.0.1:2379"}}}}}}
signing:
{own}  trusted:
    - {{id: front-1, role: front, public_key: {front}}}
    - {{id: worker-1, role: worker, public_key: {worker}}}
""")
    return load(path)


def test_the_own_key(tmp_path: Path) -> None:
    """It is known by the id under which others trust it, and by no other."""
    config = a_config(tmp_path, front=FRONT, worker=WORKER)
    assert signer(config, Role.FRONT).id == "front-1"
    assert signer(config, Role.WORKER).id == "worker-1"
    assert {each.id: each.role for each in keyring(config).writers.values()} == {
        "front-1": Role.FRONT,
        "worker-1": Role.WORKER,
    }


@pytest.mark.parametrize("key", [FRONT, STRANGER], ids=["a front's", "nobody's"])
def test_a_worker_with_another_key(tmp_path: Path, key: Ed25519PrivateKey) -> None:
    """It does not start: what it wrote would not be believed, or would be a front's."""
    config = a_config(tmp_path, worker=key)
    with pytest.raises(ConfigError, match=r"not among signing\.trusted as a worker"):
        signer(config, Role.WORKER)


def test_a_front_with_the_key_of_a_worker(tmp_path: Path) -> None:
    """Nor the other way round."""
    config = a_config(tmp_path, front=WORKER)
    with pytest.raises(ConfigError, match=r"not among signing\.trusted as a front"):
        signer(config, Role.FRONT)


def test_a_process_without_a_key(tmp_path: Path) -> None:
    """A front has no use for a worker's."""
    config = a_config(tmp_path, worker=WORKER)
    with pytest.raises(ConfigError, match=r"signing\.front: is missing"):
        signer(config, Role.FRONT)
