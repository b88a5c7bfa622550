"""The configuration as it is written: every section, and what is wrong within one.

Faults between two sections are found in `config_faults.py`.
"""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from bot.backups_config import BackupsConfig
from bot.hosts_config import AnsibleConfig, HostConfig, SshConfig
from bot.secret import SecretRef
from bot.urls import redis_url, url
from procedures.model.events import Role
from procedures.model.inventory import Platform


def _listen(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdecimal() or not 0 <= int(port) < 65_536:
        message = "write it as HOST:PORT, e.g. 127.0.0.1:9090"
        raise ValueError(message)
    return value


def _public_key(value: str) -> str:
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(value, validate=True))
    except ValueError as error:
        message = "write the 32 bytes of an Ed25519 public key in base64"
        raise ValueError(message) from error
    return value


_Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$")]
_Channel = Annotated[str, StringConstraints(pattern=r"^[CG][A-Z0-9]{2,}$")]
_User = Annotated[str, StringConstraints(pattern=r"^[UW][A-Z0-9]{2,}$")]
_ApiUrl = Annotated[str, url(("http", "https"), r".*", "http://HOST:PORT/PATH/")]
_EtcdUrl = Annotated[str, url(("https", "http"), r"", "https://HOST:PORT")]
_RedisUrl = Annotated[str, redis_url()]
_Address = Annotated[str, AfterValidator(_listen)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SlackConfig(_Model):
    """How to reach Slack: Socket Mode takes `app_token`, HTTP mode `signing_secret`.

    Which of them it is, is said at the start. `api_url` is set only to talk to a sandbox on this
    machine.
    """

    bot_token: SecretRef
    app_token: SecretRef | None = None
    signing_secret: SecretRef | None = None
    api_url: _ApiUrl | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.app_token is None and self.signing_secret is None:
            message = "say `app_token` for Socket Mode, `signing_secret` for HTTP mode, or both"
            raise ValueError(message)
        if self.api_url and urlsplit(self.api_url).hostname not in {"127.0.0.1", "localhost"}:
            message = "`api_url` may only point to this machine: leave it out for Slack itself"
            raise ValueError(message)
        return self

    @property
    def secrets(self) -> Mapping[str, SecretRef]:
        """The references that are given, by name."""
        named = {
            "bot_token": self.bot_token,
            "app_token": self.app_token,
            "signing_secret": self.signing_secret,
        }
        return {name: reference for name, reference in named.items() if reference is not None}


class RedisConfig(_Model):
    """Where the state is. Use rediss:// for TLS, and unix:///PATH for a socket of this machine."""

    url: _RedisUrl
    password: SecretRef | None = None


class TrustedWriter(_Model):
    """A process whose signature counts, for what its role may write."""

    id: _Name
    role: Role
    public_key: Annotated[str, AfterValidator(_public_key)]


class SigningConfig(_Model):
    """The own private key of each role (Ed25519, PKCS8 PEM), and whose signatures count."""

    front: SecretRef | None = None
    worker: SecretRef | None = None
    trusted: tuple[TrustedWriter, ...] = Field(min_length=1)


class AuditConfig(_Model):
    """The Slack channel in which the heads of the audit log are published."""

    channel: _Channel


class ListenConfig(_Model):
    """Where /metrics, /livez and /readyz are served."""

    front: _Address = "127.0.0.1:9464"
    worker: _Address = "127.0.0.1:9465"


class TlsConfig(_Model):
    """Files with which a worker identifies itself to a cluster."""

    ca: Path
    cert: Path
    key: Path
    server_name: str | None = None


class ApproversConfig(_Model):
    """Who may approve changes: a Slack user group, or people by id."""

    group: Annotated[str, StringConstraints(pattern=r"^S[A-Z0-9]{2,}$")] | None = None
    users: tuple[_User, ...] = ()

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.group is None) == (not self.users):
            message = "say either `group: S…` or `users: [U…]`"
            raise ValueError(message)
        return self


class PolicyConfig(_Model):
    """How many people other than the requester approve a change."""

    reversible: int = Field(default=1, ge=1, le=10)
    disruptive: int = Field(default=1, ge=1, le=10)
    destructive: int = Field(default=2, ge=2, le=10)
    procedures: Mapping[str, Annotated[int, Field(ge=1, le=10)]] = Field(default_factory=dict)


class ClusterConfig(_Model):
    """One cluster. `endpoints` maps each expected member to its client URL.

    `masters` names those hosts of OpenShift or OKD 3 whose API server has a list of etcd's URLs,
    `ansible` the one from which they were installed.
    """

    platform: Platform = Platform.ETCD
    site: _Name = "default"
    endpoints: Mapping[_Name, _EtcdUrl] = Field(min_length=1)
    tls: TlsConfig | None = None
    channels: tuple[_Channel, ...] = ()
    incident_channel: _Channel | None = None
    hosts: Mapping[_Name, HostConfig] = Field(default_factory=dict)
    masters: tuple[_Name, ...] = ()
    ansible: AnsibleConfig | None = None
    ssh: SshConfig | None = None
    approvers: ApproversConfig | None = None
    policy: PolicyConfig = PolicyConfig()
    deadline_ms: int = Field(default=2_000, ge=100, le=30_000)
    sample_gap_ms: int = Field(default=5_000, ge=1_000, le=60_000)
    hash_up_to_mib: int = Field(default=2_048, ge=0)

    @model_validator(mode="after")
    def _tls_fits(self) -> Self:
        encrypted = {urlsplit(url).scheme == "https" for url in self.endpoints.values()}
        if len(encrypted) > 1:
            message = "`endpoints` mix https and http: use one of them"
            raise ValueError(message)
        if encrypted == {True} and self.tls is None:
            message = "https endpoints need `tls` with ca, cert and key"
            raise ValueError(message)
        if encrypted == {False} and self.tls is not None:
            message = "`tls` is given but the endpoints are http: write https"
            raise ValueError(message)
        return self


class ConfigFile(_Model):
    """The file as it is written."""

    slack: SlackConfig
    redis: RedisConfig
    signing: SigningConfig
    audit: AuditConfig | None = None
    listen: ListenConfig = ListenConfig()
    sandbox_clock: Path | None = None
    sandbox_namespace: Path | None = None
    channels: tuple[_Channel, ...] = ()
    terminal_users: Mapping[str, _User] = Field(default_factory=dict)
    people: Mapping[str, tuple[_User, ...]] = Field(default_factory=dict)
    sites: tuple[_Name, ...] = ("default",)
    backups: BackupsConfig | None = None
    clusters: Mapping[_Name, ClusterConfig] = Field(min_length=1)
