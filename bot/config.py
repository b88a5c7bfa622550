"""The configuration: one YAML file, read once, all its faults reported at once.

Secrets are references. Each process reads only those that its role needs: a worker never sees a
Slack token, a front never sees a certificate of a cluster.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Self
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from bot.backups_config import BackupsConfig
from bot.clock import WallClock
from bot.secret import SecretRef
from bot.urls import url
from bot.yaml_text import Unreadable, read_yaml
from procedures.model.events import Role
from procedures.model.ids import ChannelId, ClusterName, MemberName, Site, UserId
from procedures.model.inventory import (
    Approvers,
    Cluster,
    Host,
    Inventory,
    Platform,
    Policy,
    TlsFiles,
)
from procedures.model.snapshot import Retention


class ConfigError(Exception):
    """The configuration cannot be used; `faults` says each reason, with its place."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


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
_RedisUrl = Annotated[str, url(("redis", "rediss"), r"(/[0-9]{0,5})?", "redis://HOST:PORT/NUMBER")]
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
    """Where the state is. Use rediss:// for TLS."""

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


class HostConfig(_Model):
    """A machine that has, or may get, a member."""

    address: Annotated[
        str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$")
    ]


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
    """One cluster. `endpoints` maps each expected member to its client URL."""

    platform: Platform = Platform.ETCD
    site: _Name = "default"
    endpoints: Mapping[_Name, _EtcdUrl] = Field(min_length=1)
    tls: TlsConfig | None = None
    channels: tuple[_Channel, ...] = ()
    incident_channel: _Channel | None = None
    hosts: Mapping[_Name, HostConfig] = Field(default_factory=dict)
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
    channels: tuple[_Channel, ...] = ()
    terminal_users: Mapping[str, _User] = Field(default_factory=dict)
    people: Mapping[str, tuple[_User, ...]] = Field(default_factory=dict)
    sites: tuple[_Name, ...] = ("default",)
    backups: BackupsConfig | None = None
    clusters: Mapping[_Name, ClusterConfig] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration in use. Relative paths in `file` are relative to `base`."""

    file: ConfigFile
    base: Path
    inventory: Inventory

    @property
    def clock(self) -> WallClock:
        """The time by which requests expire."""
        shift = self.file.sandbox_clock
        return WallClock(None if shift is None else self.base / shift)


def load(path: Path) -> Config:
    """Read and check the configuration. Raises ConfigError with all faults."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError((f"{path} cannot be read: {reason}",)) from error
    try:
        plain = read_yaml(text)
    except ValueError as error:
        raise ConfigError((f"{path}: {error}",)) from error
    try:
        file = ConfigFile.model_validate(plain)
    except ValidationError as error:
        raise ConfigError(tuple(_fault(each) for each in error.errors())) from error
    faults = tuple(_cross_faults(file))
    if faults:
        raise ConfigError(faults)
    base = path.resolve().parent
    return Config(file, base, _inventory(file, base))


def _fault(error: ErrorDetails) -> str:
    where = ".".join(str(part) for part in error["loc"]) or "the file"
    what = error["msg"].removeprefix("Value error, ")
    match error["type"]:
        case "extra_forbidden":
            what = "is not known here: check the spelling, or remove it"
        case "missing":
            what = "is missing"
        case "string_pattern_mismatch":
            what = f"{str(error['input'])!r} does not have the form {error['ctx']['pattern']}"
        case "model_type" | "mapping_type" | "dict_type":
            what = "must be a mapping of names to values"
        case _ if isinstance(error["input"], Unreadable):
            what = (
                f"{error['input']} looks like a date or a number and is none: correct or quote it"
            )
    return f"{where}: {what}"


def _cross_faults(file: ConfigFile) -> list[str]:
    """Faults that lie between two places of the file."""
    faults = []
    if file.sandbox_clock and not file.slack.api_url:
        faults.append("sandbox_clock: moves the time of a sandbox only: remove it")
    faults += [
        f"backups.sites.{site}: is not among `sites`"
        for site in (file.backups.sites if file.backups else ())
        if site not in file.sites
    ]
    for name, cluster in file.clusters.items():
        if cluster.site not in file.sites:
            faults.append(f"clusters.{name}.site: {cluster.site!r} is not among `sites`")
        faults += [
            f"clusters.{name}.channels: {channel} is not among `channels`"
            for channel in cluster.channels
            if channel not in file.channels
        ]
        if cluster.hosts:
            faults += [
                f"clusters.{name}.hosts: {member} has an endpoint and no host"
                for member in cluster.endpoints
                if member not in cluster.hosts
            ]
        approvers = cluster.approvers.users if cluster.approvers else ()
        if approvers and len(set(approvers)) < cluster.policy.destructive:
            faults.append(
                f"clusters.{name}.approvers: {len(set(approvers))} people cannot give "
                f"{cluster.policy.destructive} approvals: list more of them"
            )
        if cluster.incident_channel and cluster.incident_channel not in file.channels:
            faults.append(
                f"clusters.{name}.incident_channel: {cluster.incident_channel} is not among "
                "`channels`"
            )
        urls = list(cluster.endpoints.values())
        if len(set(urls)) < len(urls):
            faults.append(f"clusters.{name}.endpoints: two members have the same address")
    accounts = [user for users in file.people.values() for user in users]
    faults += [
        f"people: {each} belongs to two people"
        for each in sorted(set(accounts))
        if accounts.count(each) > 1
    ]
    ids = [writer.id for writer in file.signing.trusted]
    faults += [
        f"signing.trusted: {each} is listed twice"
        for each in sorted(set(ids))
        if ids.count(each) > 1
    ]
    owners: dict[bytes, list[str]] = {}
    for writer in file.signing.trusted:
        owners.setdefault(base64.b64decode(writer.public_key), []).append(writer.id)
    faults += [
        f"signing.trusted: {' and '.join(sharers)} have the same public key: "
        "give each a key of its own"
        for sharers in owners.values()
        if len(sharers) > 1
    ]
    return faults


def _inventory(file: ConfigFile, base: Path) -> Inventory:
    clusters = {
        ClusterName(name): Cluster(
            name=ClusterName(name),
            platform=cluster.platform,
            site=Site(cluster.site),
            endpoints=MappingProxyType(
                {MemberName(member): url for member, url in cluster.endpoints.items()}
            ),
            tls=_tls(cluster.tls, base),
            channels=tuple(ChannelId(channel) for channel in cluster.channels),
            incident_channel=(
                ChannelId(cluster.incident_channel) if cluster.incident_channel else None
            ),
            hosts=tuple(Host(host, each.address) for host, each in cluster.hosts.items()),
            approvers=_approvers(cluster.approvers),
            policy=Policy(**cluster.policy.model_dump()),
            deadline_ms=cluster.deadline_ms,
            sample_gap_ms=cluster.sample_gap_ms,
            hash_up_to_bytes=cluster.hash_up_to_mib * 1024**2,
        )
        for name, cluster in file.clusters.items()
    }
    return Inventory(
        clusters=MappingProxyType(clusters),
        retention=_retention(file),
        channels=frozenset(ChannelId(channel) for channel in file.channels),
        terminal_users=MappingProxyType(
            {name: UserId(user) for name, user in file.terminal_users.items()}
        ),
        people=MappingProxyType(
            {UserId(user): name for name, users in file.people.items() for user in users}
        ),
    )


def _retention(file: ConfigFile) -> Mapping[Site, Retention]:
    if file.backups is None:
        return MappingProxyType({})
    places = {Site(site): file.backups.place(site) for site in file.sites}
    return MappingProxyType(
        {
            site: Retention(place.retention.days, place.retention.distinct_days)
            for site, place in places.items()
            if place is not None
        }
    )


def _approvers(given: ApproversConfig | None) -> Approvers:
    if given is None:
        return Approvers()
    return Approvers(given.group, frozenset(UserId(user) for user in given.users))


def _tls(tls: TlsConfig | None, base: Path) -> TlsFiles | None:
    if tls is None:
        return None
    return TlsFiles(
        ca=str(base / tls.ca),
        cert=str(base / tls.cert),
        key=str(base / tls.key),
        server_name=tls.server_name,
    )
