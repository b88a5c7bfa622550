"""`systemctl` of a machine in memory."""

from collections.abc import Sequence

from bot.targets.ssh.model import FakeMachine, FakeUnit

Said = tuple[int, str, str]

_LOOKING = frozenset({"is-active", "is-enabled", "is-failed", "show"})
_ENABLED = {"enable": "enabled", "disable": "disabled", "mask": "masked", "unmask": "disabled"}


def looks_only(argv: Sequence[str]) -> bool:
    """Tell whether a call changes nothing."""
    return bool(_LOOKING & set(argv[1:]))


def run(machine: FakeMachine, argv: Sequence[str]) -> Said:
    """Do what is asked; gives status, output and errors."""
    options = [word for word in argv[1:] if word.startswith("-")]
    verb, *names = _words(argv)
    if verb == "daemon-reload":
        return 0, "", ""
    if verb == "show":
        return 0, "".join(_shown(machine, name, argv) for name in names), ""
    status, out, err = 0, "", ""
    for name in names:
        unit = machine.unit(name)
        if unit is None:
            missing = _missing(verb, name)
        else:
            missing = _one(machine, unit, verb, name, now="--now" in options)
            starts = verb in {"start", "restart"} or (verb == "enable" and "--now" in options)
            if starts and not missing[0] and "--no-block" not in options and not unit.ready():
                unit.fail(machine)
                missing = 1, "", f"Job for {name} failed because a timeout was exceeded.\n"
        status = missing[0] or status
        out, err = out + missing[1], err + missing[2]
    return status, out, err


def _words(argv: Sequence[str]) -> list[str]:
    """All but options and their values."""
    words, skip = [], False
    for word in argv[1:]:
        if skip:
            skip = False
        elif word in {"-p", "--property"}:
            skip = True
        elif not word.startswith("-"):
            words.append(word)
    return words


def _missing(verb: str, name: str) -> Said:
    if verb in {"is-active", "is-failed"}:
        return (3 if verb == "is-active" else 1), "inactive\n", ""
    if verb == "is-enabled":
        return 1, "", f"Failed to get unit file state for {name}: No such file or directory\n"
    return 5, "", f"Failed to {verb} {name}: Unit {name} not found.\n"


def _one(machine: FakeMachine, unit: FakeUnit, verb: str, name: str, *, now: bool) -> Said:
    if verb in _LOOKING:
        return _asked(unit, verb)
    match verb:
        case "start":
            return _started(machine, unit, verb, name)
        case "restart":
            if unit.enabled != "masked":
                unit.stop(machine)
            return _started(machine, unit, verb, name)
        case "stop":
            unit.stop(machine)
        case "reset-failed":
            unit.active = "inactive" if unit.active == "failed" else unit.active
            unit.given_up = False
        case "enable" | "disable" | "mask" | "unmask":
            return _enabled(machine, unit, verb, name, now=now)
        case _:
            message = f"systemctl: the twin does not know {verb!r}"
            raise AssertionError(message)
    return 0, "", ""


def _asked(unit: FakeUnit, verb: str) -> Said:
    if verb == "is-active":
        return (0 if unit.active == "active" else 3), f"{unit.active}\n", ""
    if verb == "is-failed":
        return (0 if unit.active == "failed" else 1), f"{unit.active}\n", ""
    return (0 if unit.enabled in {"enabled", "static"} else 1), f"{unit.enabled}\n", ""


def _enabled(machine: FakeMachine, unit: FakeUnit, verb: str, name: str, *, now: bool) -> Said:
    if verb == "enable" and unit.enabled == "masked":
        return 1, "", f"Failed to enable unit: Unit file {name} is masked.\n"
    if verb != "unmask" or unit.enabled == "masked":
        unit.enabled = _ENABLED[verb]
    if now and verb == "enable":
        return _started(machine, unit, "start", name)
    if now:
        unit.stop(machine)
    return 0, "", ""


def _started(machine: FakeMachine, unit: FakeUnit, verb: str, name: str) -> Said:
    if unit.start(machine):
        return 0, "", ""
    if unit.enabled == "masked":
        return 1, "", f"Failed to {verb} {name}: Unit {name} is masked.\n"
    said = f"Job for {name} failed because the control process exited with error code.\n"
    return 1, "", said


def _shown(machine: FakeMachine, name: str, argv: Sequence[str]) -> str:
    wanted: list[str] = []
    words = list(argv[1:])
    for at, word in enumerate(words):
        if word in {"-p", "--property"}:
            wanted += words[at + 1].split(",")
        elif word.startswith("--property="):
            wanted += word.partition("=")[2].split(",")
        elif word.startswith("-p") and len(word) > 2:
            wanted += word[2:].split(",")
    values = _properties(machine.unit(name), name)
    if "--value" in words:
        return "".join(f"{values[each]}\n" for each in wanted)
    return "".join(f"{key}={values[key]}\n" for key in wanted or values)


def _properties(unit: FakeUnit | None, name: str) -> dict[str, str]:
    if unit is None:
        unit, load = FakeUnit(enabled=""), "not-found"
    else:
        load = "masked" if unit.enabled == "masked" else "loaded"
    running = unit.active == "active"
    return {
        "Id": name if "." in name else f"{name}.service",
        "LoadState": load,
        "ActiveState": unit.active,
        "SubState": {"active": "running", "failed": "failed"}.get(unit.active, "dead"),
        "UnitFileState": unit.enabled,
        "Result": "exit-code" if unit.active == "failed" else "success",
        "ExecMainStatus": str(unit.status),
        "MainPID": str(1_000 + unit.starts) if running else "0",
        "NRestarts": str(unit.restarts),
        "ExecStart": unit.command,
        "Environment": unit.environment,
        "User": unit.user,
        "RequiredBy": " ".join(unit.required_by),
    }
