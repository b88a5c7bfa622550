"""The configuration: one YAML file, read once, all its faults reported at once.

Secrets are references. Each process reads only those that its role needs: a worker never sees a
Slack token, a front never sees a certificate of a cluster.
"""

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.clock import WallClock
from bot.config_faults import cross_faults
from bot.config_inventory import inventory
from bot.config_model import ConfigFile
from bot.yaml_text import Unreadable, read_yaml
from procedures.model.inventory import Inventory


class ConfigError(Exception):
    """The configuration cannot be used; `faults` says each reason, with its place."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


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
    faults = tuple(cross_faults(file))
    if faults:
        raise ConfigError(faults)
    base = path.resolve().parent
    return Config(file, base, inventory(file, base))


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
