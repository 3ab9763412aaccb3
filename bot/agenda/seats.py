"""Training: sessions with seats, open to some ministries and corps, and who has a place or waits for one.

The agreement of 25 August 2015, point 3: each ministry opens its training to the other's officials. A session is an
event; its seats are given in the order of the requests, under the lock of the event, so that each is given once.
"""

import csv
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.resources.abc import Traversable
from typing import Final, Literal, TypeAlias

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.agenda.tables import Event, Participation
from bot.db import Base, Instant
from bot.directory.files import LAND
from bot.directory.snapshot import Snapshot
from bot.directory.tables import ID
from bot.errors import UserError

MINISTRIES: Final[Mapping[str, str]] = {"interieur": "ministere-interieur", "meae": "ministere-meae"}
MOST: Final = 2_000  # seats

State: TypeAlias = Literal["asked", "seat", "waiting", "left", "refused", "lapsed"]
LIVE: Final = ("asked", "seat", "waiting")

_OFFICES: Final[Mapping[str, str]] = {  # a diplomat beside a prefect, a police officer in an embassy
    "cdpr": "meae",
    "asi": "interieur",
    "prefect": "interieur",
    **dict.fromkeys(("ambassador", "consul", "frontier_ambassador", "regional_ambassador"), "meae"),
}
_KINDS: Final[Mapping[str, str]] = {
    **dict.fromkeys((*LAND, "sous_prefecture", "police_prefecture", "ccpd"), "interieur"),
    **dict.fromkeys("embassy consulate_general consulate honorary_consulate representation".split(), "meae"),
}


class Training(Base):
    """What is known of a session beside its event."""

    __tablename__ = "training"

    event: Mapped[int] = mapped_column(ForeignKey("event.id"), primary_key=True, autoincrement=False)
    seats: Mapped[int | None]  # NULL: as many as come
    closes_at: Mapped[datetime | None] = mapped_column(Instant)  # enrolment ends; NULL: when it begins
    ministries: Mapped[str] = mapped_column(String(50), default="")  # that it is open to; empty: all
    corps: Mapped[str] = mapped_column(String(300), default="")  # that it is open to; empty: all
    approval: Mapped[bool] = mapped_column(default=False)  # the superior confirms each request
    closed: Mapped[bool] = mapped_column(default=False)  # who organises it was given the list
    asked: Mapped[bool] = mapped_column(default=False)  # who organises it was asked who was there


class Enrolment(Base):
    """Somebody's request for a seat. Requests are served by `place`."""

    __tablename__ = "enrolment"
    __table_args__ = (UniqueConstraint("event", "person"), Index("ix_enrolment_state", "event", "state"))

    id: Mapped[int] = mapped_column(primary_key=True)
    event: Mapped[int] = mapped_column(ForeignKey("event.id"))
    person: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    organisation: Mapped[str | None] = mapped_column(String(ID))
    corps: Mapped[str] = mapped_column(String(40), default="")  # as they said
    place: Mapped[int]
    state: Mapped[str] = mapped_column(String(10))
    told: Mapped[str] = mapped_column(String(10), default="")  # the state that they were last told
    informed: Mapped[str] = mapped_column(String(300), default="")  # the event as they were last told
    turned_to: Mapped[int] = mapped_column(default=0)  # times the superior was asked
    superior: Mapped[str | None] = mapped_column(String(ID))  # who approved or refused
    attended: Mapped[bool | None]
    at: Mapped[datetime] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class Corps:
    """A corps or function of officials, and the ministry whose it is; empty for both."""

    id: str
    ministry: str
    fr: str
    en: str


@lru_cache(maxsize=4)
def load_corps(folder: Traversable) -> Mapping[str, Corps]:
    """Read `corps.csv`, by id in its order."""
    with (folder / "corps.csv").open(encoding="utf-8") as file:
        rows = [Corps(row["id"], row["ministry"], row["fr"], row["en"]) for row in csv.DictReader(file)]
    return {row.id: row for row in rows}


def ministry_of(organisation: str | None, roles: Collection[str], directory: Snapshot) -> str:
    """Return the ministry of somebody who holds offices at an organisation; empty where it is neither's."""
    for role in sorted(roles):
        if role in _OFFICES:
            return _OFFICES[role]
    by_id = {id_: name for name, id_ in MINISTRIES.items()}
    seen: set[str] = set()
    at = directory.organisations.get(organisation or "")
    while at is not None and at.id not in seen:
        if at.id in by_id:
            return by_id[at.id]
        if at.kind in _KINDS:
            return _KINDS[at.kind]
        seen.add(at.id)
        at = directory.organisations.get(at.parent or "")
    return ""


def closes(event: Event, training: Training) -> datetime:
    """Return when enrolment ends."""
    begins = event.when.begins(event.zone)
    return begins if training.closes_at is None else min(training.closes_at, begins)


def of(session: Session, event: int) -> Sequence[Enrolment]:
    """Return all requests for a session, in their order."""
    return session.scalars(select(Enrolment).where(Enrolment.event == event).order_by(Enrolment.place)).all()


def find(session: Session, event: int, person: str | None) -> Enrolment | None:
    """Return somebody's request, None where there is none."""
    return session.scalar(select(Enrolment).where(Enrolment.event == event, Enrolment.person == person))


def enrol(
    session: Session,
    event: Event,
    training: Training,
    person: str,
    now: datetime,
    *,
    organisation: str | None,
    corps: str = "",
    approved: bool = False,
) -> Enrolment:
    """Request a seat: it is given, or waited for, at once, or once the superior has approved where that is asked.

    The event's row is locked. Raises UserError where enrolment is over, and for who is enrolled already.
    """
    if event.state == "cancelled":
        raise UserError("agenda.is_cancelled", number=event.number)
    if closes(event, training) <= now:
        raise UserError("training.closed", number=event.number, at=closes(event, training))
    row = find(session, event.id, person)
    if row is not None and row.state in (*LIVE, "refused"):
        raise UserError(f"training.already.{row.state}", number=event.number)
    last = session.scalar(select(func.max(Enrolment.place)).where(Enrolment.event == event.id))
    if row is None:
        row = Enrolment(event=event.id, person=person, informed="", told="", turned_to=0)
        session.add(row)
    row.organisation, row.corps, row.place, row.at = organisation, corps, (last or 0) + 1, now
    row.state = "asked" if training.approval and not approved else "waiting"
    row.told, row.turned_to, row.superior, row.attended = "", 0, None, None
    session.flush()
    settle(session, event, training, now)
    return row


def leave(session: Session, event: Event, training: Training, row: Enrolment, now: datetime) -> None:
    """Give a seat or a request back: who waits moves up. Raises UserError for who has none, or once it has begun."""
    if row.state not in LIVE:
        raise UserError("training.not_enrolled", number=event.number)
    if event.when.begins(event.zone) <= now:
        raise UserError("agenda.is_over", number=event.number)
    _become(session, row, "left", now)
    settle(session, event, training, now)


def decide(
    session: Session, event: Event, training: Training, row: Enrolment, by: str | None, now: datetime, *, yes: bool
) -> None:
    """Approve or refuse a request. Raises UserError for one that waits for no approval."""
    if row.state != "asked":
        raise UserError("training.decided", number=event.number)
    row.superior = by
    _become(session, row, "waiting" if yes else "refused", now)
    settle(session, event, training, now)


def lapse(session: Session, event: Event, training: Training, now: datetime) -> None:
    """Let requests lapse that nobody has approved when enrolment ends."""
    for row in of(session, event.id):
        if row.state == "asked":
            _become(session, row, "lapsed", now)
    settle(session, event, training, now)


def settle(session: Session, event: Event, training: Training, now: datetime) -> Sequence[Enrolment]:
    """Give the free seats to those who wait, in their order, until it begins; return who was given one."""
    session.flush()
    if event.when.begins(event.zone) <= now or event.state == "cancelled":
        return ()
    taken = select(func.count()).where(Enrolment.event == event.id, Enrolment.state == "seat")
    free = MOST if training.seats is None else max(0, training.seats - (session.scalar(taken) or 0))
    waiting = select(Enrolment).where(Enrolment.event == event.id, Enrolment.state == "waiting")
    given = session.scalars(waiting.order_by(Enrolment.place).limit(free)).all()
    for row in given:
        _become(session, row, "seat", now)
    session.flush()
    return given


def counts(session: Session, event: int) -> Mapping[str, int]:
    """Return how many requests are in each state."""
    found = select(Enrolment.state, func.count()).where(Enrolment.event == event).group_by(Enrolment.state)
    return {state: count for state, count in session.execute(found)}  # noqa: C416 - a row is no pair to the types


def _become(session: Session, row: Enrolment, state: State, now: datetime) -> None:
    """Enter a state. Who has a seat takes part in the event, for its reminders and for whoever organises it."""
    had = row.state == "seat"
    row.state = state
    if state != "seat" and not had:
        return
    answer = "yes" if state == "seat" else "no"
    known = session.get(Participation, (row.event, row.person))
    if known is None:
        known = Participation(event=row.event, who=row.person, person=row.person)
        session.add(known)
    known.organisation, known.answer, known.stand_in, known.at = row.organisation, answer, None, now
