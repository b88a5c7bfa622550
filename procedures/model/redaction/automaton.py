"""Find all forms of all secrets in one pass, one dictionary lookup for each byte.

Why not `re`: it cannot tell at the end of a chunk which bytes may still begin a match, and tries
hundreds of forms one after the other. Why not pyahocorasick: it takes fixed words, and a secret
of 40 characters, each of which may be escaped or not, has more than can be listed.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from procedures.model.redaction.form import LEAST_LINE, Form
from procedures.model.redaction.spelling import Node

_MOST_THREADS = 50_000

Thread: TypeAlias = tuple[Form, int, Node]
"""A form that may have begun: up to which unit it has been seen, and how far in its spelling."""

End: TypeAlias = tuple[int, int]
"""A secret that ends: how many folded bytes it took, and its number."""


class Found(Exception):  # noqa: N818 (not a fault: how a pass over many bytes is left)
    """A secret ends at the byte that was just read; `state` is the one after that byte."""

    def __init__(self, state: "State") -> None:
        """Carry the state."""
        super().__init__()
        self.state = state


class State(dict[int, "State"]):
    """What the bytes read so far may be the beginning of; `state[byte]` is the next state.

    `threads` are listed with the folded bytes that each has seen. `begun` is the state after the
    last byte alone, with the threads that began with it, None when that is this state itself.
    `depth` is how many folded bytes back the first of all these began. `end` is the longest
    secret that is complete: what leads to such a state is not looked up but raised, as `Found`.
    """

    __slots__ = ("_automaton", "_found", "begun", "depth", "end", "threads")

    def __init__(
        self,
        automaton: "Automaton",
        threads: Iterable[tuple[Thread, int]] = (),
        end: End | None = None,
        begun: "State | None" = None,
    ) -> None:
        """Make a state without successors."""
        super().__init__()
        self._automaton = automaton
        self._found: dict[int, State] = {}
        self.threads = tuple(threads)
        self.end = end
        self.begun = begun
        own = max((depth for _, depth in self.threads), default=0)
        self.depth: int = own if begun is None else max(own, begun.depth)

    def __repr__(self) -> str:
        """Tell nothing: what a state holds is made of secrets."""
        return "State()"

    def longest_begun(self) -> End | None:
        """The longest secret of which half has been seen, or as much as a line that is secret."""
        threads = (*self.threads, *(self.begun.threads if self.begun else ()))
        return max(
            (
                (depth, form.secret)
                for (form, _, _), depth in threads
                if depth >= LEAST_LINE or 2 * depth >= len(form.units)
            ),
            key=_order,
            default=None,
        )

    def __missing__(self, byte: int) -> "State":
        """Make the next state when it is first asked for."""
        state = self._found.get(byte)
        if state is None:
            state = self._automaton.after(self, byte)
            if state.end is None:
                self[byte] = state
                return state
            self._found[byte] = state
        raise Found(state)


class Automaton:
    """States for a set of forms, made as text asks for them and forgotten when they get many.

    `start` is the state before any byte. The time for a byte that leads to a known state does
    not depend on the secrets; a new one takes time in proportion to the threads in it.
    """

    def __init__(self, forms: Iterable[Form]) -> None:
        """Take all forms of all secrets, each of which needs three bytes at least."""
        self._known: dict[object, State] = {}
        self._threads = 0
        self.start = State(self)
        starts: dict[Thread, int] = {}
        for form in forms:
            for start in form.starts:
                for position in form.reach(start):
                    starts[form, position, form.units[position].first] = 0
        self._starts = State(self, starts.items())

    def after(self, state: State, byte: int) -> State:
        """Find or make the state that follows: its threads move on, others begin."""
        if state is self.start:
            return self._state(byte, *_moved(self._starts, byte), None)
        begun = self.start[byte]
        threads, end = _moved(state, byte)
        if state.begun is not None:
            younger = state.begun[byte]  # which has no end: no secret is so short
            if not threads and end is None:
                return younger
            if younger is not begun:
                for thread, depth in younger.threads:
                    _keep(threads, thread, depth)
        if not threads and end is None:
            return begun
        return self._state(byte, threads, end, begun)

    def _state(
        self, byte: int, threads: Mapping[Thread, int], end: End | None, begun: State | None
    ) -> State:
        key = (byte, begun is None, end, frozenset(threads.items()))
        state = self._known.get(key)
        if state is None:
            self._threads += len(threads) + 1
            if self._threads > _MOST_THREADS:
                self._forget()
            state = self._known[key] = State(self, threads.items(), end, begun)
        return state

    def _forget(self) -> None:
        """Let go of all states but the first; a stream keeps the one that it is in."""
        self._known.clear()
        self.start.clear()
        self._threads = 0


def _moved(state: State, byte: int) -> tuple[dict[Thread, int], End | None]:
    """The threads of a state that go on with a byte, and the longest secret that it completes."""
    threads: dict[Thread, int] = {}
    ends: list[End] = []
    for (form, position, node), depth in state.threads:
        child = node.children.get(byte)
        if child is None:
            continue
        if child.children:
            _keep(threads, (form, position, child), depth + 1)
        for width in child.widths:
            for reached in form.reach(position + width):
                if reached in form.ends:
                    ends.append((depth + 1, form.secret))
                if reached < len(form.units):
                    _keep(threads, (form, reached, form.units[reached].later), depth + 1)
    return threads, max(ends, key=_order, default=None)


def _keep(threads: dict[Thread, int], thread: Thread, depth: int) -> None:
    """Of threads that differ only in their beginning, the longest covers the others."""
    threads[thread] = max(depth, threads.get(thread, 0))


def _order(end: End) -> tuple[int, int]:
    """The longest is the greatest; of equals, the first registered."""
    length, secret = end
    return length, -secret
