"""Packages of an etcd host on RHEL, and the channels that they are of. (catalogue P58; X18)

What is typed here never takes a user name or a password: registering is a person's.
"""

import re
from collections.abc import Mapping
from itertools import pairwise

ETCD = "etcd"
PACKAGES = (ETCD, "iptables-services")
CHANNELS = ("rhel-7-server-rpms", "rhel-7-server-extras-rpms")

IDENTITY = ("subscription-manager", "identity")
"""Ends with status 0 where the system is registered, 1 where not."""

ENABLED = ("subscription-manager", "repos", "--list-enabled")
INSTALLED = ("rpm", "--query", "--queryformat", "%{NAME} %{VERSION}-%{RELEASE}\\n", *PACKAGES)
"""Ends with the number of those that are not installed."""

UPDATES = ("yum", "--quiet", "check-update", *PACKAGES)
"""Ends with status 0 where there are none, 100 where there are some."""

_CHANNEL = re.compile(r"^Repo ID:\s*(\S+)\s*$", re.MULTILINE)
_OBSOLETING = "Obsoleting Packages"


def channels(said: str) -> frozenset[str]:
    """Which channels are enabled, as `ENABLED` lists them."""
    return frozenset(_CHANNEL.findall(said))


def installed(said: str) -> dict[str, str]:
    """Version and release of each package that is installed."""
    lines = (line.split() for line in said.splitlines())
    return {words[0]: words[1] for words in lines if len(words) == 2 and words[0] in PACKAGES}


def updates(said: str) -> dict[str, str]:
    """What `yum` offers, by package; it breaks long lines, so that words count and not lines."""
    words = said.partition(_OBSOLETING)[0].split()
    return {
        name: version
        for word, version in pairwise(words)
        if (name := word.rpartition(".")[0]) in PACKAGES
    }


def enable(wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Enable channels. None is disabled: others may be of use to what else is on the host."""
    return ("subscription-manager", "repos", *(f"--enable={each}" for each in wanted))


def update(wanted: Mapping[str, str]) -> tuple[str, ...]:
    """Update packages to these very versions."""
    return (
        "yum",
        "--assumeyes",
        "update",
        *(f"{name}-{at}" for name, at in sorted(wanted.items())),
    )


def upstream(version: str) -> str:
    """The version of the program, without what the packager adds: 3.3.11 of 0:3.3.11-2.el7."""
    return version.rpartition(":")[2].partition("-")[0]


def as_installed(version: str) -> str:
    """As `rpm` shows it: without the epoch."""
    return version.rpartition(":")[2]
