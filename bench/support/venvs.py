"""Virtual environments for what cannot live in the project's own, made once by uv."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
_CACHE = ROOT / ".cache"
_CA_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def python_with(name: str, requirements: Sequence[str]) -> str:
    """The Python of `.cache/bench/NAME`, in which exactly these are installed."""
    directory = _CACHE / "bench" / name
    python, stamp = directory / "bin" / "python", directory / ".made-from"
    made_from = "\n".join((str(directory), sys.version, *requirements))
    if not stamp.exists() or stamp.read_text() != made_from:
        print(f"installing {' '.join(requirements)} into {directory.relative_to(ROOT)}")
        uv = _uv()
        _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(directory))
        _run(uv, "pip", "install", "--quiet", "--python", str(python), *requirements)
        stamp.write_text(made_from)
    return str(python)


def _uv() -> str:
    kept = (str(path) for path in sorted(_CACHE.glob("uv-*/bin")))
    uv = shutil.which("uv", path=os.pathsep.join((os.environ.get("PATH", os.defpath), *kept)))
    if uv is None:
        sys.exit("uv is needed and not in PATH; `./try --setup` fetches it in a new checkout")
    return uv


def _run(*argv: str) -> None:
    env = dict(os.environ) | {"UV_CACHE_DIR": str(_CACHE / "uv-cache")}
    env["UV_PYTHON_DOWNLOADS"] = "never"
    env.pop("VIRTUAL_ENV", None)
    if _CA_CERTIFICATES.exists():  # a company's own authority is known to the system, not to uv
        env.setdefault("UV_SYSTEM_CERTS", "1")
    subprocess.run(argv, check=True, env=env)
