"""`quorumbot ask`: the same commands from a terminal, through the same queue and worker."""

import asyncio
import json
import sys
import time
from dataclasses import asdict

from bot import words
from bot.config import Config
from bot.gate import StoreGate
from bot.identity import keyring, signer
from bot.process import own_name, own_user
from bot.redis_link import link
from bot.requests import request
from bot.store.runs import Runs
from commands.catalogue import REGISTRY
from commands.grammar import Ask, Help, parse
from commands.help import render
from procedures.model.errors import Retryable, UsageError
from procedures.model.events import Requester, Role
from procedures.model.ids import RunId, TeamId, UserId
from procedures.model.report import HealthReport, MembersReport
from procedures.model.run import Run, State

PATIENCE_S = 90.0
"""How long the terminal waits for an answer."""

_POLL_S = 0.05


async def ask(config: Config, text: str, *, as_json: bool) -> int:
    """Ask, wait for the answer, print it. Exit status: 0 answered, 1 failed or refused."""
    slash, _, rest = text.strip().partition(" ")
    if not slash:
        message = 'Say what to ask, e.g. quorumbot ask --config FILE "etcd health".'
        raise UsageError(message)
    wanted = parse(REGISTRY, config.inventory, slash, rest, None)
    if isinstance(wanted, Help):
        help_text = render(REGISTRY, wanted, lambda _: True).replace("`", "").replace("*", "")
        _print({"help": help_text} if as_json else help_text)
        return 0
    if wanted.command.procedure is None:
        _print_clusters(config, as_json=as_json)
        return 0
    run = await _answered(config, wanted)
    if run.error is not None:
        print(f"{run.request.cluster}: {run.state.lower()}, {run.error}", file=sys.stderr)
        return 1
    if run.answer is not None:
        _print(asdict(run.answer) if as_json else "\n".join(_lines(run.answer)))
    return 0


async def _answered(config: Config, wanted: Ask) -> Run:
    """Queue the request and follow its run to the end."""
    user = own_user()
    requester = Requester(
        config.inventory.terminal_users.get(user, UserId(f"terminal:{user}")), TeamId(""), user
    )
    async with link(config) as redis:
        runs = Runs(redis, signer(config, Role.FRONT), keyring(config))
        gate = StoreGate(redis, runs, config.inventory.sites)
        await gate.follow_clock()
        name = await gate.accept(request(wanted, requester, None), source=f"terminal:{own_name()}")
        return await _ended(gate, name)


async def _ended(gate: StoreGate, name: RunId) -> Run:
    deadline = time.monotonic() + PATIENCE_S
    told = False
    while time.monotonic() < deadline:
        run = await gate.run(name)
        if run is not None and run.state.final:
            return run
        if not told and run is not None and run.state is State.QUEUED and _age_s(run) > 2:
            print("waiting for a worker to take it up", file=sys.stderr)
            told = True
        await asyncio.sleep(_POLL_S)
    message = f"No answer within {PATIENCE_S:.0f} s (run {name}). Check that a worker is running."
    raise Retryable(message)


def _age_s(run: Run) -> float:
    return time.time() - run.requested_at_ms / 1_000


def _lines(answer: HealthReport | MembersReport) -> list[str]:
    if isinstance(answer, MembersReport):
        return [answer.headline, *words.member_lines(answer)]
    unknown = words.unknowns(answer)
    return [
        answer.headline,
        words.safe_now(answer.advice),
        *words.troubles(answer),
        *words.table(answer),
        *words.details(answer),
        *([unknown] if unknown else []),
    ]


def _print_clusters(config: Config, *, as_json: bool) -> None:
    known = config.inventory.in_channel(None)
    if as_json:
        _print(
            [{"name": each.name, "platform": each.platform, "site": each.site} for each in known]
        )
    else:
        _print("\n".join(words.clusters(known)))


def _print(what: object) -> None:
    print(what if isinstance(what, str) else json.dumps(what, ensure_ascii=False, indent=2))
