"""Crossed postings: somebody leaves an office on a day, for another one or for good, and the directory has it so.

The agreement of 25 August 2015, point 2: ambassadors, prefects and other senior officials pass from one ministry to
the other. The postings are entered when the move is announced, with their first and last days: what somebody may do
here follows the days by itself (`bot.directory.identity`).
"""

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Date, ForeignKey, Select, String, Text, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.agenda.tables import Event
from bot.db import Base
from bot.directory.files import DUTIES, POSTINGS, ROLES
from bot.directory.history import Author, record
from bot.directory.tables import ID, Duty, Organisation, Person, Posting
from bot.errors import UserError

_DAY = timedelta(days=1)


class Crossing(Base):
    """A move that was announced: the event says on which day, and whether it still takes place."""

    __tablename__ = "crossing"

    event: Mapped[int] = mapped_column(ForeignKey("event.id"), primary_key=True, autoincrement=False)
    person: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    organisation: Mapped[str | None] = mapped_column(ForeignKey("organisation.id"))  # where they go; NULL: elsewhere
    role: Mapped[str] = mapped_column(String(30))  # the office taken up; of who goes elsewhere, the one they leave
    left: Mapped[str | None] = mapped_column(String(ID))  # where they come from
    starts: Mapped[date | None] = mapped_column(Date)  # as the postings have it; NULL: they do not
    ended: Mapped[str] = mapped_column(Text, default="[]")  # JSON: postings that ended for it, with their ends before
    effective: Mapped[bool] = mapped_column(default=False)  # the day came: what they had where they left has ended
    told: Mapped[bool] = mapped_column(default=False)  # both sides were told


@dataclass(frozen=True, slots=True)
class Move:
    """Who goes where, to hold which office; who leaves the network holds none."""

    person: str
    organisation: str | None = None
    role: str = ""


def announce(session: Session, event: Event, move: Move, now: datetime) -> Crossing:
    """Keep a move with its event. Raises UserError for an office that does not exist, or that they hold already."""
    comes = move.organisation is not None
    if comes and move.role not in ROLES:
        raise UserError("crossing_post.role", roles=tuple(ROLES))
    unknown = comes and session.get(Organisation, move.organisation) is None
    if unknown or session.get(Person, move.person) is None:
        raise UserError("crossing_post.unknown")
    day = event.starts.date()
    held = session.scalars(_held(move.person, day)).all()
    if any((it.organisation, it.role) == (move.organisation, move.role) for it in held):
        raise UserError("crossing_post.already")
    others = select(Crossing).join(Event, Event.id == Crossing.event)
    if session.scalar(others.where(Crossing.person == move.person, Event.state != "cancelled", Event.ends > now)):
        raise UserError("crossing_post.twice")
    latest = max(held, key=lambda it: it.start, default=None)
    if latest is None and not comes:
        raise UserError("crossing_post.no_office")
    left, had = (latest.organisation, latest.role) if latest is not None else (None, "")
    role = move.role if comes else had
    row = Crossing(event=event.id, person=move.person, organisation=move.organisation, role=role, left=left)
    session.add(row)
    session.flush()
    return row


def settle(session: Session, event: Event, row: Crossing, author: Author) -> bool:
    """Let the postings be what the event says: begun on its day, or not at all; return whether any changed.

    What was so before is put back where the event was cancelled or moved.
    """
    wanted = None if event.state == "cancelled" or event.kind != "posting" else event.starts.date()
    if row.starts == wanted:
        return False
    if row.starts is not None:
        _undo(session, row, author)
    if wanted is not None:
        held = session.scalars(_held(row.person, wanted)).all()
        row.ended = json.dumps([[it.organisation, it.role, str(it.start), it.end and str(it.end)] for it in held])
        for it in held:
            _end(session, it, wanted - _DAY, author)
        if row.organisation is not None:
            added = Posting(person=row.person, organisation=row.organisation, role=row.role, start=wanted)
            session.add(added)
            session.flush()
            _record(session, author, added, None, {"end": None})
    row.starts = wanted
    session.flush()
    return True


def end_duties(session: Session, row: Crossing, author: Author) -> int:
    """Take somebody off the rota of the office that they left; return how many duties ended."""
    if row.left is None or row.starts is None or row.left == row.organisation:
        return 0
    duties = select(Duty).where(Duty.person == row.person, Duty.organisation == row.left, Duty.end >= row.starts)
    rows = session.scalars(duties).all()
    for duty in rows:
        key = {"organisation": duty.organisation, "person": duty.person, "start": duty.start}
        end = row.starts - _DAY
        record(session, author, DUTIES, key, {"end": duty.end}, {"end": end})
        if duty.start > end:
            session.delete(duty)
        else:
            duty.end = end
    session.flush()
    return len(rows)


def _undo(session: Session, row: Crossing, author: Author) -> None:
    """Take the posting back that was entered, and let those go on that ended for it."""
    day = row.starts
    if day is None:
        return
    key = (row.person, row.organisation, row.role, day)
    entered = session.get(Posting, key) if row.organisation is not None else None
    if entered is not None:
        _record(session, author, entered, {"end": entered.end}, {"end": day - _DAY})
        session.delete(entered)
    for organisation, role, start, end in json.loads(row.ended):
        held = session.get(Posting, (row.person, organisation, role, date.fromisoformat(start)))
        if held is not None:
            _end(session, held, date.fromisoformat(end) if end else None, author)
    session.flush()


def _held(person: str, day: date) -> Select[Posting]:
    """Select the postings that somebody has held before a day, and would still hold on it."""
    return select(Posting).where(
        Posting.person == person, Posting.start < day, or_(Posting.end.is_(None), Posting.end >= day)
    )


def _end(session: Session, held: Posting, end: date | None, author: Author) -> None:
    before = held.end
    held.end = end
    session.flush()
    _record(session, author, held, {"end": before}, {"end": end})


def _record(
    session: Session,
    author: Author,
    held: Posting,
    before: dict[str, date | None] | None,
    after: dict[str, date | None],
) -> None:
    key = {"person": held.person, "organisation": held.organisation, "role": held.role, "start": held.start}
    record(session, author, POSTINGS, key, before, after if before is not None else {**key, **after})
