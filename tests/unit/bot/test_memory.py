"""A process that has read a journal believes nothing of it once it was cut or rewritten."""

from bot.store.memory import Memory
from bot.store.signing import Journal
from procedures.model.canonical import digest
from procedures.model.events import Began, Entry, Event
from procedures.model.ids import RunId
from tests.support.requests import a_request
from tests.support.signing import FRONT, KEYRING, WORKER

RUN = RunId("r-00000001")


def journal(*workers: str) -> Journal:
    """A request, and whoever took it up: each as it is signed."""
    stored: list[bytes] = []
    events: list[Event] = [a_request(), *map(Began, workers)]
    for event in events:
        signer = WORKER if stored else FRONT
        head = digest(stored[-1]) if stored else ""
        stored.append(signer.seal(Entry(RUN, len(stored), head, 1, signer.id, event)))
    return KEYRING.read(RUN, stored)


def test_a_journal_grows() -> None:
    """And stays as it is."""
    memory = Memory()
    for workers in ((), ("a",), ("a",), ("a", "b", "c")):
        assert memory.fault(RUN, journal(*workers)) is None


def test_a_journal_was_cut() -> None:
    """Also of what this process has written itself."""
    memory = Memory()
    memory.note(RUN, journal("a", "b"))
    assert "is shorter than it was: 2, was 3" in str(memory.fault(RUN, journal("a")))
    assert "is shorter than it was: 0, was 3" in str(memory.fault(RUN, Journal((), 0, "", ())))


def test_a_journal_was_rewritten() -> None:
    """As long as before, or longer: what was last seen is not in its place any more."""
    memory = Memory()
    assert memory.fault(RUN, journal("a", "b")) is None
    for workers in (("a", "x"), ("x", "b"), ("a", "x", "c")):
        assert "was rewritten: entry 2 is another" in str(memory.fault(RUN, journal(*workers)))
    assert memory.fault(RUN, journal("a", "b", "c")) is None


def test_what_was_wrong_is_not_remembered() -> None:
    """A second look at the same wrong journal finds the same fault."""
    memory = Memory()
    assert memory.fault(RUN, journal("a")) is None
    assert memory.fault(RUN, journal("x")) == memory.fault(RUN, journal("x")) is not None
