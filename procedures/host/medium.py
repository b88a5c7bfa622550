"""What kind of disk a folder lies on. (catalogue P51)"""

from procedures.host.asking import OnHost
from procedures.model.probe import Fault
from procedures.model.report import Figure, Level


async def read_rotating(on: OnHost, path: str) -> tuple[str, bool] | Fault:
    """The device of a path, and whether the kernel takes it for a rotating disk."""
    source = await on.said("findmnt", "--noheadings", "--output", "SOURCE", "--target", path)
    if isinstance(source, Fault):
        return source
    device = source.out.strip().partition("[")[0]  # of a subvolume, its part stands in brackets
    told = await on.said("lsblk", "--noheadings", "--nodeps", "--output", "ROTA", device)
    if isinstance(told, Fault):
        return told
    words = told.out.split()
    if words not in (["0"], ["1"]):
        return on.fault(f"`lsblk` told {told.out.strip()[:40]!r} of {device}")
    return device, words == ["1"]


def rotating_figure(host: str, found: tuple[str, bool] | Fault) -> Figure:
    """Whether it is fast enough, as far as the kernel knows."""
    if isinstance(found, Fault):
        return Figure("medium", Level.UNKNOWN, found.message, member=host, counts=False)
    device, rotating = found
    if not rotating:
        return Figure("medium", Level.OK, f"{device} does not rotate", member=host, counts=False)
    text = f"{device} is a rotating disk, or a virtual one that says so: etcd wants an SSD"
    return Figure("medium", Level.WARN, text, member=host, counts=False)
