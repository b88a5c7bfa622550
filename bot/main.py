"""The command line. Each command imports only what it needs: a front loads no gRPC."""

import argparse
import asyncio
import sys
from pathlib import Path

from bot.config import ConfigError, load
from bot.process import log_to_stderr
from procedures.model.errors import QuorumbotError, UsageError

DONE, FAILED, USAGE = 0, 1, 2


def main(argv: list[str] | None = None) -> int:
    """Run one command; errors are one line on stderr that says what to do."""
    try:
        return _run(_parser().parse_args(argv))
    except ConfigError as error:
        for fault in error.faults:
            print(f"quorumbot: {fault}", file=sys.stderr)
        return FAILED
    except UsageError as error:
        print(f"quorumbot: {error}", file=sys.stderr)
        return USAGE
    except QuorumbotError as error:
        print(f"quorumbot: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return FAILED


def _run(arguments: argparse.Namespace) -> int:
    match arguments.command:
        case "sandbox":
            from bot.sandbox.supervisor import run
            from bot.slash_commands import slash_commands

            if arguments.around and not arguments.hosts:
                raise UsageError("--around is of hosts: say --hosts too.")
            return asyncio.run(
                run(
                    port=arguments.port,
                    directory=arguments.dir,
                    open_browser=not arguments.no_browser,
                    transport="http" if arguments.http else "socket",
                    hosts=arguments.hosts,
                    around=arguments.around,
                    commands=slash_commands(),
                )
            )
        case "serve":
            from bot.serving import serve

            config = load(arguments.config)
            log_to_stderr()
            return asyncio.run(serve(config, arguments.http))
        case "worker":
            from bot.working import work

            log_to_stderr()
            return asyncio.run(work(load(arguments.config), arguments.site))
        case "check":
            from bot.checking import check

            return asyncio.run(check(arguments.config, as_json=arguments.json))
        case "audit":
            from bot.auditing import audit

            given = None if arguments.what == "export" else arguments.head
            return asyncio.run(audit(load(arguments.config), given, as_json=arguments.json))
        case _:
            from bot.asking import ask

            config, wants = load(arguments.config), arguments.text
            return asyncio.run(ask(config, wants, as_json=arguments.json, plan=arguments.plan))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="quorumbot",
        description="ChatOps for the people who keep etcd and Kubernetes clusters alive.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    sandbox = commands.add_parser(
        "sandbox", help="try everything on this machine, without a Slack workspace"
    )
    sandbox.add_argument("--port", type=_port, help="of the web page (8700)")
    sandbox.add_argument("--no-browser", action="store_true", help="do not open the page")
    sandbox.add_argument("--dir", type=Path, help="keep all state there (a temporary folder)")
    sandbox.add_argument("--http", action="store_true", help="HTTP mode instead of Socket Mode")

    sandbox.add_argument(
        "--hosts",
        nargs="?",
        const="okd3",
        choices=["okd3", "ocp311", "kubespray"],
        metavar="FLAVOUR",
        help="etcd on hosts, reached over SSH: okd3, ocp311 or kubespray; needs root",
    )
    sandbox.add_argument(
        "--around", action="store_true", help="with --hosts: masters, Flannel and Ansible, too"
    )

    serve = commands.add_parser("serve", help="the Slack front")
    _add_config(serve)
    serve.add_argument(
        "--http",
        type=_address,
        metavar="[HOST:]PORT",
        help="HTTP mode instead of Socket Mode: listen there for Slack's requests",
    )

    worker = commands.add_parser("worker", help="a worker")
    _add_config(worker)
    worker.add_argument("--site", default="default", help="the site whose clusters it reaches")

    check = commands.add_parser("check", help="validate the configuration, reach everything")
    _add_config(check)
    check.add_argument("--json", action="store_true", help="print the findings as JSON")

    audit = commands.add_parser("audit", help="check the record of all changes, or copy it")
    audits = audit.add_subparsers(dest="what", required=True, metavar="verify|export")
    verify = audits.add_parser("verify", help="find what was changed, removed or rolled back")
    _add_config(verify)
    verify.add_argument(
        "--head",
        action="append",
        default=[],
        metavar="INDEX:HASH",
        help="a head that was published; give as many as you have",
    )
    verify.add_argument("--json", action="store_true", help="print the findings as JSON")
    export = audits.add_parser("export", help="print the events as lines of JSON")
    _add_config(export)
    export.set_defaults(json=True)

    ask = commands.add_parser("ask", help="the same commands from a terminal")
    _add_config(ask)
    ask.add_argument("--json", action="store_true", help="print the answer as JSON")
    ask.add_argument("--plan", action="store_true", help="print the plan of a change, ask nobody")
    ask.add_argument("text", help='what to ask, e.g. "etcd health"')
    return parser


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="FILE")


def _port(text: str) -> int:
    if not _is_port(text):
        message = f"--port {text!r}: write a number below 65536."
        raise UsageError(message)
    return int(text)


def _address(text: str) -> str:
    if not _is_port(text.rpartition(":")[2]):
        message = f"--http {text!r}: write [HOST:]PORT, with a port below 65536."
        raise UsageError(message)
    return text


def _is_port(text: str) -> bool:
    return text.isdecimal() and len(text) <= 5 and int(text) < 65_536


if __name__ == "__main__":
    sys.exit(main())
