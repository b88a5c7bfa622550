"""The hosts of a demo cluster, and what `etcd health` has learnt on them."""

from bot.targets.ssh.model import FakeMachine
from procedures.model import envfile
from procedures.model.report import Figure, HealthReport
from tests.support.sight import FakeSight

CONFIG = "/etc/etcd/etcd.conf"


def machine(sight: FakeSight, number: int = 1) -> FakeMachine:
    """Give the host of that number."""
    return sight.hosts.machines[f"demo-{number}"]


def figures(report: HealthReport, name: str, of: str | None = None) -> list[Figure]:
    """Find the figures of that name, of all hosts or of one."""
    return [each for each in report.hosts if each.name == name and of in {None, each.member}]


def configure(at: FakeMachine, **changes: str | None) -> None:
    """Change settings in etcd's file on a host; None takes one out."""
    at.files.put(CONFIG, envfile.edited(at.files.text(CONFIG), changes))
