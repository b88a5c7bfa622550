"""A sandbox whose front and worker are small and fast: `python -m tests.support.fake_bot`.

`sandbox [--port N] [--dir DIR] [--broken-front]`; it starts itself as `front` and as `worker`.
"""

import argparse
import asyncio
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from ruamel.yaml import YAML

ME = (sys.executable, "-m", "tests.support.fake_bot")


class Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Say nothing."""


def serve(role: str, config: Path) -> int:
    host, _, port = YAML().load(config)["listen"][role].rpartition(":")
    ThreadingHTTPServer((host, int(port)), Ready).serve_forever()
    return 0


def sandbox(port: int | None, directory: Path | None, front: str) -> int:
    # The front and the worker do not need it, and start faster without.
    from bot.sandbox.supervisor import Launch, run  # noqa: PLC0415

    return asyncio.run(
        run(
            port=port,
            directory=directory,
            open_browser=False,
            transport="http",  # no Socket Mode connection to wait for
            commands=[],
            launch=Launch(front=(*ME, front), worker=(*ME, "worker")),
        )
    )


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["sandbox", "front", "worker", "broken"])
    parser.add_argument("--port", type=int)
    parser.add_argument("--dir", type=Path)
    parser.add_argument("--broken-front", action="store_true")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--http")
    given = parser.parse_args()
    match given.role:
        case "sandbox":
            return sandbox(given.port, given.dir, "broken" if given.broken_front else "front")
        case "broken":
            print("broken on purpose")
            return 3
        case role:
            return serve(role, given.config)


if __name__ == "__main__":
    sys.exit(main())
