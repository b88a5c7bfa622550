"""Output of work on hosts, kept in memory."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Heard:
    """Implements `procedures.engine.hosts.Transcript`; whoever goes on is given the same one."""

    lines: list[str] = field(default_factory=list)
    stored: int = 0

    async def say(self, line: str, upto: int) -> None:
        self.lines.append(line)
        self.stored = upto
