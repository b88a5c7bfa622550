"""Files of `NAME=value` lines, as systemd's EnvironmentFile and etcd's own configuration have them.

Comments, order and lines that are not understood stay as they are.
"""

import re
from collections.abc import Mapping

from procedures.model.errors import Refused

_LINE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>.*)")
_QUOTES = "\"'"
_NEEDS_QUOTES = re.compile(r"[^A-Za-z0-9_@%+=:,./\[\]-]")


def read(text: str) -> dict[str, str]:
    """Take the values out, without their quotes; the last line of a name counts."""
    found = (_LINE.fullmatch(line.strip()) for line in text.splitlines())
    return {each["name"]: _bare(each["value"]) for each in found if each}


def edited(text: str, changes: Mapping[str, str | None]) -> str:
    """Set values where they stand, drop those that are None, and add what is missing at the end.

    Raises Refused for a value that could not be read back by systemd and by a shell alike.
    """
    lines, left = [], dict(changes)
    for line in text.splitlines():
        match = _LINE.fullmatch(line.strip())
        if match is None or match["name"] not in changes:
            lines.append(line)
            continue
        name = match["name"]
        value = left.pop(name, None)
        if value is not None:
            lines.append(_line(name, value))
    lines += [_line(name, value) for name, value in left.items() if value is not None]
    return "".join(f"{line}\n" for line in lines)


def _bare(value: str) -> str:
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in _QUOTES:
        return value[1:-1]
    return value


def _line(name: str, value: str) -> str:
    if not value.isprintable() or any(each in value for each in '"\\$`'):
        message = (
            f"{name}={value!r} cannot stand in a configuration file: it would be read otherwise. "
            "Change it where it comes from."
        )
        raise Refused(message)
    return f'{name}="{value}"' if _NEEDS_QUOTES.search(value) else f"{name}={value}"
