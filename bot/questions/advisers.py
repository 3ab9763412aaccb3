"""The diplomatic advisers of the regional prefects: whether each region has one, now and soon, and their load."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from bot.directory.snapshot import Org, Snapshot
from bot.directory.tables import Absence, Person, Posting
from bot.questions.figures import Fact, facts
from bot.questions.moves import PENDING
from bot.questions.tables import Move, Question

ROLE: Final = "cdpr"
AHEAD: Final = timedelta(days=90)  # how early a hole is seen


@dataclass(frozen=True, slots=True)
class Adviser:
    """Who holds the office on a day; `away_until` is the last day of an absence, `stand_in` who replaces them."""

    person: str
    name: str
    away: bool
    away_until: date | None
    stand_in: str | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """A region: its advisers, the first day within `AHEAD` on which nobody holds the office, and what lies there."""

    region: str
    name: str
    advisers: tuple[Adviser, ...]
    hole: date | None
    pending: int
    late: int

    @property
    def reached(self) -> bool:
        """Whether somebody answers today: an adviser at work, or a stand-in."""
        return any(not adviser.away or adviser.stand_in for adviser in self.advisers)


def regions(directory: Snapshot) -> Mapping[str, Org]:
    """Return the regions, by id: each has its diplomatic adviser."""
    return {id_: org for id_, org in directory.organisations.items() if org.kind == "region" and org.status == "open"}


def coverage(session: Session, directory: Snapshot, today: date, now: datetime) -> list[Coverage]:
    """Return how every region is covered: those with a hole first, then those where nobody is at work, then by name."""
    held: dict[str, list[Posting]] = {}
    for posting in session.scalars(select(Posting).where(Posting.role == ROLE)):
        held.setdefault(posting.organisation, []).append(posting)
    load = _load(session, now)
    found: list[Coverage] = []
    for region in sorted(regions(directory).values(), key=lambda it: it.name):
        postings = held.get(region.id, [])
        now_held = [it for it in postings if it.start <= today and (it.end is None or it.end >= today)]
        pending, late = load.get(region.id, (0, 0))
        advisers = tuple(_adviser(session, posting.person, today) for posting in now_held)
        found.append(Coverage(region.id, region.name, advisers, hole(postings, today), pending, late))
    return sorted(found, key=lambda it: (it.hole or date.max, it.reached, it.name))


def hole(postings: Sequence[Posting], today: date) -> date | None:
    """Return the first day from today on, within `AHEAD`, that no posting covers; None when there is none."""
    day = today
    for posting in sorted(postings, key=lambda it: it.start):
        if posting.start > day:
            break
        if posting.end is None:
            return None
        day = max(day, posting.end + timedelta(days=1))
    return day if day <= today + AHEAD else None


def work(
    session: Session, directory: Snapshot, region: str, year: int, now: datetime, *, zone: str = "Europe/Paris"
) -> tuple[list[Fact], int]:
    """Return the facts of a year's questions for a region's adviser, and how many others its people moved.

    They are those that were addressed to the region, and those of others that it took, answered or passed on.
    """
    start, end = date(year, 1, 1), date(year, 12, 31)
    own = [fact for fact in facts(session, directory, start, end, now, zone=zone, of=region) if fact.post == region]
    helped = (
        select(func.count(func.distinct(Move.question_id)))
        .join(Question, Question.id == Move.question_id)
        .where(Move.organisation == region, Move.kind.in_(("take", "answer", "redirect", "ask_back")))
        .where(or_(Question.recipient.is_(None), Question.recipient != region))
        .where(
            Move.at >= datetime(year, 1, 1, tzinfo=now.tzinfo), Move.at < datetime(year + 1, 1, 1, tzinfo=now.tzinfo)
        )
    )
    return own, session.scalar(helped) or 0


def held_in(session: Session, region: str, year: int) -> list[tuple[str, date, date | None]]:
    """Return who held a region's office in a year, by name, with the first and last days."""
    postings = select(Posting).where(
        Posting.role == ROLE,
        Posting.organisation == region,
        Posting.start <= date(year, 12, 31),
        or_(Posting.end.is_(None), Posting.end >= date(year, 1, 1)),
    )
    rows = session.scalars(postings.order_by(Posting.start))
    return [(_name(session, posting.person), posting.start, posting.end) for posting in rows]


def _load(session: Session, now: datetime) -> dict[str, tuple[int, int]]:
    """Return how many questions wait in each organisation's room, and how many of them are late."""
    late = func.sum(case((Question.due_at < now, 1), else_=0))
    rows = session.execute(
        select(Question.placed_with, func.count(), late)
        .where(Question.state.in_(PENDING), Question.placed_with.is_not(None))
        .group_by(Question.placed_with)
    )
    return {str(row[0]): (int(row[1]), int(row[2] or 0)) for row in rows}


def _adviser(session: Session, person: str, today: date) -> Adviser:
    absence = next(_absences(session, person, today), None)
    stand_in = absence.stand_in if absence is not None else None
    away_until = absence.end if absence is not None else None
    name = _name(session, stand_in) if stand_in else None
    return Adviser(person, _name(session, person), absence is not None, away_until, name)


def _absences(session: Session, person: str, today: date) -> Iterator[Absence]:
    away = select(Absence).where(
        Absence.person == person, Absence.start <= today, or_(Absence.end.is_(None), Absence.end >= today)
    )
    return iter(session.scalars(away.order_by(Absence.start)))


def _name(session: Session, person: str) -> str:
    row = session.get(Person, person)
    return f"{row.given_name} {row.family_name}".strip() or person if row is not None else person
