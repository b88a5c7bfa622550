"""A bridge with a port for each host and one for the bot, and what can go wrong on it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from tests.testbed.errors import BedError
from tests.testbed.namespaces import NAMED, Namespace
from tests.testbed.needs import netem, no_latency
from tests.testbed.shell import attempt, call

_SUBNET = IPv4Network("10.0.0.0/24")
_FIRST_HOST = 10
_BOT_PORT = 0
_INTERFACE = "eth0"


@dataclass(slots=True)
class Faults:
    """What the bridge does to frames, by port number."""

    apart: set[frozenset[int]] = field(default_factory=set)
    """Pairs between which nothing passes."""
    loss: dict[int, int] = field(default_factory=dict)
    """Percent of frames that a port loses, each way."""


def ruleset(faults: Faults) -> str:
    """The rules of nft for these faults; they replace whatever was there."""
    rules = [
        f'iifname "port{one}" oifname "port{other}" drop'
        for pair in sorted(map(sorted, faults.apart))
        for one, other in (pair, reversed(pair))
    ]
    for port, percent in sorted(faults.loss.items()):
        # Of 100 numbers, nft has no 101st to compare with.
        chance = "" if percent == 100 else f"numgen random mod 100 < {percent} "
        rules += [f'{side} "port{port}" {chance}drop' for side in ("iifname", "oifname")]
    lines = "\n".join(f"    {rule}" for rule in rules)
    return (
        "flush ruleset\n"
        "table bridge faults {\n"
        "  chain passing {\n"
        "    type filter hook forward priority 0;\n"
        f"{lines}\n"
        "  }\n"
        "}\n"
    )


class Network:
    """The bridge. Port 0 is the bot's; a host's port has the host's number, from 1."""

    def __init__(self, prefix: str, bot: Namespace | None = None) -> None:
        """`bot` is a namespace that is there; without one, a new one is made."""
        self._prefix = prefix
        self._bridge = Namespace(f"{prefix}-bridge")
        self._own_bot = bot is None
        self.bot = bot or Namespace(f"{prefix}-bot")
        self._faults = Faults()

    def create(self) -> None:
        """Make the bridge and connect the bot. Raises BedError."""
        self._bridge = Namespace.create(self._bridge.name)
        if self._own_bot:
            self.bot = Namespace.create(self.bot.name)
        elif _addresses(self.bot) & {str(self.bot_address)}:
            raise BedError(f"another testbed is connected to namespace {self.bot.name}")
        self._bridge.ip("link", "add", "bridge", "type", "bridge")
        self._bridge.ip("link", "set", "bridge", "up")
        self._connect(self.bot, _BOT_PORT, str(self.bot_address))

    @property
    def bot_address(self) -> str:
        return str(_SUBNET[1])

    @staticmethod
    def address(number: int) -> str:
        """The address of a host, by its number."""
        return str(_SUBNET[_FIRST_HOST + number])

    def connect(self, number: int, name: str) -> Namespace:
        """Make the namespace of a host, connected and with its address."""
        namespace = Namespace.create(f"{self._prefix}-{name}")
        self._connect(namespace, number, self.address(number))
        return namespace

    def _connect(self, namespace: Namespace, port: int, address: str) -> None:
        interface, bridge = _INTERFACE, self._bridge
        bridge.ip(
            *("link", "add", f"port{port}", "type", "veth"),
            *("peer", "name", interface, "netns", namespace.name),
        )
        namespace.ip("address", "add", f"{address}/{_SUBNET.prefixlen}", "dev", interface)
        namespace.ip("link", "set", interface, "up")
        bridge.ip("link", "set", f"port{port}", "master", "bridge", "up")

    def plug(self, port: int, *, plugged: bool) -> None:
        """Put a host's cable in, or pull it."""
        self._bridge.ip("link", "set", f"port{port}", "up" if plugged else "down")

    def part(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Let nothing pass between the ports of each pair, as well as what was parted before."""
        self._faults.apart |= {frozenset(pair) for pair in pairs}
        self._apply()

    def lose(self, losses: Mapping[int, int]) -> None:
        """Lose so many percent of the frames of each of these ports, each way; 0 ends it."""
        for port, percent in losses.items():
            if percent not in range(101):
                raise BedError(f"a loss of {percent} percent is none")
            self._faults.loss.pop(port, None)
            if percent:
                self._faults.loss[port] = percent
        self._apply()

    def heal(self) -> None:
        """End all partitions and losses."""
        self._faults = Faults()
        self._apply()

    def delay(self, name: str, milliseconds: int) -> None:
        """Let all that a host sends be under way so much longer; 0 ends it."""
        delay(Namespace(f"{self._prefix}-{name}"), milliseconds)

    def bar(self, name: str, port: int) -> None:
        """Let a host refuse the bot, and nobody else, at one port."""
        rules = (
            "table inet barred {\n"
            "  chain input {\n"
            "    type filter hook input priority 0;\n"
            f"    ip saddr {self.bot_address} tcp dport {port} reject with tcp reset\n"
            "  }\n"
            "}\n"
        )
        call(Namespace(f"{self._prefix}-{name}").command(["nft", "--file", "-"]), stdin=rules)

    def unbar(self, name: str) -> None:
        """Take that back."""
        nft = ["nft", "delete", "table", "inet", "barred"]
        call(Namespace(f"{self._prefix}-{name}").command(nft))

    def _apply(self) -> None:
        rules = ruleset(self._faults)
        call(self._bridge.command(["nft", "--file", "-"]), stdin=rules)


def delay(host: Namespace, milliseconds: int) -> None:
    """Let all that is sent from a host's namespace be under way so much longer; 0 ends it.

    Raises BedError where the kernel has no `tc netem`.
    """
    tc = ["tc", "-n", host.name, "qdisc"]
    attempt([*tc, "delete", "dev", _INTERFACE, "root"])  # there may be none
    if not milliseconds:
        return
    if reason := no_latency():
        raise BedError(reason)
    call([*tc, "add", "dev", _INTERFACE, "root", *netem(milliseconds)])


def dismantle(prefix: str) -> None:
    """Remove what there is of a network, by its prefix."""
    # At once; the kernel takes its time over links in a namespace that goes.
    attempt(["ip", "-n", f"{prefix}-bridge", "link", "delete", f"port{_BOT_PORT}"])
    for path in sorted(NAMED.glob(f"{prefix}-*")):
        Namespace(path.name).remove()


def _addresses(namespace: Namespace) -> set[str]:
    links = json.loads(namespace.ip("-json", "address"))
    return {address["local"] for link in links for address in link["addr_info"]}
