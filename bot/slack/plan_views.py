"""A plan in full: all that people approve, with every command whole, over as many messages as
it takes.
"""

from collections.abc import Iterable, Iterator

from bot.slack.blocks import SECTION, Block, View, context, length, preformatted, section
from bot.slack.text import code, escaped, pieces, visible
from procedures.model.ids import RunId
from procedures.model.plan import Plan, Step

_INLINE_CHARACTERS = 6_500
_INLINE_BLOCKS = 36
"""A plan that needs more does not stand in the run's own message, which says more than the plan."""

_PART_CHARACTERS = 9_000
_PART_BLOCKS = 45
_PIECE = 2_500


def is_long(plan: Plan) -> bool:
    """Tell whether a plan needs messages of its own."""
    blocks = plan_blocks(plan)
    return len(blocks) > _INLINE_BLOCKS or length(blocks) > _INLINE_CHARACTERS


def plan_blocks(plan: Plan) -> tuple[Block, ...]:
    """Facts, then each step with its exact command; nothing is cut."""
    facts = _sections(escaped(each) for each in _lines("\n".join(plan.facts)))
    return (*facts, *(block for step in plan.steps for block in step_blocks(step)))


def step_blocks(step: Step, mark: str = "") -> tuple[Block, ...]:
    """One step: what it does, its command, what it waits for, what undoes it.

    `mark` says how it stands. A command that does not fit a block goes on in the next.
    """
    head = [f"*{escaped(each)}*" for each in _lines(f"{step.number}. {step.title}")]
    head[-1] += f" · {mark}" if mark else ""
    tail = list(_after(step))
    typed = code(step.command)
    if typed is not None and len(typed) <= _PIECE:
        return tuple(_sections([*head, typed, *tail]))
    return (*_sections(head), *_command(step), *_sections(tail))


def plan_parts(run: RunId, plan: Plan) -> tuple[View, ...]:
    """The whole plan as messages of their own, numbered where there are several."""
    packed = _packed(plan_blocks(plan))
    parts = []
    for number, blocks in enumerate(packed, 1):
        which = f", part {number} of {len(packed)}" if len(packed) > 1 else ""
        text = f"Plan of run {run}{which}"
        digest = context(f"digest `{plan.digest}`")
        parts.append(View(text, (section(f"*{text}*"), *blocks, digest)))
    return tuple(parts)


def _command(step: Step) -> Iterator[Block]:
    parts = list(pieces(visible(step.command), _PIECE))
    for number, part in enumerate(parts, 1):
        if len(parts) > 1:
            more = "; the next goes on without a break" if number < len(parts) else ""
            yield context(f"Command of step {step.number}, part {number} of {len(parts)}{more}")
        yield preformatted(part)


def _after(step: Step) -> Iterator[str]:
    if step.waits:
        yield from (escaped(each) for each in _lines(f"Waits: {step.waits}"))
    if step.undo:
        yield from (escaped(each) for each in _lines(f"Undo: {step.undo.words}"))


def _lines(text: str) -> Iterator[str]:
    """Lines that fit a section each."""
    for line in text.splitlines():
        yield from pieces(line, _PIECE)


def _sections(lines: Iterable[str]) -> Iterator[Block]:
    """Put lines together, as many as fit a section."""
    together: list[str] = []
    room = SECTION
    for line in lines:
        if together and len(line) + 1 > room:
            yield section("\n".join(together))
            together, room = [], SECTION
        together.append(line)
        room -= len(line) + 1
    if together:
        yield section("\n".join(together))


def _packed(blocks: tuple[Block, ...]) -> list[list[Block]]:
    packed: list[list[Block]] = [[]]
    room = _PART_CHARACTERS
    for block in blocks:
        size = length([block])
        if packed[-1] and (size > room or len(packed[-1]) >= _PART_BLOCKS):
            packed.append([])
            room = _PART_CHARACTERS
        packed[-1].append(block)
        room -= size
    return packed
