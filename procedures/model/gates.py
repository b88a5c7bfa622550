"""Server versions with known faults, by the releases that fixed them."""

from collections.abc import Iterable, Sequence


def older(versions: Iterable[str], fixed: Sequence[str]) -> tuple[str, ...]:
    """Which of these server versions are older than the fix.

    `fixed` has one release for each minor that got the fix, the lowest minor first: older minors
    than that never got it, newer ones than the last have it. A version that cannot be read counts
    as fixed: a gate warns of what is known, and is no proof of anything.
    """
    fixes = [_numbers(each) for each in fixed]

    def lacks(version: str) -> bool:
        try:
            numbers = _numbers(version)
        except ValueError:
            return False
        later = [fix for fix in fixes if fix[:2] >= numbers[:2]]
        return bool(later) and numbers < later[0]

    return tuple(sorted({version for version in versions if lacks(version)}))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.partition("-")[0].split("."))
