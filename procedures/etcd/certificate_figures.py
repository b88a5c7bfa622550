"""Figures of certificates and keys as they lie on hosts, and as ports show them. (rule R17)"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from procedures.etcd.certificates_in_use import CLIENT_PORT
from procedures.etcd.certificates_seen import Kept, Key
from procedures.host.certificate_files import CA_DAYS, LEAF_DAYS
from procedures.model.certificate import Leaf, signed
from procedures.model.errors import Refused
from procedures.model.probe import Certificate, Certificates, Fault, FaultKind
from procedures.model.report import Figure, Level

_DAY_S = 86_400
_CHAIN = tuple[Leaf, ...] | Fault
_OTHERS = 0o037
"""Bits that a key's file must not have: its group may read it at most."""


def file_figure(host: str, kept: Kept, trusted: _CHAIN, now_s: int) -> Figure:
    """One certificate with its key: all that is wrong with it, and what it is."""
    use, leaf = kept.use, kept.leaf
    if isinstance(leaf, Fault):
        return Figure(use.what, Level.UNKNOWN, leaf.message, member=host, counts=False)
    if leaf is None:
        text = f"{use.pair.cert} is missing or no certificate (R17)"
        return Figure(use.what, Level.WARN, text, member=host, counts=False)
    left, level = _left(leaf, LEAF_DAYS, now_s)
    wrong, unknown = _wrong(kept, leaf, trusted)
    if isinstance(kept.key, Key) and kept.key.mode & _OTHERS:
        wrong.append(_open(kept.key))
    if wrong:
        level = level if level is Level.CRITICAL else Level.WARN
    elif unknown and level is Level.OK:
        level = Level.UNKNOWN
    names = ", ".join(sorted(leaf.names)) or "no name"
    about = f"{leaf.subject} of {leaf.issuer}, for {names}, as {' and '.join(_purposes(leaf))}"
    key = f"; key {kept.key.mode:04o} {kept.key.owner}" if isinstance(kept.key, Key) else ""
    said = "; ".join((left, *wrong, *unknown))
    text = f"{use.pair.cert}: {said}{' (R17)' if level is not Level.OK else ''}; {about}{key}"
    return Figure(use.what, level, text, member=host, counts=False)


def unfit(kept: Kept, trusted: _CHAIN, now_s: int) -> list[str]:
    """Say what keeps a member from using it, without its path, and alike from day to day.

    Raises Refused where its host did not answer: what is not seen is not wrong.
    """
    for each in (kept.leaf, kept.key, trusted):
        if isinstance(each, Fault):
            message = f"Whether a member can use {kept.use.pair.cert} is not known: {each.message}"
            raise Refused(message)
    leaf = kept.leaf
    if not isinstance(leaf, Leaf):
        return ["missing or no certificate"]
    wrong, unknown = _wrong(kept, leaf, trusted)
    if leaf.begins_s > now_s:
        wrong.insert(0, f"not valid before {day(leaf.begins_s)}: check the clock")
    if leaf.ends_s < now_s + LEAF_DAYS * _DAY_S:
        needed = "" if leaf.ends_s <= now_s else f", and {LEAF_DAYS} days are needed"
        wrong.insert(0, f"ends {day(leaf.ends_s)}{needed}")
    return [*wrong, *unknown]


def ca_figures(host: str, trusted: Mapping[str, _CHAIN], now_s: int) -> list[Figure]:
    """One for each CA that is trusted; a file may hold several."""
    figures = []
    for path, found in trusted.items():
        if isinstance(found, Fault):
            figures.append(Figure("CA", Level.UNKNOWN, found.message, member=host, counts=False))
        elif not found:
            text = f"{path} is missing or no certificate (R17)"
            figures.append(Figure("CA", Level.WARN, text, member=host, counts=False))
        else:
            figures += [_ca_figure(host, path, ca, now_s) for ca in found]
    return figures


def authority_figure(host: str, kept: Kept, trusted: Mapping[str, _CHAIN], now_s: int) -> Figure:
    """The key with which new certificates are signed."""
    path, leaf, key = kept.use.pair.key, kept.leaf, kept.key
    if isinstance(leaf, Fault) or isinstance(key, Fault):
        fault = leaf if isinstance(leaf, Fault) else key
        assert isinstance(fault, Fault)  # noqa: S101 (one of the two is)
        return Figure("CA key", Level.UNKNOWN, fault.message, member=host, counts=False)
    wrong = []
    if leaf is None:
        wrong.append(f"{kept.use.pair.cert} is missing or no certificate")
    elif key is None or key.public != leaf.key:
        wrong.append(f"it is not the key of {kept.use.pair.cert}, or has a password")
    if leaf and any(isinstance(cas, tuple) and leaf not in cas for cas in trusted.values()):
        wrong.append(f"{kept.use.pair.cert} is not the CA that is trusted here")
    if leaf and leaf.ends_s <= now_s:
        wrong.append("its CA has expired")
    if key and key.mode & _OTHERS:
        wrong.append(_open(key))
    text = f"{path}: {'; '.join(wrong)} (R17)" if wrong else f"{path}: signs here"
    level = Level.WARN if wrong else Level.OK
    return Figure("CA key", level, text, member=host, counts=False)


def port_figures(host: str, kept: Sequence[Kept], shown: Certificates | None) -> list[Figure]:
    """Whether each port shows what lies in the file; none for a host that nobody expects."""
    if shown is None:
        return []
    figures = []
    for each in kept:
        if each.use.port is None or not isinstance(each.leaf, Leaf):
            continue
        port = each.use.port
        found = shown.client_port if port == CLIENT_PORT else shown.peer_port
        level, text = _port(each.leaf, each.use.pair.cert, found)
        figures.append(Figure(port, level, text, member=host, counts=False))
    return figures


def _port(leaf: Leaf, path: str, found: Certificate | Fault) -> tuple[Level, str]:
    if isinstance(found, Fault):
        level = Level.INFO if found.kind is FaultKind.SKIPPED else Level.UNKNOWN
        return level, found.message
    if found.sha256 is None:
        return Level.UNKNOWN, f"nobody told whether it shows {path}"
    if found.sha256 == leaf.sha256:
        return Level.OK, f"shows {path}"
    until = day(found.not_after_s)
    return Level.WARN, f"shows another certificate than {path}, which ends {until}: restart etcd"


def _wrong(kept: Kept, leaf: Leaf, trusted: _CHAIN) -> tuple[list[str], list[str]]:
    """What is wrong with it besides its time, and what nobody can tell."""
    use, wrong, unknown = kept.use, [], []
    if isinstance(trusted, Fault):
        unknown.append(f"whether it is of the CA in {use.ca} is not known: {trusted.message}")
    elif not any(signed(leaf, ca) for ca in trusted):
        wrong.append(f"not of the CA in {use.ca}")
    wrong += [f"not for {each}" for each in use.hosts if not leaf.is_for(each)]
    if lacking := sorted(use.purposes - leaf.purposes):
        wrong.append(f"not good as {' and '.join(lacking)}")
    key = kept.key
    if isinstance(key, Fault):
        unknown.append(f"its key is not known: {key.message}")
    elif key is None:
        wrong += [f"{use.pair.key} is missing"] if use.port else []
    elif key.public is None:
        unknown.append(f"openssl there cannot read {use.pair.key}")
    elif key.public != leaf.key:
        wrong.append(f"{use.pair.key} is another's key")
    return wrong, unknown


def _ca_figure(host: str, path: str, ca: Leaf, now_s: int) -> Figure:
    left, level = _left(ca, CA_DAYS, now_s)
    if not ca.authority:
        left, level = f"{left}; it is not a CA's", Level.WARN
    text = f"{path}: {left}{' (R17)' if level is not Level.OK else ''}; {ca.subject}"
    return Figure("CA", level, text, member=host, counts=False)


def _left(leaf: Leaf, limit: int, now_s: int) -> tuple[str, Level]:
    left = (leaf.ends_s - now_s) // _DAY_S
    if leaf.ends_s <= now_s:
        return f"expired {(now_s - leaf.ends_s) // _DAY_S} days ago", Level.CRITICAL
    if leaf.begins_s > now_s:
        return f"is not valid before {day(leaf.begins_s)}: check the clock", Level.CRITICAL
    return f"{left} days left", Level.WARN if left < limit else Level.OK


def day(at_s: int) -> str:
    """A day as people write it, in UTC."""
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d}"


def _purposes(leaf: Leaf) -> list[str]:
    return sorted(leaf.purposes) or ["nothing that TLS knows"]


def _open(key: Key) -> str:
    return f"its key has mode {key.mode:04o}, so that others can read it"
