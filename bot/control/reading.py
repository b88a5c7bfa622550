"""Answers that only tell."""

from bot import words
from bot.control.desk import Desk
from bot.event_words import event_line
from bot.moments import iso, moment
from bot.ports import Caller, Said
from bot.run_data import run_data, run_summary
from bot.run_words import run_line, run_lines, waiting_line
from bot.store.pauses import Pause
from bot.store.unfinished import ended, unfinished, waiting
from commands.grammar import Ask
from procedures.model.errors import Retryable
from procedures.model.ids import ClusterName, RunId

_ENDED = 20
"""So many runs that ended are listed."""


async def runs(desk: Desk, _: Ask, caller: Caller) -> Said:
    """What is under way, and what ended last, the newest first."""
    names: list[RunId] = []
    for site in sorted(desk.inventory.sites):
        names += [*await unfinished(desk.redis, site), *await waiting(desk.redis, site)]
    under_way = [run for run in await desk.read(names, caller) if not run.state.final]
    names = []
    for cluster in sorted(desk.clusters(caller)):
        names += await ended(desk.redis, cluster, _ENDED)
    over = [run for run in await desk.read(names, caller) if run.state.final]
    under_way.sort(key=lambda run: run.requested_at_ms, reverse=True)
    over.sort(key=lambda run: run.ended_at_ms or 0, reverse=True)
    shown = [*under_way, *over[:_ENDED]]
    lines = [run_line(run) for run in shown] or ["No run is under way, and no change has ended."]
    return Said(tuple(lines), [run_summary(run) for run in shown])


async def run(desk: Desk, wanted: Ask, caller: Caller) -> Said:
    """All about one run."""
    found = await desk.find(wanted, caller)
    return Said(tuple(run_lines(found, desk.inventory.people)), run_data(found))


async def audit(desk: Desk, wanted: Ask, caller: Caller) -> Said:
    """Each event of a run; what was not written by who may write it is not believed."""
    found = await desk.find(wanted, caller)
    journal = await desk.gate.journal(found.id)
    lines = [event_line(entry, found) for entry in journal.entries]
    lines += [f"Not believed: {fault.splitlines()[0]}" for fault in journal.faults]
    data = [
        {
            "run": entry.run,
            "seq": entry.seq,
            "at": iso(entry.at_ms),
            "writer": entry.writer,
            "event": entry.event.kind,
            "text": event_line(entry, found),
        }
        for entry in journal.entries
    ]
    return Said(tuple(lines), data)


async def approvals(desk: Desk, _: Ask, caller: Caller) -> Said:
    """What people have to decide, the longest waiting first."""
    names: list[RunId] = []
    for site in sorted(desk.inventory.sites):
        names += await waiting(desk.redis, site)
    found = [run for run in await desk.read(names, caller) if run.state.waits]
    found.sort(key=lambda run: run.changed_at_ms)
    now_ms = desk.now_ms()
    lines = [waiting_line(run, desk.inventory.people, now_ms) for run in found]
    return Said(
        tuple(lines) or ("Nothing waits for a decision.",), [run_data(run) for run in found]
    )


async def clusters(desk: Desk, _: Ask, caller: Caller) -> Said:
    """Which clusters there are for the caller, who is expected, and which of them are paused."""
    known = list(desk.inventory.in_channel(caller.channel))
    paused: dict[ClusterName, Pause] = {}
    note: tuple[str, ...] = ()
    try:
        for number, each in enumerate(known):
            known[number] = await desk.gate.expecting(each)
            if (pause := await desk.pauses.of(each.name)) is not None:
                paused[each.name] = pause
    except Retryable as error:
        note = (f"Who is expected by now and what is paused is not known. {error}",)
    lines = [
        f"{line}; paused by <@{pause.user}>, {moment(pause.at_ms)}"
        if (pause := paused.get(each.name))
        else line
        for each, line in zip(known, words.clusters(known), strict=True)
    ]
    data = [
        {
            "name": each.name,
            "platform": str(each.platform),
            "site": each.site,
            "expected": list(each.endpoints),
            "paused": {"user": pause.user, "at": iso(pause.at_ms)}
            if (pause := paused.get(each.name))
            else None,
        }
        for each in known
    ]
    none = ("No cluster may be asked about from this channel.",)
    return Said((*lines, *note) if known else none, data)
