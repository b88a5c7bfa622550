"""RHEL on machines in memory: registration, channels, and packages that have newer ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.targets.ssh.model import FakeMachine, Program, Say
from procedures.model import packages
from procedures.model.ids import MemberName
from tests.support.theatre import Theatre

NEWER = {"etcd": "3.4.30-1.el7", "iptables-services": "1.4.21-35.el7"}


@dataclass
class Rhel:
    """A machine's packages; `offers` is what its channels have."""

    theatre: Theatre
    name: str
    registered: bool = True
    channels: set[str] = field(default_factory=lambda: set(packages.CHANNELS))
    has: dict[str, str] = field(
        default_factory=lambda: {"etcd": "3.4.23-1.el7", "iptables-services": "1.4.21-34.el7"}
    )
    offers: Mapping[str, str] = field(default_factory=lambda: NEWER)

    def install(self) -> None:
        """Give the machine the programs."""
        machine = self.theatre.sight.hosts.machines[self.name]
        machine.programs |= {
            "subscription-manager": self._subscription_manager(),
            "rpm": self._rpm(),
            "yum": self._yum(),
        }

    def _subscription_manager(self) -> Program:
        async def run(_: FakeMachine, argv: Sequence[str], __: bytes, say: Say) -> int:
            if not self.registered:
                await say("This system is not yet registered.")
                return 1
            self.channels |= {word[9:] for word in argv if word.startswith("--enable=")}
            for each in sorted(self.channels) if "--list-enabled" in argv else ():
                await say(f"Repo ID:   {each}")
            return 0

        return run

    def _rpm(self) -> Program:
        async def run(_: FakeMachine, __: Sequence[str], ___: bytes, say: Say) -> int:
            for name in packages.PACKAGES:
                at = self.has.get(name)
                await say(f"{name} {at}" if at else f"package {name} is not installed")
            return sum(name not in self.has for name in packages.PACKAGES)

        return run

    def _yum(self) -> Program:
        async def run(machine: FakeMachine, argv: Sequence[str], _: bytes, say: Say) -> int:
            newer = {name: at for name, at in self.offers.items() if self.has.get(name) != at}
            if "check-update" in argv:
                for name, at in newer.items():
                    await say(f"{name}.x86_64    {at}    rhel-7-server-extras-rpms")
                return 100 if newer else 0
            self.has |= {name: at for name, at in newer.items() if f"{name}-{at}" in argv}
            member = self.theatre.sight.demo.members[MemberName(self.name)]
            member.version = packages.upstream(self.has["etcd"])
            machine.units["etcd.service"].stop(machine)
            machine.units["etcd.service"].start(machine)
            await say("Complete!")
            return 0

        return run


def on_rhel(
    *,
    unregistered: Sequence[str] = (),
    without_channels: Sequence[str] = (),
    offers: Mapping[str, Mapping[str, str]] | None = None,
) -> Callable[[Theatre], None]:
    """Let all members be on it, with newer packages in its channels, or these by host."""

    def act(theatre: Theatre) -> None:
        for name in theatre.sight.demo.members:
            Rhel(
                theatre,
                name,
                registered=name not in unregistered,
                channels=set() if name in without_channels else set(packages.CHANNELS),
                offers=NEWER if offers is None else offers.get(name, {}),
            ).install()

    return act
