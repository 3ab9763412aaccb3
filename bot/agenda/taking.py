"""Taking a calendar in: what changed or vanished at its source is recognised, not doubled.

An event is known by its name and occurrence. A subscribed calendar is the whole truth of its own events: what is there
no longer is cancelled. A file only adds to and changes what it names. Nobody's calendar touches another's events.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.agenda.keeping import become, ring, tidy
from bot.agenda.model import Details
from bot.agenda.reading import BEFORE, Content, Read
from bot.agenda.tables import Calendar, Event

NEAR = timedelta(days=3)  # between an occurrence that vanished and a new one of its series that replaces it
FEW = 3  # events that may vanish all at once without a second look

_AT_ONCE = 500
_NEVER = datetime.min.replace(tzinfo=UTC)

Place = Callable[[Details], Details]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a calendar's events. `foreign`: those that another calendar, or nobody's, already has."""

    added: int = 0
    changed: int = 0
    cancelled: int = 0
    same: int = 0
    foreign: int = 0
    doubtful: bool = False  # it was empty all of a sudden: nothing was done


def take(
    session: Session,
    content: Content,
    calendar: Calendar | None,
    now: datetime,
    place: Place,
    *,
    only_new: bool = False,
) -> Taken:
    """Store what a calendar holds; `calendar` is None for a file, and `place` says where events are that do not say.

    `only_new`: what is known is left alone, as when an old file's series go on.
    """
    own, foreign = _known(session, content, calendar, now)
    fresh = [event for event in content.events if event.uid not in foreign]
    skipped = len(content.events) - len(fresh)
    by_name = {(row.uid, row.instance): row for row in own}
    pairs = [(by_name.pop((read.uid, read.instance), None), read) for read in fresh]
    lost = [row for row in by_name.values() if row.state != "cancelled" and row.ends > now]
    if calendar is not None and not fresh and len(lost) > FEW and calendar.problem != "agenda.feed.empty":
        return Taken(doubtful=True)
    pairs = _replaced(pairs, lost, across=calendar is not None)
    new = [_new(read, calendar, now, place) for row, read in pairs if row is None]
    session.add_all(new)
    known = [] if only_new else [(row, read) for row, read in pairs if row is not None]
    changed = sum(_update(session, row, read, now, place, newer_only=calendar is None) for row, read in known)
    gone = list(_gone(lost, content)) if calendar is not None else []
    for row in gone:
        become(session, row, replace(row.details, state="cancelled"), now)
    session.flush()
    for row in new:
        ring(session, row, now)
    return Taken(len(new), changed, len(gone), len(pairs) - len(new) - changed, skipped)


def _known(
    session: Session, content: Content, calendar: Calendar | None, now: datetime
) -> tuple[list[Event], set[str]]:
    """Return the rows that this source may change, and the names that belong to others."""
    own: dict[int, Event] = {}
    foreign: set[str] = set()
    owner = calendar.id if calendar is not None else None
    uids = sorted({event.uid for event in content.events})
    for at in range(0, len(uids), _AT_ONCE):
        for row in session.scalars(select(Event).where(Event.uid.in_(uids[at : at + _AT_ONCE]))):
            if row.calendar == owner:
                own[row.id] = row
            else:
                foreign.add(row.uid)
    if calendar is not None:
        coming = select(Event).where(Event.calendar == calendar.id, Event.ends > now - BEFORE)
        own |= {row.id: row for row in session.scalars(coming)}
    return sorted(own.values(), key=lambda row: (row.starts, row.id)), foreign


def _replaced(
    pairs: Sequence[tuple[Event | None, Read]], lost: list[Event], *, across: bool
) -> list[tuple[Event | None, Read]]:
    """Pair what is new with what vanished and is the same: a meeting moved within its series, or one renamed.

    What is paired leaves `lost`. `across`: names count for nothing where all else is the same; some programs give new
    ones at each export.
    """
    out: list[tuple[Event | None, Read]] = []
    for row, read in pairs:
        found = row or _twin(read, lost, across=across)
        if row is None and found is not None:
            lost.remove(found)
            found.uid, found.instance = read.uid, read.instance
        out.append((found, read))
    return out


def _twin(read: Read, lost: Iterable[Event], *, across: bool) -> Event | None:
    when = read.details.when
    same = [row for row in lost if row.uid == read.uid and abs(row.starts - when.starts) <= NEAR]
    if not same and across:
        same = [
            row for row in lost if (row.title, row.starts, row.ends) == (read.details.title, when.starts, when.ends)
        ]
    return min(same, key=lambda row: abs(row.starts - when.starts), default=None)


def _new(read: Read, calendar: Calendar | None, now: datetime, place: Place) -> Event:
    event = Event(
        calendar=calendar.id if calendar is not None else None,
        uid=read.uid,
        instance=read.instance,
        sequence=read.sequence,
        stamp=read.stamp,
        created_at=now,
        changed_at=now,
    )
    event.take(tidy(place(read.details)))
    return event


def _update(session: Session, row: Event, read: Read, now: datetime, place: Place, *, newer_only: bool) -> bool:
    """Take a change; a file that is older than what is known changes nothing."""
    if row.sealed:  # what a file has of it are no words of its own
        return False
    age, known = (read.sequence, read.stamp or _NEVER), (row.sequence, row.stamp or _NEVER)
    if newer_only and age < known:
        return False
    row.stamp = read.stamp
    organisers = read.details.organisers or row.details.organisers  # who says nothing of them takes them from nobody
    details = tidy(place(replace(read.details, organisers=organisers)))
    return become(session, row, details, now, sequence=read.sequence)


def _gone(lost: Iterable[Event], content: Content) -> Iterator[Event]:
    """Yield what vanished, but for what was not looked at: beyond the span, or of a series that was not understood."""
    doubtful = {uid for uid, _ in content.problems}
    end = datetime.combine(content.until, time(), UTC)
    return (row for row in lost if row.uid not in doubtful and row.starts < end)
