"""A file system in memory: files, folders and symbolic links by absolute path."""

import copy
import json
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class FakeFile:
    """A regular file."""

    content: bytes = b""
    mode: int = 0o644
    owner: str = "root"
    group: str = "root"
    context: str | None = None


@dataclass(slots=True)
class FakeFolder:
    """A folder; what is in it follows from the paths."""

    mode: int = 0o755
    owner: str = "root"
    group: str = "root"
    context: str | None = None


@dataclass(slots=True)
class FakeLink:
    """A symbolic link."""

    to: str
    mode: int = 0o777
    owner: str = "root"
    group: str = "root"
    context: str | None = None


Node = FakeFile | FakeFolder | FakeLink

_MOST_LINKS = 40


@dataclass(slots=True)
class FakeFiles:
    """All files of a machine. Paths are absolute; methods raise OSError as a system would."""

    nodes: dict[str, Node] = field(default_factory=lambda: {"/": FakeFolder()})
    full: bool = False
    """No space is left: nothing can be written."""

    def put(self, path: str, content: bytes | str = b"", mode: int = 0o644) -> FakeFile:
        """Make a file with all its folders, whatever was there; for tests that set a scene."""
        self.folder(posixpath.dirname(path))
        data = content.encode() if isinstance(content, str) else content
        node = self.nodes[self.real(path)] = FakeFile(data, mode)
        return node

    def folder(self, path: str, mode: int = 0o755) -> FakeFolder:
        """Make a folder with all above it, as `mkdir -p` does."""
        real = self.real(path)
        if real == "/":
            return self._as_folder(real)
        self.folder(posixpath.dirname(real))
        if real not in self.nodes:
            self.check_space()
            self.nodes[real] = FakeFolder(mode)
        return self._as_folder(real)

    def link(self, path: str, to: str) -> None:
        """Make a symbolic link."""
        self.folder(posixpath.dirname(path))
        self.nodes[self._beside(path)] = FakeLink(to)

    def text(self, path: str) -> str:
        """What a file says."""
        return self.file(path).content.decode()

    def file(self, path: str) -> FakeFile:
        """A regular file, links followed."""
        node = self.nodes.get(self.real(path))
        if isinstance(node, FakeFolder):
            raise IsADirectoryError(path)
        if not isinstance(node, FakeFile):
            raise FileNotFoundError(path)
        return node

    def get(self, path: str, *, follow: bool = True) -> Node | None:
        """What is there, if anything."""
        return self.nodes.get(self.real(path) if follow else self._beside(path))

    def listing(self, path: str) -> list[str]:
        """The names in a folder, sorted."""
        real = self.real(path)
        self._as_folder(real)
        return sorted(posixpath.basename(each) for each in self._children(real))

    def write(self, path: str, node: Node) -> None:
        """Put something into a folder that is there, in place of what was."""
        self.check_space()
        real = self._beside(path)
        self._as_folder(posixpath.dirname(real))
        self.nodes[real] = node

    def remove(self, path: str) -> None:
        """Remove something with all below."""
        real = self._beside(path)
        for each in list(self._tree(real)):
            del self.nodes[each]

    def move(self, source: str, target: str) -> None:
        """Move something with all below, to exactly this path."""
        old, new = self._beside(source), self._beside(target)
        if old not in self.nodes:
            raise FileNotFoundError(source)
        self._as_folder(posixpath.dirname(new))
        for each in list(self._tree(old)):
            self.nodes[new + each[len(old) :]] = self.nodes.pop(each)

    def copy(self, source: str, target: str) -> None:
        """Copy something with all below and all its attributes, to exactly this path."""
        self.check_space()
        old, new = self._beside(source), self._beside(target)
        if old not in self.nodes:
            raise FileNotFoundError(source)
        self._as_folder(posixpath.dirname(new))
        for each in list(self._tree(old)):
            self.nodes[new + each[len(old) :]] = copy.copy(self.nodes[each])

    def packed(self, folder: str, names: Sequence[str]) -> bytes:
        """What is of these names in a folder, with all below, in a form of the twin's own."""
        root = self.real(folder)
        found: dict[str, tuple[str | None, int, str, str]] = {}
        for name in names:
            if posixpath.join(root, name) not in self.nodes:
                raise FileNotFoundError(name)
            for each in self._tree(posixpath.join(root, name)):
                node = self.nodes[each]
                text = node.content.decode("latin-1") if isinstance(node, FakeFile) else None
                found[posixpath.relpath(each, root)] = (text, node.mode, node.owner, node.group)
        return json.dumps(found).encode()

    def unpack(self, folder: str, packed: bytes) -> None:
        """Put what was packed into a folder, in place of what is there."""
        self.check_space()
        for path, (text, mode, owner, group) in json.loads(packed).items():
            data = None if text is None else text.encode("latin-1")
            node: Node = FakeFolder(mode) if data is None else FakeFile(data, mode)
            node.owner, node.group = owner, group
            self.nodes[posixpath.join(self.real(folder), path)] = node

    def tree(self, path: str) -> Iterator[Node]:
        """Something and all below."""
        return (self.nodes[each] for each in self._tree(self._beside(path)))

    def real(self, path: str) -> str:
        """The path without links; what is not there yet is taken as it is."""
        return self._resolve(path, 0)

    def check_space(self) -> None:
        """Raise OSError where the disk is full."""
        if self.full:
            message = "No space left on device"
            raise OSError(message)

    def _beside(self, path: str) -> str:
        """The real path of the folder, with the last name as it is."""
        path = posixpath.normpath(path)
        if path == "/":
            return path
        return posixpath.join(self.real(posixpath.dirname(path)), posixpath.basename(path))

    def _resolve(self, path: str, links: int) -> str:
        done = "/"
        for part in posixpath.normpath(path).split("/"):
            if part in {"", "."}:
                continue
            done = posixpath.join(done, part)
            node = self.nodes.get(done)
            if isinstance(node, FakeLink):
                if links > _MOST_LINKS:
                    message = f"{path}: too many levels of symbolic links"
                    raise OSError(message)
                done = self._resolve(posixpath.join(posixpath.dirname(done), node.to), links + 1)
        return done

    def _as_folder(self, real: str) -> FakeFolder:
        node = self.nodes.get(real)
        if node is None:
            raise FileNotFoundError(real)
        if not isinstance(node, FakeFolder):
            raise NotADirectoryError(real)
        return node

    def _children(self, real: str) -> Iterator[str]:
        return (each for each in self.nodes if each != "/" and posixpath.dirname(each) == real)

    def _tree(self, real: str) -> Iterator[str]:
        below = f"{real.rstrip('/')}/"
        return (each for each in self.nodes if each == real or each.startswith(below))
