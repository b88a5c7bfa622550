"""How fast is output redacted, and what does one line cost?

Output of etcd, tables and logs in lines of 120 characters, with 20 registered secrets: as chunks of
64 KiB, as single lines, and where it holds secrets, a private key, or what secrets look like.
Times are those of the processor, and so suffer less from what else the machine does.
"""

import argparse
import base64
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.support.figures import goal, load, median, show
from procedures.model.redaction.redactor import Redactor

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=!$%&'\"\\ "
_WIDTH = 120
_CHUNK = 64 * 1024
_SECRETS = 20
_GOAL_LINES = 10_000


@dataclass(frozen=True, slots=True)
class Figures:
    """MB/s the first time, when the redactor is new, and later (median); µs for a line."""

    first: float
    later: float
    line_us: float


def main(megabytes: int, rounds: int, seed: int) -> None:
    """Measure and print."""
    rng = random.Random(seed)  # noqa: S311 (text that can be repeated)
    secrets = {f"secret-{at}": _value(rng) for at in range(_SECRETS)}
    began = time.process_time()
    Redactor(secrets)
    print(f"{_SECRETS} secrets compiled in {(time.process_time() - began) * 1e3:.0f} ms; {load()}")
    texts = {name: make(rng) for name, make in _texts([*secrets.values()]).items()}
    rows, ordinary = [], Figures(0, 0, 0)
    for name, text in texts.items():
        whole = text * (megabytes * 1_000_000 // len(text) + 1)
        for how, size in (("64 KiB", _CHUNK), ("lines", _WIDTH)):
            figures = _measure(Redactor(secrets), whole, size, rounds)
            rows.append(
                (
                    f"{name}, {how}",
                    *(f"{rate:.1f}" for rate in (figures.first, figures.later)),
                    f"{figures.line_us:.1f}",
                )
            )
            if (name, how) == ("ordinary", "64 KiB"):
                ordinary = figures
            elif (name, how) == ("ordinary", "lines"):
                busy = figures.line_us * _GOAL_LINES / 1e6
    show(("output, fed as", "first MB/s", "MB/s", "us/line"), rows)
    goal("seconds for 20 MB of ordinary output", 20 / ordinary.later, 1)
    goal(f"part of a core for {_GOAL_LINES:,} single lines each second", busy, 0.5)


def _measure(redactor: Redactor, text: bytes, size: int, rounds: int) -> Figures:
    chunks = [text[at : at + size] for at in range(0, len(text), size)]
    seconds = [_seconds(redactor, chunks) for _ in range(rounds + 1)]
    later = median(seconds[1:])
    return Figures(
        len(text) / seconds[0] / 1e6, len(text) / later / 1e6, later * _WIDTH / len(text) * 1e6
    )


def _seconds(redactor: Redactor, chunks: Sequence[bytes]) -> float:
    began = time.process_time()
    stream = redactor.stream()
    for chunk in chunks:
        stream.feed(chunk)
    stream.close()
    return time.process_time() - began


def _value(rng: random.Random) -> bytes:
    return "".join(rng.choices(_ALPHABET, k=rng.randint(16, 44))).encode()


def _texts(secrets: Sequence[bytes]) -> Mapping[str, Callable[[random.Random], bytes]]:
    """Some 200 kB of each kind of output."""

    def lines(make: Callable[[random.Random], bytes]) -> Callable[[random.Random], bytes]:
        return lambda rng: b"".join(
            make(rng)[: _WIDTH - 1].ljust(_WIDTH - 1) + b"\n" for _ in range(1_700)
        )

    def with_secret(rng: random.Random) -> bytes:
        secret = rng.choice(secrets)
        coded = rng.choice((secret, base64.b64encode(secret), secret.hex().encode()))
        return b"value of the key is " + coded

    key = b"-----BEGIN PRIVATE KEY-----\n%b-----END PRIVATE KEY-----\n"
    return {
        "ordinary": lines(_ordinary),
        "a secret in each line": lines(with_secret),
        "a sign in each line": lines(lambda rng: b"--user root:%x get /key" % rng.getrandbits(64)),
        "private keys": lambda rng: b"".join(
            key % base64.encodebytes(rng.randbytes(1_200)) for _ in range(120)
        ),
        "base64": lambda rng: base64.encodebytes(rng.randbytes(150_000)),
        "hexadecimal": lines(lambda rng: rng.randbytes(59).hex().encode()),
        "beginnings of secrets": lines(
            lambda rng: b"".join(rng.choice(secrets)[: rng.randint(1, 15)] for _ in range(16))
        ),
    }


_ORDINARY = (
    '{{"level":"info","ts":"2026-01-01T10:00:00.{0:03d}Z","caller":"server.go:{0}","id":"{1:016x}"}}',
    "{1:016x}, started, etcd-{0}, https://10.0.0.{0}:2380, https://10.0.0.{0}:2379, false",
    "| https://10.0.3.{0}:2379 | {1:016x} | 3.5.{0} | {0} MB | false | false | {0} | {0} | {0} | |",
    "certificate of member etcd-{0}: valid for {0} days; sha256:{1:016x}{1:016x}{1:016x}{1:016x}",
    "the member was restarted and caught up after a while; all voters served linearizable reads",
)


def _ordinary(rng: random.Random) -> bytes:
    return rng.choice(_ORDINARY).format(rng.randrange(256), rng.getrandbits(64)).encode()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=4, help="of each kind of output (4)")
    parser.add_argument("--rounds", type=int, default=5, help="the median of so many (5)")
    parser.add_argument("--seed", type=int, default=1, help="another text (1)")
    options = parser.parse_args()
    main(options.megabytes, options.rounds, options.seed)
