"""Figures as people read them: medians, p99s, small tables, and goals that are met or not."""

import math
import os
import statistics
from collections.abc import Sequence


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return statistics.median(values)


def p99(values: Sequence[float]) -> float:
    """The 99th percentile by nearest rank; of fewer than 100 values, the greatest."""
    return sorted(values)[math.ceil(0.99 * len(values)) - 1]


def show(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: the first column to the left, figures to the right."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        first, *others = (
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        print("  ".join([first, *others]).rstrip())


def goal(what: str, value: float, most: float, unit: str = "") -> bool:
    """Print one goal and whether it is met; gives that."""
    met = value <= most
    suffix = f" {unit}" if unit else ""
    verdict = "met" if met else "MISSED"
    print(f"goal: {what} <= {most:,.4g}{suffix}; is {value:,.4g}{suffix}: {verdict}")
    return met


def load() -> str:
    """What else this machine did: figures from a busy one are worth little."""
    averages = " ".join(f"{average:.2f}" for average in os.getloadavg())
    return f"load average {averages} on {os.cpu_count()} cores"
