"""The files of the key store: each term of a holder has its own, begun as a copy of the one before.

A holder that was frozen and comes back after its time writes into a file that nobody reads any more. The sync token of
the database stands after what the copied file holds, since the file is written first.
"""

import hashlib
import os
import re
import shutil
import time
from pathlib import Path

from bot import fence
from bot.errors import ConfigurationError
from bot.platforms.matrix import private

TRIES = 50
BETWEEN = 0.02  # seconds


def of_term(folder: Path, device: str, epoch: int) -> Path:
    """Return the file of a device in a term; it need not hold anything yet.

    Raises ConfigurationError when somebody else keeps writing into the one before.
    """
    name = hashlib.sha256(device.encode()).hexdigest()[:16]
    file = folder / f"keys-{name}-{epoch}.db"
    before = {number: path for number, path in _terms(folder, name) if number < epoch}
    if not file.exists() and before:
        _copy(before.pop(max(before)), file)
        for older in before.values():
            older.unlink(missing_ok=True)
            _journal(older).unlink(missing_ok=True)
    private.touch(file)  # nio would make it readable for all
    return file


def last_epoch(folder: Path) -> int:
    """Return the newest term that has a file; 0 where there is none."""
    return max((number for number, _ in _terms(folder)), default=0)


def _terms(folder: Path, name: str = "") -> list[tuple[int, Path]]:
    files = folder.glob(f"keys-{name or '*'}-*.db")
    found = ((re.fullmatch(r"keys-\w+-(\d+)\.db", file.name), file) for file in files)
    return [(int(match[1]), file) for match, file in found if match is not None]


def _copy(source: Path, target: Path) -> None:
    """Copy a database as it lies there, with the transaction that its last holder did not end."""
    for _ in range(TRIES):
        before = _state(source)
        beside = target.with_name(f"{target.name}.part")
        for copied, to in ((_journal(source), _journal(target)), (source, beside)):
            to.unlink(missing_ok=True)
            if copied.exists():
                private.touch(to)
                shutil.copyfile(copied, to)
        if _state(source) == before:
            with beside.open("rb") as written:
                os.fsync(written.fileno())
            private.rename(beside, target)
            return
        fence.check()
        time.sleep(BETWEEN)  # somebody is writing; the last holder has stopped by now, or its time is not over
    raise ConfigurationError(f"{source.parent}: another process writes into the key store; one folder is for one bot")


def _journal(file: Path) -> Path:
    return file.with_name(f"{file.name}-journal")


def _state(file: Path) -> list[tuple[int, int]]:
    parts = (file, _journal(file))
    return [(stat.st_mtime_ns, stat.st_size) for stat in (part.stat() for part in parts if part.exists())]
