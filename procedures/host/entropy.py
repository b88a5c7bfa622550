"""Entropy of hosts, where the kernel can still run out of it. (catalogue P02)

Newer kernels, and older ones that got their random number generator, have a pool of 256 bits that
is filled once and gives without end: there the figure says nothing, whatever it is. The pool's size
tells them apart better than the version, because distributions carry changes back.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from procedures.engine.ports import Look
from procedures.host.answering import Args, answered, report
from procedures.host.asking import OnHost, each_host
from procedures.model.inquiry import Inquiry
from procedures.model.probe import Fault
from procedures.model.report import Figure, HostsReport, Level

ENOUGH, LOW = 1_000, 800
"""Bits that are as many as they should be, and below which TLS handshakes may wait (P02)."""

_ENDLESS_BITS = 256
_RANDOM = "/proc/sys/kernel/random"
_ASKED = ("cat", f"{_RANDOM}/poolsize", f"{_RANDOM}/entropy_avail", "/proc/sys/kernel/osrelease")


@dataclass(frozen=True, slots=True)
class Entropy:
    """What the kernel tells: the size of its pool and what is in it, in bits, and its version."""

    pool: int
    available: int
    kernel: str

    @property
    def matters(self) -> bool:
        """Tell whether it can run out."""
        return self.pool > _ENDLESS_BITS


async def read_entropy(on: OnHost) -> Entropy | Fault:
    """Read it, which takes none of it."""
    said = await on.said(*_ASKED)
    if isinstance(said, Fault):
        return said
    match said.out.split():
        case [pool, available, kernel] if pool.isdecimal() and available.isdecimal():
            return Entropy(int(pool), int(available), kernel)
    return on.fault(f"the kernel told {said.out[:60]!r}")


def entropy_figure(host: str, entropy: Entropy | Fault) -> Figure:
    """Whether a host has enough."""
    if isinstance(entropy, Fault):
        return Figure("entropy", Level.UNKNOWN, entropy.message, member=host, counts=False)
    if not entropy.matters:
        text = f"does not run out with kernel {entropy.kernel}, whose pool is filled once"
        return Figure("entropy", Level.OK, text, member=host, counts=False)
    text = f"{entropy.available:,} bits, kernel {entropy.kernel}"
    if entropy.available < LOW:
        text += f"; below {LOW} programs may wait for it: start rngd"
        return Figure("entropy", Level.WARN, text, member=host, counts=False)
    level = Level.OK if entropy.available >= ENOUGH else Level.INFO
    return Figure("entropy", level, text, member=host, counts=False)


async def ask(args: Args, look: Look) -> AsyncIterator[HostsReport]:
    """Ask all hosts. Raises Refused."""
    cluster = look.inventory.clusters[args.cluster]
    seen = await each_host(cluster, look, _look_at)
    told, figures = answered(seen)
    figures = [*(entropy_figure(name, each) for name, (each,) in told.items()), *figures]
    yield report(cluster, "entropy", seen, figures)


INQUIRY = Inquiry("host entropy", Args, ask)


async def _look_at(on: OnHost) -> tuple[Entropy | Fault] | Fault:
    machine = await on.machine()
    return machine if isinstance(machine, Fault) else (await read_entropy(on),)
