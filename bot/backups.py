"""The place for backups that a site's configuration names."""

from pathlib import Path

from bot.backups_config import PlaceConfig, S3Config
from bot.config import Config, ConfigError
from bot.secret import Secret
from bot.targets.backups.local import LocalBackups
from bot.targets.backups.tools import Tools
from procedures.engine.ports import Backups
from procedures.model.ids import Site


def make_backups(config: Config, site: Site) -> Backups | None:
    """Make a site's backups; None where none are configured. The directory is not looked at yet.

    Raises ConfigError with every secret that cannot be read.
    """
    place = _place(config, site)
    if place is None:
        return None
    tools, scratch = _tools(config.base, place), config.base / place.scratch
    if place.directory is not None:
        return LocalBackups(config.base / place.directory, tools, config.clock, scratch)
    assert place.s3 is not None  # noqa: S101 - checked when it was loaded
    return _in_bucket(config, site, place.s3, tools, scratch)


async def tool_fault(config: Config, site: Site, minor: str) -> str | None:
    """Say why a site's snapshots of a minor of etcd cannot be checked, e.g. of `3.4`.

    None: they can, or no place for snapshots is configured.
    """
    place = _place(config, site)
    return None if place is None else await _tools(config.base, place).fault(minor)


def _place(config: Config, site: Site) -> PlaceConfig | None:
    return config.file.backups.place(site) if config.file.backups else None


def _tools(base: Path, place: PlaceConfig) -> Tools:
    return Tools({minor: str(base / path) for minor, path in place.tools.items()})


def _in_bucket(config: Config, site: Site, s3: S3Config, tools: Tools, scratch: Path) -> Backups:
    # boto is large, and only sites with a bucket need it.
    from bot.targets.backups.bucket import Place  # noqa: PLC0415
    from bot.targets.backups.s3 import S3Backups  # noqa: PLC0415

    own = config.file.backups is not None and site in config.file.backups.sites
    where = f"backups.sites.{site}.s3" if own else "backups.s3"
    secrets: dict[str, Secret] = {}
    faults = []
    for name, reference in (("access_key", s3.access_key), ("secret_key", s3.secret_key)):
        try:
            secrets[name] = reference.read(config.base)
        except ValueError as error:
            faults.append(f"{where}.{name}: {error}")
    ca = None if s3.ca is None else config.base / s3.ca
    if ca is not None and not ca.is_file():
        faults.append(f"{where}.ca: the file {ca} is not there")
    if faults:
        raise ConfigError(tuple(faults))
    place = Place(
        bucket=s3.bucket,
        region=s3.region,
        access_key=secrets["access_key"],
        secret_key=secrets["secret_key"],
        endpoint=s3.endpoint,
        ca=None if ca is None else str(ca),
    )
    return S3Backups(place, s3.prefix, config.base / s3.spool, tools, config.clock, scratch=scratch)
