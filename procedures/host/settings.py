"""What etcd is told on a host: its configuration file, as the host has it."""

from collections.abc import Mapping
from dataclasses import dataclass

from procedures.host.asking import OnHost
from procedures.model import envfile
from procedures.model.host import FileSeen
from procedures.model.platform import Layout
from procedures.model.probe import Fault


@dataclass(frozen=True, slots=True)
class Settings:
    """The values of the file; None where there is none, a Fault where nobody can tell."""

    values: Mapping[str, str] | Fault | None
    usual_data: str

    @property
    def known(self) -> Mapping[str, str]:
        """The values, as far as they are known."""
        return self.values if isinstance(self.values, Mapping) else {}

    @property
    def data(self) -> str:
        """Etcd's data folder."""
        return self.path("ETCD_DATA_DIR") or self.usual_data

    @property
    def folders(self) -> tuple[str, ...]:
        """The data folder, and that of the log where it is elsewhere."""
        log = self.path("ETCD_WAL_DIR")
        return (self.data, log) if log else (self.data,)

    def path(self, name: str) -> str | None:
        """A path that is set, without a slash at its end."""
        value = self.known.get(name, "")
        return value.rstrip("/") or None if value.startswith("/") else None


async def read_settings(on: OnHost, how: Layout) -> Settings:
    """Read the file."""
    config = await on.read(how.config)
    if isinstance(config, FileSeen):
        values = envfile.read(config.content.decode(errors="replace"))
        return Settings(values, how.data)
    return Settings(config, how.data)
