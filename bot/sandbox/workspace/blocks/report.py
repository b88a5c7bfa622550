"""What is wrong with blocks, and the checks that all of them share."""

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum

from bot.sandbox.workspace.wire import Wire


class Surface(StrEnum):
    """Where blocks are shown."""

    MESSAGE = "message"
    MODAL = "modal"
    HOME = "home"


PLAIN = frozenset({"plain_text"})
ANY_TEXT = frozenset({"plain_text", "mrkdwn"})


@dataclass(slots=True)
class Report:
    """Collects faults; each names the place by JSON pointer."""

    surface: Surface
    faults: list[str] = field(default_factory=list)
    action_ids: set[str] = field(default_factory=set)
    """Those of the block being checked; they must differ from each other."""

    def fault(self, words: str, pointer: str) -> None:
        """Note one fault."""
        self.faults.append(f"{words} [json-pointer:{pointer}]")

    def string(
        self, holder: Wire, key: str, pointer: str, *, most: int, required: bool = True
    ) -> None:
        """Check a plain string: present and not empty when required, at most `most` characters."""
        value = holder.get(key)
        if value is None:
            if required:
                self.fault(f"missing required field: {key}", pointer)
        elif not isinstance(value, str):
            self.fault("must be a string", f"{pointer}/{key}")
        elif required and not value:
            self.fault("must be more than 0 characters", f"{pointer}/{key}")
        elif len(value) > most:
            self.fault(f"must be less than {most + 1} characters", f"{pointer}/{key}")

    def text(
        self,
        holder: Wire,
        key: str,
        pointer: str,
        *,
        most: int,
        kinds: Collection[str] = ANY_TEXT,
        required: bool = True,
    ) -> None:
        """Check a text object below `key`."""
        if holder.get(key) is None:
            if required:
                self.fault(f"missing required field: {key}", pointer)
            return
        self.text_object(holder[key], f"{pointer}/{key}", most=most, kinds=kinds)

    def text_object(
        self, value: object, pointer: str, *, most: int, kinds: Collection[str] = ANY_TEXT
    ) -> None:
        """Check a text object: its type is one of `kinds`, its text 1 to `most` characters."""
        if not isinstance(value, dict):
            self.fault("must be a text object", pointer)
        elif value.get("type") not in kinds:
            self.fault(f"must be one of the types: {', '.join(sorted(kinds))}", f"{pointer}/type")
        else:
            self.string(value, "text", pointer, most=most)

    def items(
        self, holder: Wire, key: str, pointer: str, *, most: int, least: int = 1
    ) -> list[object]:
        """Check a list below `key` and return what of it may be checked further."""
        value = holder.get(key)
        if not isinstance(value, list):
            self.fault(f"missing required field: {key}", pointer)
            return []
        if len(value) > most:
            self.fault(f"no more than {most} items allowed", f"{pointer}/{key}")
        if len(value) < least:
            self.fault(f"no fewer than {least} items allowed", f"{pointer}/{key}")
        return value[:most]

    def objects(
        self, holder: Wire, key: str, pointer: str, *, most: int, least: int = 1
    ) -> list[tuple[str, Wire]]:
        """Check a list of objects below `key`; return each with its pointer."""
        found: list[tuple[str, Wire]] = []
        for index, item in enumerate(self.items(holder, key, pointer, most=most, least=least)):
            place = f"{pointer}/{key}/{index}"
            if isinstance(item, dict):
                found.append((place, item))
            else:
                self.fault("must be an object", place)
        return found

    def choice(
        self,
        holder: Wire,
        key: str,
        pointer: str,
        allowed: Collection[str],
        *,
        required: bool = True,
    ) -> None:
        """Check that the value below `key` is one of `allowed`."""
        value = holder.get(key)
        if value is None and not required:
            return
        if value not in allowed:
            self.fault(f"must be one of: {', '.join(sorted(allowed))}", f"{pointer}/{key}")
