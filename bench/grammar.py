"""How fast is typed text understood, and is there any that is handled by nobody?

Whatever is typed must end in a request, in help, or in a UsageError with words; any other
exception is a defect and is printed with the text that led to it.
"""

import argparse
import secrets
import sys
import time
from dataclasses import dataclass, field
from types import MappingProxyType

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from bench.support.figures import goal, load, median, p99, show
from commands.catalogue import REGISTRY
from commands.grammar import parse
from procedures.model.errors import UsageError
from procedures.model.ids import ChannelId, ClusterName, MemberName, Site
from procedures.model.inventory import Cluster, Inventory, Platform
from tests.support.typed_text import typed_text

_ONE, _NONE, _TWO = ChannelId("C0ONE"), ChannelId("C0NONE"), ChannelId("C0TWO")
_SLASHES = (*(f"/{word}" for word in REGISTRY.groups), "/nothing")
_SHOWN = 10


@dataclass(slots=True)
class Tally:
    """What became of the inputs. `parse_us` is the time in the grammar alone, of each."""

    parse_us: list[float] = field(default_factory=list)
    understood: int = 0
    refused: int = 0
    failures: list[str] = field(default_factory=list)


def main(examples: int, seed_number: int) -> int:
    """Measure and print; exit status 1 when an input was handled by nobody."""
    tally, inventory = Tally(), an_inventory()

    @seed(seed_number)
    @settings(
        max_examples=examples,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(typed_text, st.sampled_from([_ONE, _NONE, _TWO, None]), st.sampled_from(_SLASHES))
    def every_text_is_handled(text: str, channel: ChannelId | None, slash: str) -> None:
        began = time.perf_counter()
        try:
            parse(REGISTRY, inventory, slash, text, channel)
            tally.understood += 1
        except UsageError as error:
            tally.refused += 1
            if not str(error):
                tally.failures.append(f"a refusal without words: {slash} {text!r}")
        except Exception as error:  # noqa: BLE001 (whatever it is, it is what is looked for)
            tally.failures.append(f"{error!r}: {slash} {text!r} in {channel}")
        tally.parse_us.append((time.perf_counter() - began) * 1e6)

    began = time.perf_counter()
    every_text_is_handled()
    return report(tally, time.perf_counter() - began, seed_number)


def report(tally: Tally, seconds: float, seed_number: int) -> int:
    """Print the figures; gives the exit status."""
    count, parsing_s = len(tally.parse_us), sum(tally.parse_us) / 1e6
    print(f"{count:,} inputs, seed {seed_number}; {load()}")
    show(
        ("inputs", "per s", "p50 us", "p99 us"),
        [
            (
                "in the grammar alone",
                f"{count / parsing_s:,.0f}",
                f"{median(tally.parse_us):.1f}",
                f"{p99(tally.parse_us):.1f}",
            ),
            ("with making them up", f"{count / seconds:,.0f}", "", ""),
        ],
    )
    print(f"{tally.understood:,} understood, {tally.refused:,} refused with words")
    for failure in tally.failures[:_SHOWN]:
        print(f"unhandled: {failure}")
    return 0 if goal("unhandled", len(tally.failures), 0) else 1


def an_inventory() -> Inventory:
    """Two clusters: one channel knows one of them, one both, one neither."""
    channels = {"demo": (_ONE, _TWO), "prod": (_TWO,)}
    clusters = {
        ClusterName(name): Cluster(
            name=ClusterName(name),
            platform=Platform.ETCD,
            site=Site("default"),
            endpoints={MemberName(f"{name}-1"): "http://127.0.0.1:2379"},
            tls=None,
            channels=known,
        )
        for name, known in channels.items()
    }
    return Inventory(MappingProxyType(clusters), frozenset({_ONE, _NONE, _TWO}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=100_000, help="how many texts (100000)")
    parser.add_argument("--seed", type=int, help="repeat a run (random)")
    options = parser.parse_args()
    number = secrets.randbits(32) if options.seed is None else options.seed
    sys.exit(main(options.examples, number))
