"""`quorumbot ask`: the same commands from a terminal, through the same queue and worker."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace

from bot import terminal, words
from bot.config import Config
from bot.control.desk import Desk
from bot.control.table import Controls
from bot.deciding import Decisions
from bot.following import news, states
from bot.gate import StoreGate
from bot.identity import keyring, signer
from bot.ports import Caller
from bot.process import own_name
from bot.redis_link import link
from bot.requests import request
from bot.run_data import plan_data, run_data
from bot.run_words import plan_lines
from bot.store.runs import Runs
from commands.catalogue import REGISTRY
from commands.grammar import Ask, Help, parse
from commands.help import render
from procedures.catalogue import PROCEDURES
from procedures.model.errors import Retryable, UsageError
from procedures.model.events import Requester, Role
from procedures.model.ids import RunId
from procedures.model.report import BackupsReport, HostsReport, MembersReport, Report
from procedures.model.run import Run, State

PATIENCE_S = 90.0
"""How long the terminal waits for what needs nobody's approval before it is begun."""

_CONTROL_S = 10.0
_SILENT_S = 2.0


@dataclass(frozen=True, slots=True)
class _Line:
    """The way to the store."""

    runs: Runs
    gate: StoreGate
    controls: Controls


async def ask(config: Config, text: str, *, as_json: bool, plan: bool = False) -> int:
    """Ask, wait for the end, print it. Exit status: 0 as asked, 1 failed, refused and so on."""
    slash, _, rest = text.strip().partition(" ")
    if not slash:
        message = 'Say what to ask, e.g. quorumbot ask --config FILE "etcd health".'
        raise UsageError(message)
    wanted = parse(REGISTRY, config.inventory, slash, rest, None)
    if isinstance(wanted, Help):
        help_text = render(REGISTRY, wanted, lambda _: True).replace("`", "").replace("*", "")
        _print({"help": help_text} if as_json else help_text)
        return 0
    if plan:
        wanted = _planned(wanted)
    who = terminal.requester(wanted, config.inventory)
    async with _open(config) as line:
        if wanted.command.procedure is None:
            caller = Caller(who, None, f"terminal:{own_name()}", terminal.eligible)
            said = await line.controls.answer(wanted, caller)
            _print(said.data if as_json else _named("\n".join(said.lines), config))
            return 0
        return await _run(line, config, wanted, who, as_json=as_json)


async def _run(line: _Line, config: Config, wanted: Ask, who: Requester, *, as_json: bool) -> int:
    """Have it done by a worker, and follow its run."""
    asked = request(wanted, who, terminal.shown_in(wanted))
    name = await line.gate.accept(asked, source=f"terminal:{own_name()}")
    if asked.command not in PROCEDURES or asked.plan_only:
        run = await _ended(line, name)
        if run.state is State.SUCCEEDED:
            _print_answer(run, config, as_json=as_json)
        else:
            print(f"{run.request.cluster}: {run.state.lower()}, {run.error}", file=sys.stderr)
    else:
        run = await _followed(line, config, name, as_json=as_json)
        if as_json:
            _print(run_data(run))
    return 0 if run.state is State.SUCCEEDED else 1


async def _followed(line: _Line, config: Config, name: RunId, *, as_json: bool) -> Run:
    """Follow a change to its end, however long people take, and print what happens.

    Ctrl-C ends the waiting, and leaves the run alone.
    """
    before: Run | None = None
    enough = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, enough.set)
    async for run in states(line.runs, name, enough):
        for each in news(before, run, config.inventory.people):
            print(_named(each, config), file=sys.stderr if as_json else sys.stdout, flush=True)
        before = run
    if not run.state.final:
        print(f"Run {name} goes on. To end it: /ops cancel {name}", file=sys.stderr)
    return run


async def _ended(line: _Line, name: RunId) -> Run:
    """Wait for the end of what goes on by itself."""
    silence = asyncio.create_task(_tell_of_silence())
    try:
        async with asyncio.timeout(PATIENCE_S):
            async for run in states(line.runs, name, asyncio.Event()):
                if run.attempts:
                    silence.cancel()
                if run.state.final:
                    return run
    except TimeoutError:
        pass
    finally:
        silence.cancel()
    message = f"No answer within {PATIENCE_S:.0f} s (run {name}). Check that a worker is running."
    raise Retryable(message)


async def _tell_of_silence() -> None:
    await asyncio.sleep(_SILENT_S)
    print("waiting for a worker to take it up", file=sys.stderr)


@asynccontextmanager
async def _open(config: Config) -> AsyncIterator[_Line]:
    now_ms = config.clock.now_ms
    async with link(config) as redis:
        runs = Runs(redis, signer(config, Role.FRONT), keyring(config), now_ms=now_ms)
        gate = StoreGate(redis, runs, config.inventory.sites, now_ms)
        await gate.follow_clock()
        decisions = Decisions(runs, config.inventory.people, now_ms)
        desk = Desk(redis, gate, decisions, config.inventory, now_ms)
        yield _Line(runs, gate, Controls(desk, _CONTROL_S))


def _planned(wanted: Ask) -> Ask:
    if wanted.command.procedure not in PROCEDURES:
        message = f"/{wanted.command.name} has no plan: it changes nothing."
        raise UsageError(message)
    return replace(wanted, args={**wanted.args, "plan": True})


def _print_answer(run: Run, config: Config, *, as_json: bool) -> None:
    if run.request.plan_only:
        _print(plan_data(run) if as_json else _named("\n".join(plan_lines(run)), config))
    elif run.answer is not None:
        _print(asdict(run.answer) if as_json else "\n".join(_lines(run.answer)))


def _lines(answer: Report) -> list[str]:
    if isinstance(answer, BackupsReport):
        return [answer.headline, *words.backup_lines(answer)]
    if isinstance(answer, HostsReport):
        return [answer.headline, *words.host_lines(answer)]
    if isinstance(answer, MembersReport):
        return [answer.headline, *words.member_lines(answer)]
    unknown = words.unknowns(answer)
    return [
        answer.headline,
        words.safe_now(answer.advice),
        *words.troubles(answer),
        *words.table(answer),
        *words.details(answer),
        *words.host_details(answer),
        *([unknown] if unknown else []),
    ]


def _named(text: str, config: Config) -> str:
    return terminal.named(text, config.inventory)


def _print(what: object) -> None:
    print(what if isinstance(what, str) else json.dumps(what, ensure_ascii=False, indent=2))
