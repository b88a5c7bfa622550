"""Why there is no connection to a machine: asyncssh's errors in words."""

import socket
from dataclasses import dataclass

import asyncssh

from bot.targets.ssh.words import FaultError, seconds
from procedures.model.inventory import Cluster, SshAccess
from procedures.model.probe import FaultKind


@dataclass(frozen=True, slots=True)
class Way:
    """Where a connection goes: a machine or a jump host, by name for people."""

    name: str
    address: str
    port: int
    user: str


def late(way: Way, cluster: Cluster, *, connected: bool) -> FaultError:
    """Nothing came about in time."""
    within = f"within {seconds(cluster.deadline_ms)}"
    if connected:
        message = f"{way.name} accepts connections, but lets nobody in {within}."
        return FaultError(FaultKind.SILENT, message)
    message = f"{way.name} cannot be reached: no connection {within}."
    return FaultError(FaultKind.UNREACHABLE, message)


def from_connect(way: Way, access: SshAccess, error: Exception, *, known: bool) -> FaultError:
    """Translate what stood against a connection. `known`: a key of the machine's is on file."""
    match error:
        case asyncssh.HostKeyNotVerifiable():
            return _distrusted(way, access, error, known=known)
        case asyncssh.PermissionDenied():
            message = (
                f"{way.name} does not let {way.user} in with {_key(access)}. Put its public key "
                f"into that user's authorized_keys, or correct `user` and `key`."
            )
            return FaultError(FaultKind.DENIED, message)
        case asyncssh.KeyExchangeFailed() | asyncssh.ProtocolNotSupported():
            message = f"{way.name} and Quorumbot cannot agree on how to encrypt: {error.reason}."
            return FaultError(FaultKind.TRUST, message)
        case socket.gaierror():
            message = f"The name {way.address} of {way.name} does not resolve."
            return FaultError(FaultKind.DNS, message)
        case ConnectionRefusedError():
            message = (
                f"{way.name} refused the connection: no sshd listens on port {way.port} there."
            )
            return FaultError(FaultKind.REFUSED, message)
        case OSError():
            reason = error.strerror or str(error) or type(error).__name__
        case asyncssh.DisconnectError():
            reason = error.reason
        case _:
            reason = str(error) or type(error).__name__
    message = f"{way.name} cannot be reached: {reason.rstrip('.')}."
    return FaultError(FaultKind.UNREACHABLE, message)


def _distrusted(
    way: Way, access: SshAccess, error: asyncssh.HostKeyNotVerifiable, *, known: bool
) -> FaultError:
    if access.known_hosts is None:
        message = (
            f"{way.name} shows no host certificate for {way.address} that an authority in "
            f"{access.trust} has signed and that is valid now ({error.reason.rstrip('.')}). "
            f"Nothing was sent to it. If it was re-installed, have its host key signed."
        )
    elif known:
        message = (
            f"{way.name} shows another host key than the one in {access.trust}: it may have been "
            f"re-installed, or somebody else answers in its place. Nothing was sent to it. Find "
            f"out which, and correct its line only when you know."
        )
    else:
        message = (
            f"{way.name} is not known: {access.trust} has no host key for {way.address}. Nothing "
            f"was sent to it. Add its key, as its console shows it."
        )
    return FaultError(FaultKind.TRUST, message)


def _key(access: SshAccess) -> str:
    if access.key is None:
        return "the agent's keys"
    return f"the key {access.key}" + (" or the agent's" if access.agent else "")


def from_login(way: Way, access: SshAccess, errors: bytes, status: int | None) -> FaultError:
    """The command was sent, and the login ended before the wrapper began."""
    text = errors.decode(errors="backslashreplace").strip()
    last = text.splitlines()[-1] if text else f"exit status {status}"
    if access.sudo and ("password is required" in text or "a terminal is required" in text):
        message = (
            f"sudo on {way.name} asks for a password for {way.user}. Let that user run commands "
            f"without one (NOPASSWD in sudoers), or log in as root without `sudo`."
        )
    elif access.sudo and "must have a tty" in text:
        message = (
            f"sudo on {way.name} wants a terminal for {way.user}. Take `requiretty` off for that "
            f"user in sudoers."
        )
    elif access.sudo and "sudo" in text:
        message = f"sudo on {way.name} does not let {way.user} work as root: {last}"
    else:
        message = f"{way.name} lets {way.user} in, and runs no commands: {last}"
    return FaultError(FaultKind.DENIED, message if message.endswith(".") else f"{message}.")
