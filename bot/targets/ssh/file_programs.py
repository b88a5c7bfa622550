"""Programs of a machine in memory that work on files: what each prints, and its exit status."""

import hashlib
import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.targets.ssh.fake_files import FakeFile, FakeFolder, FakeLink, Node
from bot.targets.ssh.model import FakeMachine


@dataclass(frozen=True, slots=True)
class Printed:
    """What a program leaves behind."""

    status: int = 0
    out: str = ""
    err: str = ""


Builtin = Callable[[FakeMachine, Sequence[str], bytes], Printed]


class UnknownOptionError(AssertionError):
    """The twin does not know this option: teach it, or test on a real machine."""


def _split(argv: Sequence[str], known: str) -> tuple[set[str], list[str]]:
    """Options as letters and long names, and the rest."""
    options: set[str] = set()
    rest: list[str] = []
    words = list(argv[1:])
    while words:
        word = words.pop(0)
        if word == "--":
            rest += words
            break
        if word.startswith("--"):
            options.add(word)
        elif word.startswith("-") and len(word) > 1:
            options |= set(word[1:])
        else:
            rest.append(word)
    for option in options:
        if option not in known.split() and option.partition("=")[0] not in known.split():
            message = f"{argv[0]}: the twin does not know {option!r}"
            raise UnknownOptionError(message)
    return options, rest


def _cat(machine: FakeMachine, argv: Sequence[str], stdin: bytes) -> Printed:
    _, paths = _split(argv, "")
    data = b"".join(machine.files.file(path).content for path in paths) if paths else stdin
    return Printed(out=data.decode(errors="surrogateescape"))


def _head(machine: FakeMachine, argv: Sequence[str], _: bytes) -> Printed:
    """`head --bytes=N PATH` only."""
    option, path = argv[1:]
    if not option.startswith("--bytes="):
        message = f"head: the twin does not know {option!r}"
        raise UnknownOptionError(message)
    content = machine.files.file(path).content[: int(option.partition("=")[2])]
    return Printed(out=content.decode(errors="surrogateescape"))


def _test(machine: FakeMachine, argv: Sequence[str], _: bytes) -> Printed:
    negated = argv[1:2] == ["!"] or argv[1:2] == ("!",)
    how, path = list(argv[2:4] if negated else argv[1:3])
    follow = how not in {"-L", "-h"}
    node = machine.files.get(path, follow=follow)
    truth = {
        "-e": node is not None,
        "-f": isinstance(node, FakeFile),
        "-s": isinstance(node, FakeFile) and bool(node.content),
        "-d": isinstance(node, FakeFolder),
        "-L": isinstance(node, FakeLink),
        "-h": isinstance(node, FakeLink),
        "-r": node is not None,
        "-x": node is not None and bool(node.mode & 0o111),
    }
    if how not in truth:
        message = f"test: the twin does not know {how!r}"
        raise UnknownOptionError(message)
    return Printed(int(truth[how] is negated))


def _stat(machine: FakeMachine, argv: Sequence[str], _: bytes) -> Printed:
    form, follow, paths = "", False, []
    words = list(argv[1:])
    while words:
        word = words.pop(0)
        if word in {"-c", "--format", "-Lc"}:
            form, follow = words.pop(0), follow or word == "-Lc"
        elif word.startswith("--format="):
            form = word.partition("=")[2]
        elif word == "-L":
            follow = True
        elif word != "--":
            paths.append(word)
    if not form:
        message = "stat: the twin knows `-c FORMAT` only"
        raise UnknownOptionError(message)
    out, errors = "", ""
    for path in paths:
        node = machine.files.get(path, follow=follow)
        if node is None:
            errors += f"stat: cannot statx '{path}': No such file or directory\n"
        else:
            out += f"{_formatted(form, path, node)}\n"
    return Printed(int(bool(errors)), out, errors)


def _formatted(form: str, path: str, node: Node) -> str:
    size = len(node.content) if isinstance(node, FakeFile) else 4096
    empty = " empty" if isinstance(node, FakeFile) and not node.content else ""
    kind = {FakeFile: f"regular{empty} file", FakeFolder: "directory", FakeLink: "symbolic link"}
    values = {
        "n": path,
        "a": f"{node.mode:o}",
        "U": node.owner,
        "G": node.group,
        "s": str(size),
        "F": kind[type(node)],
        "C": node.context or "?",
    }
    for letter, value in values.items():
        form = form.replace(f"%{letter}", value)
    return form


def _ls(machine: FakeMachine, argv: Sequence[str], _: bytes) -> Printed:
    options, paths = _split(argv, "1 A a d")
    out = ""
    for path in paths or ["/root"]:
        node = machine.files.get(path)
        if node is None:
            message = f"ls: cannot access '{path}': No such file or directory\n"
            return Printed(2, out, message)
        if "d" in options or not isinstance(node, FakeFolder):
            out += f"{path}\n"
        else:
            names = machine.files.listing(path)
            shown = [each for each in names if options & {"A", "a"} or not each.startswith(".")]
            out += "".join(f"{each}\n" for each in shown)
    return Printed(out=out)


def _mkdir(machine: FakeMachine, argv: Sequence[str], _: bytes) -> Printed:
    words, mode = [part for word in argv for part in _apart(word, "--mode")], 0o755
    for option in ("-m", "--mode"):
        if option in words:
            at = words.index(option)
            mode = int(words[at + 1], 8)
            del words[at : at + 2]
    options, paths = _split(words, "p --parents")
    for path in paths:
        if options:
            machine.files.folder(path, mode)
            continue
        if machine.files.get(path, follow=False) is not None:
            said = f"mkdir: cannot create directory '{path}': File exists\n"
            return Printed(1, "", said)
        machine.files.write(path, FakeFolder(mode))
    return Printed()


def _apart(word: str, option: str) -> list[str]:
    """An option and its value, where they are one word."""
    name, equals, value = word.partition("=")
    return [name, value] if equals and name == option else [word]


def _into(machine: FakeMachine, rest: list[str], plainly: bool) -> list[tuple[str, str]]:  # noqa: FBT001
    """Source and target of each thing that `mv` or `cp` is told of."""
    *sources, target = rest
    if not plainly and isinstance(machine.files.get(target), FakeFolder):
        return [(each, posixpath.join(target, posixpath.basename(each))) for each in sources]
    return [(sources[0], target)]


def _mv(machine: FakeMachine, argv: Sequence[str], _: bytes) -> Printed:
    options, rest = _split(
        argv, "T n f v --no-target-directory --no-clobber --force --target-directory"
    )
    rest += _target(options)
    plainly = bool(options & {"T", "--no-target-directory"})
    for source, target in _into(machine, rest, plainly):
        there = machine.files.get(target, follow=False)
        if there is not None and options & {"n", "--no-clobber"}:
            continue
        if isinstance(there, FakeFolder) and machine.files.listing(target):
            said = f"mv: cannot overwrite '{target}': Directory not empty\n"
            return Printed(1, "", said)
        if source in machine.mounts:
            return Printed(1, "", f"mv: cannot move '{source}': Device or resource busy\n")
        machine.files.move(source, target)
    return Printed()


def _target(options: set[str]) -> list[str]:
    """The folder of `--target-directory=FOLDER`, if it is given."""
    name = "--target-directory="
    return [each.removeprefix(name) for each in options if each.startswith(name)]


def _ln(machine: FakeMachine, argv: Sequence[str], _: bytes) -> Printed:
    """`ln --force --target-directory=FOLDER FILE…`: second names of the same files."""
    options, sources = _split(argv, "--force --target-directory")
    (folder,) = _target(options)
    for source in sources:
        target = posixpath.join(folder, posixpath.basename(source))
        if machine.files.get(target, follow=False) is not None and "--force" not in options:
            return Printed(1, "", f"ln: failed to create hard link '{target}': File exists\n")
        machine.files.write(target, machine.files.file(source))
    return Printed()


def _sync(machine: FakeMachine, argv: Sequence[str], _: bytes) -> Printed:
    """`sync FILE…`: what is written is on the disk anyway."""
    for path in argv[1:]:
        machine.files.file(path)
    return Printed()


def _cp(machine: FakeMachine, argv: Sequence[str], _: bytes) -> Printed:
    options, rest = _split(argv, "a R r p T --archive --no-target-directory")
    plainly = bool(options & {"T", "--no-target-directory"})
    for source, target in _into(machine, rest, plainly):
        is_folder = isinstance(machine.files.get(source), FakeFolder)
        if is_folder and not options & {"a", "R", "r", "--archive"}:
            return Printed(1, "", f"cp: -r not specified; omitting directory '{source}'\n")
        machine.files.copy(source, target)
    return Printed()


def _tar(machine: FakeMachine, argv: Sequence[str], _: bytes) -> Printed:
    """`tar --create|--extract --gzip --file=FILE --directory=FOLDER [NAME]` only."""
    options, names = _split(argv, "--create --extract --gzip --file --directory")
    values = {word.partition("=")[0]: word.partition("=")[2] for word in options}
    file, folder = values["--file"], values["--directory"]
    if not isinstance(machine.files.get(folder), FakeFolder):
        return Printed(2, "", f"tar: {folder}: Cannot open: No such file or directory\n")
    if "--create" in options:
        machine.files.write(file, FakeFile(machine.files.packed(folder, names)))
    else:
        machine.files.unpack(folder, machine.files.file(file).content)
    return Printed()


def _chown(machine: FakeMachine, argv: Sequence[str], _: bytes) -> Printed:
    options, rest = _split(argv, "R --reference --recursive")
    model = _reference(machine, options)
    owner, group = (model.owner, model.group) if model else _owners(rest.pop(0))
    for node in _nodes(machine, options, rest):
        node.owner, node.group = owner or node.owner, group or node.group
    return Printed()


def _owners(text: str) -> tuple[str, str]:
    owner, colon, group = text.partition(":")
    return owner, group or (owner if colon else "")


def _chmod(machine: FakeMachine, argv: Sequence[str], _: bytes) -> Printed:
    options, rest = _split(argv, "R --reference --recursive")
    model = _reference(machine, options)
    mode = model.mode if model else int(rest.pop(0), 8)
    for node in _nodes(machine, options, rest):
        node.mode = mode
    return Printed()


def _chcon(machine: FakeMachine, argv: Sequence[str], _: bytes) -> Printed:
    options, rest = _split(argv, "R --reference --recursive")
    model = _reference(machine, options)
    context = model.context if model else rest.pop(0)
    for node in _nodes(machine, options, rest):
        node.context = context
    return Printed()


def _reference(machine: FakeMachine, options: set[str]) -> Node | None:
    for option in options:
        if option.startswith("--reference="):
            path = option.partition("=")[2]
            node = machine.files.get(path)
            if node is None:
                raise FileNotFoundError(path)
            return node
    return None


def _nodes(machine: FakeMachine, options: set[str], paths: Sequence[str]) -> list[Node]:
    found: list[Node] = []
    for path in paths:
        node = machine.files.get(path)
        if node is None:
            raise FileNotFoundError(path)
        below = options & {"R", "--recursive"}
        found += machine.files.tree(path) if below else [node]
    return found


def _restorecon(machine: FakeMachine, argv: Sequence[str], _: bytes) -> Printed:
    """Give what has a label the label that its place would have."""
    options, paths = _split(argv, "R r F v i")
    deep = {"R"} if options & {"R", "r"} else set()
    for node in _nodes(machine, deep, paths):
        if node.context is not None:
            node.context = "system_u:object_r:default_t:s0"
    return Printed()


def _sha256sum(machine: FakeMachine, argv: Sequence[str], stdin: bytes) -> Printed:
    _, paths = _split(argv, "")
    if not paths:
        return Printed(out=f"{hashlib.sha256(stdin).hexdigest()}  -\n")
    hashes = [hashlib.sha256(machine.files.file(path).content).hexdigest() for path in paths]
    return Printed(
        out="".join(f"{each}  {path}\n" for each, path in zip(hashes, paths, strict=True))
    )


def _rm(machine: FakeMachine, argv: Sequence[str], _: bytes) -> Printed:
    options, paths = _split(argv, "r R f d")
    for path in paths:
        node = machine.files.get(path, follow=False)
        if node is None:
            if "f" not in options:
                said = f"rm: cannot remove '{path}': No such file or directory\n"
                return Printed(1, "", said)
            continue
        if isinstance(node, FakeFolder) and not options & {"r", "R"}:
            if "d" not in options:
                return Printed(1, "", f"rm: cannot remove '{path}': Is a directory\n")
            if machine.files.listing(path):
                return Printed(1, "", f"rm: cannot remove '{path}': Directory not empty\n")
        machine.files.remove(path)
    return Printed()


def _find(machine: FakeMachine, argv: Sequence[str], _: bytes) -> Printed:
    """`find PATH… -maxdepth N -type f -exec stat --format='%s|%n' {} +` only."""
    at = argv.index("-maxdepth")
    if tuple(argv[at + 2 :]) != ("-type", "f", "-exec", "stat", "--format=%s|%n", "{}", "+"):
        message = f"find: the twin does not know {argv[at:]}"
        raise UnknownOptionError(message)
    out, errors = "", ""
    for top in argv[1:at]:
        if machine.files.get(top) is None:
            errors += f"find: '{top}': No such file or directory\n"
        for path, node in sorted(machine.files.nodes.items()):
            deep = path.removeprefix(top).count("/")
            near = path.startswith(f"{top}/") and deep <= int(argv[at + 1])
            if near and isinstance(node, FakeFile):
                out += f"{len(node.content)}|{path}\n"
    return Printed(int(bool(errors)), out, errors)


CHANGING: dict[str, Builtin] = {
    "mkdir": _mkdir,
    "mv": _mv,
    "ln": _ln,
    "sync": _sync,
    "cp": _cp,
    "rm": _rm,
    "tar": _tar,
    "chown": _chown,
    "chmod": _chmod,
    "chcon": _chcon,
    "restorecon": _restorecon,
}
LOOKING: dict[str, Builtin] = {
    "cat": _cat,
    "head": _head,
    "test": _test,
    "stat": _stat,
    "ls": _ls,
    "find": _find,
    "sha256sum": _sha256sum,
}
