"""How a worker proves itself to machines, and how they prove themselves to it."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncssh

from bot.targets.ssh.words import FaultError
from procedures.model.inventory import SshAccess, is_address
from procedures.model.probe import FaultKind

_FIRST_CIPHERS = "^aes256-gcm@openssh.com,aes128-gcm@openssh.com"
"""Before asyncssh's own order: with its first, ChaCha20, many hosts cost a third more time."""

_BROKEN = (OSError, asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError)


@asynccontextmanager
async def options(access: SshAccess) -> AsyncIterator[dict[str, Any]]:
    """What asyncssh is told. Raises FaultError where a file cannot be used.

    Nothing is taken from the worker's own `~/.ssh`, and there are no passwords.
    """
    async with _agent_keys(access) as agent:
        keys = [*await asyncio.to_thread(_keys, access), *agent]
        if not keys:
            message = "No key is there to log in with: the agent has none, and none is configured."
            raise FaultError(FaultKind.FILES, message)
        yield {
            "client_keys": keys,
            "known_hosts": await asyncio.to_thread(_trusted, access),
            "agent_path": None,
            "config": None,
            "x509_trusted_certs": None,
            "preferred_auth": ("publickey",),
            "password_auth": False,
            "kbdint_auth": False,
            "host_based_auth": False,
            "gss_auth": False,
            "gss_kex": False,
            "encryption_algs": _FIRST_CIPHERS,
            "keepalive_interval": 2,
            "keepalive_count_max": 2,
        }


async def expected(access: SshAccess, address: str, port: int) -> bool:
    """Tell whether the known hosts have a key for a machine."""
    trusted = await asyncio.to_thread(_trusted, access)
    if not isinstance(trusted, asyncssh.SSHKnownHosts):
        return True
    ip = address if is_address(address) else ""
    return any(trusted.match(address, ip, None if port == 22 else port)[:2])


def _keys(access: SshAccess) -> Sequence[Any]:
    if access.key is None:
        return ()
    path = Path(access.key)
    _check_private(path)
    try:
        if access.certificate is None:
            return asyncssh.load_keypairs([str(path)])
        return asyncssh.load_keypairs([(str(path), access.certificate)])
    except _BROKEN as error:
        if "passphrase" in str(error).lower():
            message = f"The key {path} needs a passphrase: let an agent hold it, `agent: true`."
            raise FaultError(FaultKind.FILES, message) from error
        where = f"The key {path}"
        if access.certificate is not None:
            where += f" with the certificate {access.certificate}"
        raise FaultError(FaultKind.FILES, f"{where} cannot be used: {_reason(error)}.") from error


def _check_private(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        message = f"The key {path} cannot be read: {error.strerror}."
        raise FaultError(FaultKind.FILES, message) from error
    if mode & 0o027:
        message = f"The key {path} is open to others, or its group may write it: chmod 600 it."
        raise FaultError(FaultKind.FILES, message)


def _trusted(access: SshAccess) -> Any:  # noqa: ANN401 (asyncssh's own union)
    try:
        if access.known_hosts is not None:
            return asyncssh.read_known_hosts(access.known_hosts)
        authorities = asyncssh.read_public_key_list(access.host_ca or "")
    except _BROKEN as error:
        what = "known hosts" if access.known_hosts is not None else "host authorities"
        message = f"The file of {what} {access.trust} cannot be used: {_reason(error)}."
        raise FaultError(FaultKind.FILES, message) from error
    return ([], list(authorities), [])


@asynccontextmanager
async def _agent_keys(access: SshAccess) -> AsyncIterator[Sequence[Any]]:
    if not access.agent:
        yield ()
        return
    socket = os.environ.get("SSH_AUTH_SOCK", "")
    try:
        agent = await asyncssh.connect_agent(socket)
    except (OSError, asyncssh.Error) as error:
        message = f"The SSH agent at {socket or 'SSH_AUTH_SOCK, which is not set,'} is not there."
        raise FaultError(FaultKind.FILES, message) from error
    async with agent:
        yield await agent.get_keys()


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error).rstrip(".")
