"""What runs on a master of OpenShift or OKD 3, and how each part of it is restarted. (P47, P56)"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import urlsplit

from procedures.model import yaml_list
from procedures.model.platform import Argv

CONFIG = "/etc/origin/master/master-config.yaml"
URLS = ("etcdClientInfo", "urls")

_CA = "/etc/origin/master/ca-bundle.crt"
_PODS = "/etc/origin/node/pods"
_WITHIN_S = "5"
_ANY = frozenset({"0.0.0.0", "::", ""})
_PORT = 8443


class Part(StrEnum):
    """A part that reads the configuration of a master when it starts."""

    API = "api"
    CONTROLLERS = "controllers"


MANIFESTS: Mapping[Part, str] = MappingProxyType(
    {Part.API: f"{_PODS}/apiserver.yaml", Part.CONTROLLERS: f"{_PODS}/controller.yaml"}
)
"""Where a part is a static pod."""

UNITS: Mapping[Part, tuple[str, ...]] = MappingProxyType(
    {
        part: (f"origin-master-{part}.service", f"atomic-openshift-master-{part}.service")
        for part in Part
    }
)
"""By which units a part may be run elsewhere."""


def process(part: Part) -> Argv:
    """List the process ids of a part. The brackets keep the pattern from finding who asks."""
    return ("pgrep", "-f", f"[o]penshift start master {part}")


def restart(part: Part, unit: str | None) -> Argv:
    """Restart a part; each needs a command of its own, as the script reads one word only (X6)."""
    if unit is None:
        return ("/usr/local/bin/master-restart", str(part))
    return ("systemctl", "restart", unit)


@dataclass(frozen=True, slots=True)
class Healthz:
    """Where a master's own API server says how it is, whatever balances the load before it."""

    name: str
    port: int
    address: str = "127.0.0.1"

    @property
    def argv(self) -> Argv:
        """Ask it on its own machine, by the name in its certificate."""
        return (
            *("curl", "--silent", "--show-error", "--max-time", _WITHIN_S, "--cacert", _CA),
            *("--resolve", f"{self.name}:{self.port}:{self.address}"),
            f"https://{self.name}:{self.port}/healthz",
        )

    @property
    def typed(self) -> str:
        """How people would type it."""
        return shlex.join(self.argv)


def healthz(config: str, hostname: str) -> Healthz:
    """Find out where a master of this configuration serves. Raises ValueError for no YAML."""
    bound = yaml_list.text_at(config, ("servingInfo", "bindAddress")) or ""
    parts = urlsplit(f"//{bound}")
    host = parts.hostname or ""
    return Healthz(hostname, parts.port or _PORT, "127.0.0.1" if host in _ANY else host)
