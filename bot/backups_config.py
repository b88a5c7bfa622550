"""The section `backups` of the configuration: where each site keeps snapshots, and how long."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from bot.secret import SecretRef
from bot.urls import url


def _quoted(value: object) -> object:
    if isinstance(value, float | int):
        message = f'write it in quotes, e.g. "{value}"'
        raise ValueError(message)  # noqa: TRY004 - pydantic collects ValueErrors
    return value


_Site = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$")]
_Minor = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{1,3}\.[0-9]{1,3}$"), BeforeValidator(_quoted)
]
_Bucket = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
_Region = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")]
_Prefix = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_./-]{0,200}$")]
_StoreUrl = Annotated[str, url(("https", "http"), r"/?", "https://HOST:PORT")]

_EITHER = "say either `directory: PATH` or `s3: {bucket: …, access_key: …, secret_key: …}`"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class S3Config(_Model):
    """A bucket. `endpoint` is left out for Amazon's own; `ca` is the file with its authority.

    `spool` is a directory of this machine in which a snapshot is verified before it is sent.
    """

    bucket: _Bucket
    endpoint: _StoreUrl | None = None
    region: _Region = "us-east-1"
    prefix: _Prefix = "etcd"
    access_key: SecretRef
    secret_key: SecretRef
    ca: Path | None = None
    spool: Path = Path("/var/tmp")  # noqa: S108 - a private directory is made below it


class RetentionConfig(_Model):
    """What is kept: everything younger than `days`, and never less than `distinct_days` days."""

    days: int = Field(default=30, ge=1, le=3_650)
    distinct_days: int = Field(default=7, ge=1, le=366)


class PlaceConfig(_Model):
    """Where snapshots are kept. `tools` names, by minor of etcd, its tool or the directory of it.

    A tool that is not named is looked for on the PATH: etcdctl up to 3.4, etcdutl from 3.5.
    `scratch` is a directory of this machine in which drills restore: three times the size of a
    snapshot, in a private directory below it, and gone afterwards.
    """

    directory: Path | None = None
    s3: S3Config | None = None
    retention: RetentionConfig = RetentionConfig()
    tools: Mapping[_Minor, Path] = Field(default_factory=dict)
    scratch: Path = Path("/var/tmp")  # noqa: S108 - a private directory is made below it

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.directory is None) == (self.s3 is None):
            raise ValueError(_EITHER)
        return self


class BackupsConfig(PlaceConfig):
    """One place for all sites; `sites` names others, each in place of all the rest."""

    sites: Mapping[_Site, PlaceConfig] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        both = self.directory is not None and self.s3 is not None
        if both or (self.directory is None and self.s3 is None and not self.sites):
            raise ValueError(_EITHER)
        return self

    def place(self, site: str) -> PlaceConfig | None:
        """Where a site keeps its snapshots, None where no place is given."""
        if site in self.sites:
            return self.sites[site]
        return self if self.directory or self.s3 else None
