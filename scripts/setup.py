"""Make `.venv` from the hash-pinned lock files: `python3 scripts/setup.py run|dev`, what every make target does first.

`run` installs what the bot needs, `dev` also what tests and checks need. Nothing happens when the environment already
matches the files it is made from, and `run` is content with a `dev` environment. No address is named here: pip and uv
use whichever package index the machine is configured for.
"""

import ast
import fcntl
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
READY = VENV / ".ready"
TOOLS = "requirements-uv.lock"
LOCKS = {"run": "requirements.lock", "dev": "requirements-dev.lock"}
MADE_FROM = (TOOLS, *LOCKS.values(), "pyproject.toml", "scripts/setup.py")


def main() -> None:
    """Bring the environment to the kind asked for, once even when several ask at the same time."""
    if len(sys.argv) != 2 or sys.argv[1] not in LOCKS:
        sys.exit("usage: python3 scripts/setup.py run|dev")
    if sys.version_info < (3, 11):  # noqa: UP036 - an older Python must be able to say so
        sys.exit("Python 3.11 or later is needed: make PYTHON=/path/to/python3.11 ...")
    with (ROOT / "pyproject.toml").open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        made = _made()
        if sys.argv[1] in made or "dev" in made:
            return
        _make("dev" if _was_dev() else sys.argv[1])


def _made() -> "set[str]":
    """Tell which kind of environment stands ready, made from the present files and with a Python that still runs."""
    python = VENV / "bin" / "python"
    if not READY.is_file() or subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode:
        return set()
    kind, _, digest = READY.read_text().partition(" ")
    return {kind} if digest == _digest() else set()


def _was_dev() -> bool:
    return READY.is_file() and READY.read_text().startswith("dev ")


def _digest() -> str:
    """Fingerprint what the environment is made from, and where: an environment does not survive being moved."""
    parts = (str(VENV).encode(), *((ROOT / name).read_bytes() for name in MADE_FROM))
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _make(kind: str) -> None:
    began = time.monotonic()
    print(f"setting up .venv ({kind}) from the lock files ...", file=sys.stderr, flush=True)
    READY.unlink(missing_ok=True)
    python = VENV / "bin" / "python"
    if not python.exists() or subprocess.run([python, "-m", "pip", "-V"], capture_output=True, check=False).returncode:
        _run(sys.executable, "-m", "venv", "--clear", VENV)
    _run(python, "-m", "pip", "install", "--quiet", "--no-input", "--no-deps", "--require-hashes", "-r", TOOLS)
    uv, surroundings = (VENV / "bin" / "uv", "pip"), _for_uv()
    _run(*uv, "sync", "--quiet", "--python", python, "--require-hashes", TOOLS, LOCKS[kind], env=surroundings)
    editable = ("--no-deps", "--no-build-isolation", "--editable", ".")
    _run(*uv, "install", "--quiet", "--python", python, *editable, env=surroundings)
    READY.write_text(f"{kind} {_digest()}")
    print(f"set up in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def _run(*command: "str | Path", env: "dict[str, str] | None" = None) -> None:
    try:
        subprocess.run(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, check=True)
    except subprocess.CalledProcessError as failure:
        sys.exit(f"set-up stopped at: {' '.join(map(str, command))} (status {failure.returncode})")


def _for_uv() -> "dict[str, str]":
    """Give uv what it does not find by itself: pip's index and certificates, a cache it can write to."""
    surroundings = dict(os.environ)
    known = {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE"}
    for line in _output("pip", "config", "list").splitlines():
        key, _, value = line.partition("=")
        name = key.rpartition(".")[2]
        if name in known:
            surroundings.setdefault(known[name], ast.literal_eval(value))
    cache = Path(_output("uv", "cache", "dir").strip())
    try:
        cache.mkdir(parents=True, exist_ok=True)
        usable = os.access(cache, os.W_OK)
    except OSError:
        usable = False
    if not usable:
        surroundings["UV_CACHE_DIR"] = str(VENV / "cache")
    return surroundings


def _output(tool: str, *arguments: str) -> str:
    return subprocess.run(
        [VENV / "bin" / tool, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


if __name__ == "__main__":
    main()
