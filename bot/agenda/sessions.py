"""Sessions of training as somebody sees them: the seats, their own request, and which of them close soon."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, orm, select

from bot.agenda import seats
from bot.agenda.seats import LIVE, Enrolment, Training
from bot.agenda.tables import Event
from bot.directory.days import local_day, postings_held
from bot.directory.identity import Actor
from bot.directory.snapshot import Snapshot

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Session:
    """A session with what is asked and given; `training` is None where anybody may simply come."""

    event: Event
    training: Training | None
    counts: Mapping[str, int]
    own: Enrolment | None = None

    @property
    def free(self) -> int | None:
        """How many seats are free; None where there is no limit."""
        if self.training is None or self.training.seats is None:
            return None
        return max(0, self.training.seats - self.counts.get("seat", 0))

    @property
    def mine(self) -> str | None:
        """How the reader's own request stands; None where there is none that counts."""
        return self.own.state if self.own is not None and self.own.state in LIVE else None

    def last_day(self, zone: str) -> date | None:
        """Return the last day of enrolment for somebody in a zone; None where it is open until the session begins."""
        if self.training is None or self.training.closes_at is None:
            return None
        return local_day(zone, seats.closes(self.event, self.training) - _INSTANT)

    def is_open(self, now: datetime) -> bool:
        """Whether a seat can be asked for."""
        if self.training is None or self.event.state == "cancelled":
            return False
        return seats.closes(self.event, self.training) > now


def of(session: orm.Session, events: Collection[Event], person: str | None) -> Mapping[int, Session]:
    """Return the sessions among some events, by the event's id, with what a person has asked for."""
    found = {event.id: event for event in events if event.kind == "training"}
    if not found:
        return {}
    rows = {it.event: it for it in session.scalars(select(Training).where(Training.event.in_(found)))}
    groups = (
        select(Enrolment.event, Enrolment.state, func.count())
        .where(Enrolment.event.in_(found))
        .group_by(Enrolment.event, Enrolment.state)
    )
    counts: dict[int, dict[str, int]] = {}
    for id_, state, count in session.execute(groups):
        counts.setdefault(id_, {})[state] = count
    mine = select(Enrolment).where(Enrolment.event.in_(found), Enrolment.person == person)
    own = {it.event: it for it in session.scalars(mine)} if person is not None else {}
    return {id_: Session(event, rows.get(id_), counts.get(id_, {}), own.get(id_)) for id_, event in found.items()}


def fits(session: orm.Session, actor: Actor, directory: Snapshot, it: Training | None, now: datetime) -> bool:
    """Whether a session is open to the ministry of somebody, as the directory has it."""
    if it is None or not it.ministries:
        return True
    held = postings_held(session, actor.person, now) if actor.person is not None else ()
    roles = {posting.role for posting, _ in held if posting.organisation == actor.organisation}
    return seats.ministry_of(actor.organisation, roles, directory) in it.ministries.split()
