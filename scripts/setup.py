"""Make `.venv` from the hash-pinned lock files: `python3 scripts/setup.py run|dev`, what every make target does first.

`run` installs what the bot needs, `dev` also what tests and checks need. Nothing happens when the environment already
matches the files it is made from, and `run` is content with a `dev` environment. No address is named here: pip and uv
use whichever package index the machine is configured for.
"""

import fcntl
import hashlib
import os
import shutil
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
    with (ROOT / "pyproject.toml").open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        made = _made()
        if sys.argv[1] in made or "dev" in made:
            return
        _make("dev" if _was_dev() else sys.argv[1])


def _made() -> set[str]:
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
        _run(_new_enough_python(), "-m", "venv", "--clear", VENV)
    _run(python, "-m", "pip", "install", "--quiet", "--no-input", "--no-deps", "--require-hashes", "-r", TOOLS)
    uv = (VENV / "bin" / "uv", "pip")
    _run(*uv, "sync", "--quiet", "--python", python, "--require-hashes", TOOLS, LOCKS[kind])
    _run(*uv, "install", "--quiet", "--python", python, "--no-deps", "--no-build-isolation", "--editable", ".")
    READY.write_text(f"{kind} {_digest()}")
    print(f"set up in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def _new_enough_python() -> str:
    """Find a Python 3.11 or later: this one, or one that stands beside it under its full name."""
    for name in (sys.executable, "python3.14", "python3.13", "python3.12", "python3.11"):
        found = shutil.which(name)
        if found and not subprocess.run(
            [found, "-c", "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))"],
            capture_output=True,
            check=False,
        ).returncode:
            return found
    sys.exit("Python 3.11 or later with its venv module is needed (on Debian: apt install python3-venv)")


def _run(*command: "str | Path") -> None:
    try:
        subprocess.run(command, cwd=ROOT, env=_environment(), stdin=subprocess.DEVNULL, check=True)
    except subprocess.CalledProcessError as failure:
        sys.exit(f"set-up stopped at: {' '.join(map(str, command))} (status {failure.returncode})")


def _environment() -> "dict[str, str]":
    """Give uv a cache it can write: its own, or one under `.venv` where the home directory is missing or read-only."""
    environment = dict(os.environ)
    home = environment.get("UV_CACHE_DIR") or environment.get("XDG_CACHE_HOME") or Path.home()
    if not os.access(home, os.W_OK):
        environment["UV_CACHE_DIR"] = str(VENV / "cache")
    return environment


if __name__ == "__main__":
    main()
