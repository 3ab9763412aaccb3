"""Child processes of the tests: started with a log, never outliving the tests, stopped politely or killed."""

import asyncio
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
_PR_SET_PDEATHSIG = 1


def free_port() -> int:
    """A port that nothing on loopback listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Identity:
    """The system user a child runs as, when it may not run as root."""

    uid: int
    gid: int


def spawn(
    argv: Sequence[str | Path],
    *,
    log: Path,
    cwd: Path,
    run_as: Identity | None = None,
    env: dict[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child that writes to `log` and dies with the thread that started it.

    The kernel ties the child to the *thread*, so call this from the main one, never from an executor.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(part) for part in argv],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=run_as.uid if run_as else None,
            group=run_as.gid if run_as else None,
            extra_groups=[] if run_as else None,
            # An own group keeps the terminal's Ctrl-C away: who started the child decides when it stops.
            process_group=0,
            env={**_inherited(), **(env or {})},
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one call into the kernel, no lock taken
        )


def _inherited() -> dict[str, str]:
    """Our environment for a server.

    It may keep compiled modules: Synapse starts in 1.2 s with them and in 3 s without. It is not measured for
    coverage, which would make it slow and say nothing about us.
    """
    left_out = ("PYTHONDONTWRITEBYTECODE", "COVERAGE_")
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)}


def die_with_parent() -> None:
    """Between fork and exec: a test run that is killed must not leave servers behind (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


async def wait_ready(
    process: subprocess.Popen[bytes], ready: Callable[[], bool], *, log: Path, seconds: float = 30
) -> None:
    """Return when `ready()` is true; raise with the end of the log when the child dies or is too slow."""
    deadline = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            state = "is too slow" if process.returncode is None else f"ended with {process.returncode}"
            tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            msg = f"{process.args!r} {state}:\n{tail}"
            raise RuntimeError(msg)
        await asyncio.sleep(0.02)


def accepts(port: int) -> bool:
    """Whether something listens on this loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0


async def stop(process: subprocess.Popen[bytes], *, by: signal.Signals = signal.SIGTERM, seconds: float = 10) -> None:
    """Signal the child and wait for its end; a child that does not obey is killed."""
    if process.poll() is None:
        process.send_signal(by)
    deadline = time.monotonic() + seconds
    while process.poll() is None:
        if time.monotonic() > deadline:
            process.kill()
        await asyncio.sleep(0.02)


def reap(process: subprocess.Popen[bytes] | None) -> None:
    """Kill the child at once and wait for it; for places that cannot await."""
    if process is not None and process.poll() is None:
        process.kill()
        process.wait()


def is_root() -> bool:
    """Whether we run as the superuser."""
    return hasattr(os, "geteuid") and os.geteuid() == 0
