"""The index of this process, kept true: what changed is read anew and looked at first, until all is.

A full index is made beside the bot, in a thread and a reading transaction of its own; meanwhile the old one answers.
"""

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.db import Database
from bot.directory.current import Current, changed_here, changes_since, entries_stamp
from bot.directory.identity import Actor
from bot.directory.tables import Posting
from bot.errors import NotYet, Unavailable
from bot.routing.rules import Rules
from bot.search.hits import Hit

if TYPE_CHECKING:  # arrays take a fifth of a second to import: a thread does it once the bot runs
    from bot.search.entries import Only
    from bot.search.finding import Source
    from bot.search.index import Index
    from bot.search.words import Lexicon

log = structlog.get_logger()

FEW = 300  # changed entries that are read within a look-up's transaction
"""More of them wait for the next full index."""


@dataclass(frozen=True, slots=True)
class _Held:
    stamp: int
    index: "Index"


@dataclass(frozen=True, slots=True)
class _Newer:
    """What changed between the held index and a stamp."""

    since: int
    stamp: int
    index: "Index"
    stale: frozenset[str]


class Finder:
    """Finds in the directory as a transaction sees it."""

    def __init__(self, current: Current, rules: Callable[[], Rules], config: Traversable) -> None:
        self._current = current
        self._rules = rules
        self._config = config
        self._held: _Held | None = None
        self._newer: _Newer | None = None
        self._database: Database | None = None
        self._on = date.min
        self._making: threading.Thread | None = None
        self._lock = threading.Lock()

    def find(self, session: Session, text: str, *, limit: int, visible_to: Actor | None, at: datetime) -> list[Hit]:
        """Return the best `limit` of what is found and `visible_to` may see now; strangers (None) see nothing.

        Without a complete hit they are what comes near. Raises NotYet while the first index is being made beside.
        """
        from bot.search.finding import find  # noqa: PLC0415 - see above

        self._on = max(self._on, at.date())
        return find(session, self._source(session), text, limit=limit, visible_to=visible_to, at=at)

    def tokens(self, text: str) -> tuple[str, ...]:
        """Return the plain words of a text that name something."""
        return self._lexicon.tokens(text)

    def read_from(self, database: Database, at: datetime) -> None:
        """Make indexes beside the bot from now on, reading from a database; they are for this day and later."""
        self._database, self._on = database, at.date()

    def warm(self) -> None:
        """Begin to make the first index."""
        if self._held is None:
            self._make()

    def wait(self) -> None:
        """Wait for an index that is being made."""
        making = self._making
        if making is not None:
            making.join()

    def _source(self, session: Session) -> "Source":
        from bot.search.finding import Source  # noqa: PLC0415 - see above

        held = self._held or self._first(session)
        stamp = entries_stamp(session)
        newer = self._changed(session, held, stamp) if stamp != held.stamp else None
        if newer is None and stamp != held.stamp and self._database is None:
            held = self._kept(session)
        directory = self._current.get(session)
        stale = newer.stale if newer else frozenset[str]()
        return Source(held.index, newer.index if newer else None, stale, directory, self._lexicon, self._rules())

    def _first(self, session: Session) -> _Held:
        """Make the first index, beside where that can be: others do not wait for it with this transaction."""
        if self._database is None:
            return self._kept(session)
        self._make()
        raise NotYet(self.wait)

    def _kept(self, session: Session) -> _Held:
        """Return a new index, and keep it unless it holds what may never be."""
        held = self._read(session)
        if not changed_here(session):
            self._held = held
        return held

    def _read(self, session: Session) -> _Held:
        stamp = entries_stamp(session)
        return _Held(stamp, self._index(session, None))

    def _index(self, session: Session, only: "Only | None") -> "Index":
        from bot.search.entries import read  # noqa: PLC0415 - see above

        return read(session, self._lexicon, self._on, only).built()

    @cached_property
    def _lexicon(self) -> "Lexicon":
        from bot.search.words import Lexicon  # noqa: PLC0415 - see above

        return Lexicon.load(self._config)

    def _changed(self, session: Session, held: _Held, stamp: int) -> _Newer | None:
        """Return what changed since the index was made, as this transaction sees it; None when that is too much."""
        known = self._newer
        if known is not None and (known.since, known.stamp) == (held.stamp, stamp):
            return known
        only = _closure(session, changes_since(session, held.stamp))
        if only is None:
            self._make()
            return known if known is not None and known.since == held.stamp else None
        newer = _Newer(
            held.stamp,
            stamp,
            self._index(session, only),
            frozenset((*only.organisations, *only.people)),
        )
        if not changed_here(session):
            self._newer = newer
        return newer

    def _make(self) -> None:
        """Make a new index beside, where there is a database to read from; else the look-up makes it."""
        database = self._database
        if database is None:
            return
        with self._lock:
            if self._making is not None and self._making.is_alive():
                return
            self._making = threading.Thread(target=self._beside, args=(database,), name="index", daemon=True)
            self._making.start()

    def _beside(self, database: Database) -> None:
        began = time.monotonic()
        try:
            self._held = held = database.reading(self._read)
        except Unavailable as error:  # the old one answers on; the next change tries again
            log.warning("index_not_made", reason=str(error))
        else:
            log.debug("index_made", entries=len(held.index), seconds=round(time.monotonic() - began, 2))


def _closure(session: Session, changed: Collection[tuple[str, str]] | None) -> "Only | None":
    """Return what to read anew because these rows changed; None when it is all, or too much."""
    from bot.search.entries import Only  # noqa: PLC0415 - see above

    if changed is None:
        return None
    organisations = {id_ for kind, id_ in changed if kind == "organisation"}
    people = {id_ for kind, id_ in changed if kind == "person"}
    held = select(Posting.person).where(Posting.organisation.in_(organisations)).limit(FEW + 1)
    people |= set(session.scalars(held)) if organisations else set()
    if len(organisations) + len(people) > FEW:
        return None
    of = select(Posting.organisation).where(Posting.person.in_(people)).distinct()
    return Only(organisations | set(session.scalars(of)), people)
