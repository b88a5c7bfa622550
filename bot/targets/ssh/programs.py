"""The programs of a machine in memory: what each prints, and its exit status."""

import posixpath
from collections.abc import Sequence

from bot.targets.ssh import file_programs, systemctl
from bot.targets.ssh.fake_files import FakeFile
from bot.targets.ssh.file_programs import Builtin, Printed, UnknownOptionError
from bot.targets.ssh.model import FakeMachine

__all__ = ["Printed", "looks_only", "perform"]


def looks_only(argv: Sequence[str]) -> bool:
    """Tell whether a known command changes nothing."""
    name = posixpath.basename(argv[0])
    if name == "openssl":
        return not {"req", "ca", "-req"} & set(argv)
    return name not in file_programs.CHANGING and (
        name != "systemctl" or systemctl.looks_only(argv)
    )


def perform(machine: FakeMachine, argv: Sequence[str], stdin: bytes) -> Printed:
    """Run a program; what the files do not allow becomes its error."""
    name = posixpath.basename(argv[0])
    program = _PROGRAMS.get(name)
    if list(argv[1:]) == ["--version"] and (program or name in _TOOLS):
        return Printed(out=f"{name} of a machine in memory\n")
    if program is None:
        return Printed(127, "", f"{argv[0]}: command not found\n")
    try:
        return program(machine, argv, stdin)
    except OSError as error:
        reason = _REASONS.get(type(error))
        said = f"{error}: {reason}" if reason else str(error)
        return Printed(1, "", f"{argv[0]}: {said}\n")


_REASONS: dict[type[OSError], str] = {
    FileNotFoundError: "No such file or directory",
    IsADirectoryError: "Is a directory",
    NotADirectoryError: "Not a directory",
}


def _mount_of(machine: FakeMachine, path: str) -> str:
    real = machine.files.real(path)
    above = [at for at in machine.mounts if real == at or real.startswith(f"{at.rstrip('/')}/")]
    return max(above, key=len)


def _df(machine: FakeMachine, argv: Sequence[str], _: bytes) -> Printed:
    """`df -B1 --output=size,avail,target PATH` and the like, in the order of its own columns."""
    columns = ["source", "size", "used", "avail", "pcent", "target"]
    paths: list[str] = []
    status, errors = 0, ""
    for word in argv[1:]:
        if word.startswith("--output="):
            columns = word.partition("=")[2].split(",")
        elif not word.startswith("-"):
            paths.append(word)
    lines = [" ".join(columns)]
    for path in paths:
        if machine.files.get(path) is None:
            status, errors = 1, f"{errors}df: {path}: No such file or directory\n"
            continue
        target = _mount_of(machine, path)
        free = machine.free_at.get(target, machine.free_bytes)
        total = free * 100 // (100 - machine.used_percent)
        figures = {
            "file": path,
            "source": machine.mounts[target],
            "size": str(total),
            "used": str(total - free),
            "avail": str(free),
            "pcent": f"{machine.used_percent}%",
            "target": target,
        }
        lines.append(" ".join(figures[column] for column in columns))
    out = "".join(f"{line}\n" for line in lines) if len(lines) > 1 else ""
    return Printed(status, out, errors)


def _du(machine: FakeMachine, argv: Sequence[str], _: bytes) -> Printed:
    """`du --summarize --block-size=1 PATH`: what the files hold, in whole blocks."""
    path = argv[-1]
    if machine.files.get(path) is None:
        return Printed(1, "", f"du: cannot access '{path}': No such file or directory\n")
    sizes = [len(each.content) for each in machine.files.tree(path) if isinstance(each, FakeFile)]
    return Printed(out=f"{4096 + sum(-(-size // 4096) * 4096 for size in sizes)}\t{path}\n")


def _date(machine: FakeMachine, argv: Sequence[str], _: bytes) -> Printed:
    """`date --utc +%s%N` only."""
    if argv[-1] != "+%s%N":
        message = f"date: the twin does not know {argv[-1]!r}"
        raise UnknownOptionError(message)
    return Printed(out=f"{machine.now_ms() + machine.clock_off_ms}000000\n")


def _timedatectl(machine: FakeMachine, argv: Sequence[str], _: bytes) -> Printed:
    """`timedatectl show` as since systemd 239, `timedatectl status` as before."""
    service, kept = (
        "yes" if each else "no" for each in (machine.time_service, machine.synchronised)
    )
    if argv[1] == "status":
        return Printed(out=f"     NTP enabled: {service}\nNTP synchronized: {kept}\n")
    if argv[1] == "show" and machine.knows_show:
        return Printed(out=f"NTP={service}\nNTPSynchronized={kept}\n")
    return Printed(1, "", f"Unknown operation {argv[1]}\n")


def _findmnt(machine: FakeMachine, argv: Sequence[str], _: bytes) -> Printed:
    """`findmnt -n -o TARGET [--target PATH | PATH]`."""
    column, path, covering = "TARGET", "/", False
    words = list(argv[1:])
    while words:
        word = words.pop(0)
        if word in {"-o", "--output"}:
            column = words.pop(0)
        elif word in {"-T", "--target"}:
            path, covering = words.pop(0), True
        elif not word.startswith("-"):
            path = word
    if not covering and machine.files.real(path) not in machine.mounts:
        return Printed(1)
    target = _mount_of(machine, path)
    values = {"TARGET": target, "SOURCE": machine.mounts[target], "FSTYPE": "xfs"}
    return Printed(out=" ".join(values[each] for each in column.split(",")) + "\n")


def _systemctl(machine: FakeMachine, argv: Sequence[str], _: bytes) -> Printed:
    return Printed(*systemctl.run(machine, argv))


def _echo(_: FakeMachine, argv: Sequence[str], __: bytes) -> Printed:
    return Printed(out=f"{' '.join(argv[1:])}\n")


def _printf(_: FakeMachine, argv: Sequence[str], __: bytes) -> Printed:
    """`printf '%s\\n' WORD…` only."""
    if argv[1] != "%s\\n":
        message = f"printf: the twin does not know {argv[1]!r}"
        raise UnknownOptionError(message)
    return Printed(out="".join(f"{word}\n" for word in argv[2:]))


def _hostname(machine: FakeMachine, _: Sequence[str], __: bytes) -> Printed:
    return Printed(out=f"{machine.name}\n")


def _pgrep(machine: FakeMachine, argv: Sequence[str], _: bytes) -> Printed:
    """`pgrep -x NAME`: a unit's process bears the unit's name; it is the unit's MainPID."""
    unit = machine.unit(argv[-1])
    runs = unit is not None and unit.active == "active"
    return Printed(out=f"{1_000 + unit.starts}\n") if unit and runs else Printed(1)


def _id(_: FakeMachine, argv: Sequence[str], __: bytes) -> Printed:
    return Printed(out="root\n" if "-un" in argv else "0\n")


_TOOLS = frozenset({"setsid", "timeout", "mktemp", "tail"})
"""What the wrapper of real machines needs; here it is only there."""

_PROGRAMS: dict[str, Builtin] = {
    **file_programs.CHANGING,
    **file_programs.LOOKING,
    "date": _date,
    "df": _df,
    "du": _du,
    "timedatectl": _timedatectl,
    "findmnt": _findmnt,
    "systemctl": _systemctl,
    "echo": _echo,
    "printf": _printf,
    "hostname": _hostname,
    "pgrep": _pgrep,
    "id": _id,
    "true": lambda *_: Printed(),
    "false": lambda *_: Printed(1),
}
