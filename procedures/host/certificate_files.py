"""Certificates in the files of a host, as its own openssl sees them. (rule R17)"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from procedures.host.asking import OnHost
from procedures.model.host import Said
from procedures.model.probe import Fault
from procedures.model.report import Figure, Level

LEAF_DAYS, CA_DAYS = 30, 180
"""With fewer days left, people are told; ours (R17)."""

_DAY_S = 86_400
_END = re.compile(r"^notAfter=(\w{3}) +(\d+) (\d+):(\d+):(\d+) (\d{4}) GMT$", re.MULTILINE)
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_ERROR = re.compile(r"^error (\d+) at \d+ depth lookup: *(.*)$", re.MULTILINE)
_EXPIRED = "10"
_NOT_FOUND = 127


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file that is looked at, and what it is to be good for: `ca` has signed it, for `address`.

    `purposes` are openssl's words, e.g. `SSL server`. A CA's own file has none of them.
    """

    what: str
    path: str
    ca: str | None = None
    address: str | None = None
    purposes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """When it ends, in Unix seconds, and what is wrong with it besides, in sentences."""

    ends_s: int
    wrong: tuple[str, ...]


async def read_certificates(
    on: OnHost, wanted: Sequence[Wanted]
) -> Mapping[Wanted, Found | Fault | str]:
    """Look at files. A text says why one is no certificate; a Fault that nobody can tell."""
    found = await asyncio.gather(*(_read(on, each) for each in wanted))
    return dict(zip(wanted, found, strict=True))


def certificate_figures(
    host: str, told: Mapping[Wanted, Found | Fault | str], now_s: int
) -> list[Figure]:
    """One figure for each file."""
    return [_figure(host, wanted, found, now_s) for wanted, found in told.items()]


async def _read(on: OnHost, wanted: Wanted) -> Found | Fault | str:
    shown, chain = await asyncio.gather(_show(on, wanted), _verify(on, wanted))
    if isinstance(shown, Fault):
        return shown
    if isinstance(chain, Fault):
        return chain
    ends = _END.search(shown.out)
    if ends is None:
        return f"{wanted.path} is missing or no certificate"
    month, day, hour, minute, second, year = ends.groups()
    at = (int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second))
    wrong = []
    if wanted.address and "does match" not in shown.out:
        wrong.append(f"not for {wanted.address}")
    lacking = [each for each in wanted.purposes if not _good_for(shown.out, each)]
    if lacking:
        wrong.append(f"no {' and '.join(lacking)}")
    if chain is not None and chain.status:
        reasons = [text for code, text in _ERROR.findall(chain.out + chain.err) if code != _EXPIRED]
        known = bool(_ERROR.search(chain.out + chain.err))
        if reasons or not known:
            why = f": {reasons[0].lower()}" if reasons else ""
            wrong.append(f"not of the CA in {wanted.ca}{why}")
    return Found(int(datetime(*at, tzinfo=UTC).timestamp()), tuple(wrong))


async def _show(on: OnHost, wanted: Wanted) -> Said | Fault:
    """Its end, and whether it is for an address and fit for its purposes."""
    argv = ["openssl", "x509", "-noout", "-in", wanted.path, "-enddate"]
    if wanted.purposes:
        argv.append("-purpose")
    if wanted.address:
        by_number = re.fullmatch(r"[0-9.]+|[0-9a-fA-F:]*:[0-9a-fA-F:.]*", wanted.address)
        argv += ["-checkip" if by_number else "-checkhost", wanted.address]
    return _installed(on, await on.said(*argv, fine=(0, 1, _NOT_FOUND)))


async def _verify(on: OnHost, wanted: Wanted) -> Said | Fault | None:
    """Whether it is of its CA."""
    if wanted.ca is None:
        return None
    argv = ("openssl", "verify", "-CAfile", wanted.ca, wanted.path)
    return _installed(on, await on.said(*argv, fine=(0, 1, 2, _NOT_FOUND)))


def _installed(on: OnHost, said: Said | Fault) -> Said | Fault:
    if isinstance(said, Said) and said.status == _NOT_FOUND:
        return on.fault("openssl is not installed there")
    return said


def _good_for(printed: str, purpose: str) -> bool:
    return f"{purpose} : Yes" in printed.splitlines()


def _figure(host: str, wanted: Wanted, found: Found | Fault | str, now_s: int) -> Figure:
    name = f"{wanted.what} file"
    if isinstance(found, Fault):
        return Figure(name, Level.UNKNOWN, found.message, member=host, counts=False)
    if isinstance(found, str):
        return Figure(name, Level.WARN, found, member=host, counts=False)
    left = (found.ends_s - now_s) // _DAY_S
    limit = LEAF_DAYS if wanted.ca else CA_DAYS
    text, level = f"{left} days left", Level.OK if left >= limit else Level.WARN
    if found.ends_s <= now_s:
        text, level = f"expired {(now_s - found.ends_s) // _DAY_S} days ago", Level.CRITICAL
    if found.wrong:
        text, level = (
            f"{text}; {'; '.join(found.wrong)}",
            max(level, Level.WARN, key=_SEVERITY.index),
        )
    if level is not Level.OK:
        text = f"{wanted.path}: {text} (R17)"
    return Figure(name, level, text, member=host, counts=False)


_SEVERITY = (Level.OK, Level.WARN, Level.CRITICAL)
