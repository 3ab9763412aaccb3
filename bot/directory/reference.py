"""The reference data that a release ships: loaded once a release, leaving alone what somebody edited."""

import hashlib
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.db import Database
from bot.directory.current import Stamp
from bot.directory.importing import apply
from bot.directory.parsed import Parsed
from bot.directory.reading import read
from bot.errors import ConfigurationError

NAME = "shipped"


def load_shipped(database: Database, folder: Path) -> None:
    """Load the files of `folder` unless the database had just these already.

    Raises ConfigurationError when they are broken, which a test of the release should have found.
    """
    digest = _digest(folder)
    if database.run_now(lambda s: s.scalar(select(Stamp.value).where(Stamp.name == NAME))) == digest:
        return
    parsed = read([folder])
    database.run_now(lambda session: _store(session, parsed, digest))


def _store(session: Session, parsed: Parsed, digest: int) -> None:
    result = apply(session, parsed, shipped=True)
    if result.errors:
        first = result.errors[0]
        message = f"reference data: {first.file} line {first.line}, {first.column}: {first.reason.key}"
        raise ConfigurationError(message)
    session.merge(Stamp(name=NAME, value=digest))


def _digest(folder: Path) -> int:
    """Return a number that changes with the files; it fits a signed 64-bit column."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.csv")):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return int.from_bytes(digest.digest()[:7], "big")
