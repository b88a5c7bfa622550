"""Where a member's data lies on its host, and how much room there is. (rule R13; X16)"""

from collections.abc import Mapping
from pathlib import PurePosixPath

from procedures.etcd.asking import Asking
from procedures.model import envfile
from procedures.model.errors import Refused
from procedures.model.host import FileSeen, Said
from procedures.model.platform import Layout
from procedures.model.procedure import Runbook


def values_of(config: FileSeen | None) -> Mapping[str, str]:
    """What configures etcd on a host; empty where nothing does."""
    return envfile.read(config.content.decode(errors="replace")) if config else {}


def require_placed(host: str, config: FileSeen | None, how: Layout, so: str) -> None:
    """Make sure that an etcd has its data where the platform has it: only that is looked at.

    `so` says what would become of data elsewhere. Raises Refused with what would satisfy it.
    """
    if (wrong := misplaced(host, config, how)) is None:
        return
    where, instead = wrong
    message = f"{where}, so {so}. {instead}"
    raise Refused(message)


def misplaced(host: str, config: FileSeen | None, how: Layout) -> tuple[str, str] | None:
    """Say where an etcd has its data, if it is not where the platform has it; and what to do."""
    values = values_of(config)
    data = (values.get("ETCD_DATA_DIR") or how.data).rstrip("/")
    if data != how.data:
        where = (
            f"The data of {host} is in {data}, not in {how.data} (ETCD_DATA_DIR in {how.config})"
        )
        instead = (
            f"Mount its disk at {how.data}, or make {how.data} a link to {data}; then let "
            f"ETCD_DATA_DIR say {how.data}."
        )
        return where, instead
    if wal := values.get("ETCD_WAL_DIR"):
        where = f"The log of {host} is in a place of its own, {wal} (ETCD_WAL_DIR in {how.config})"
        instead = (
            f"Move it to {how.data}/member/wal while no etcd runs there, and take ETCD_WAL_DIR out."
        )
        return where, instead
    return None


def leaves_data(host: str, config: FileSeen | None, how: Layout, run: Runbook) -> bool:
    """Tell whether the data of an etcd that is switched off stays, and say so.

    That is no reason to keep a dead member: etcd never lets a removed one in again.
    """
    wrong = misplaced(host, config, how)
    if wrong:
        run.fact(
            f"{wrong[0]}, so no data is moved aside there: do that by hand, before an etcd starts "
            "there again."
        )
    return wrong is not None


async def free_bytes(asking: Asking, path: str) -> int | None:
    """How much may be written there; None where there is no such place."""
    said = await _df(asking, path)
    return _bytes(said) if said.status == 0 else None


async def room(asking: Asking, path: str) -> int:
    """How much may be written at a path; where it is not there yet, where it would be made.

    Raises Refused where nobody can tell: a disk that fails is not the one above it.
    """
    for each in (PurePosixPath(path), *PurePosixPath(path).parents):
        said = await _df(asking, str(each))
        if said.status == 0:
            return _bytes(said)
        if not said.absent:
            break
    message = f"`df {each}` on {asking.host.name} does not tell the room: {said.err.strip()[:300]}"
    raise Refused(message)


async def _df(asking: Asking, path: str) -> Said:
    return await asking.said(("df", "--output=avail", "--block-size=1", path), (0, 1))


def _bytes(said: Said) -> int:
    return int(said.out.split()[-1])
