"""What lies ahead, kept in memory for digests, of which many are due at once; reloaded when any process changed it."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import bindparam, event, func, or_, select
from sqlalchemy.orm import Session, object_session

from bot import jobs
from bot.agenda import rights
from bot.agenda.finding import Known, Window, names
from bot.agenda.seats import Training
from bot.agenda.tables import Event
from bot.db import insert_into
from bot.directory.current import Stamp
from bot.directory.identity import Actor

DAYS = 92  # that are kept, from today wherever that is
_NAME = "agenda"  # of the stamp
_CHANGED = "agenda changed"
_KEPT = (Event, Training)
_DAY = timedelta(days=1)
_ASKED_FOR = frozenset({"training", "deadline"})  # kinds of which the end of an enrolment is one


@dataclass(frozen=True, slots=True)
class Ahead:
    """The events of some days in the order in which they begin; nothing in it may be changed."""

    events: Sequence[Known]
    closing: Sequence[tuple[datetime, Known]]  # the sessions whose enrolment ends on these days, with that instant
    newest: int  # the highest id of all events

    def ending(self, actor: Actor, asked: Window) -> list[Event]:
        """Return the sessions that somebody may see, and is asked for, whose enrolment ends within some days."""
        if asked.kinds and _ASKED_FOR.isdisjoint(asked.kinds):
            return []
        since = datetime.combine(asked.first, time(), UTC) - _DAY  # whichever zone's days these are
        until = datetime.combine(asked.last, time(), UTC) + 3 * _DAY
        soon = (known for closes, known in self.closing if since < closes < until)
        return rights.seen(actor, [it.event for it in soon if asked.around.holds(it.named)])


class Lookahead:
    """What lies ahead as it is now. To ask whether it is so still costs one row."""

    def __init__(self) -> None:
        self._held: tuple[tuple[int, datetime], Ahead] | None = None

    def get(self, session: Session, now: datetime) -> Ahead:
        """Return what lies ahead as this transaction sees it."""
        today = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
        if _changes(session):  # what is not committed yet may never be
            return _load(session, today)
        stamp = session.connection().scalar(_STAMP) or 0
        held = self._held  # read once: threads share it
        if held is not None and held[0] == (stamp, today):
            return held[1]
        found = _load(session, today)
        self._held = ((stamp, today), found)
        return found


_STAMP = select(Stamp.value).where(Stamp.name == _NAME)


def _load(session: Session, today: datetime) -> Ahead:
    since, until = today - 3 * _DAY, today + (DAYS + 4) * _DAY
    ends = {row.event: row.closes_at for row in session.execute(_ENDS, {"since": since, "until": until})}
    near = (Event.starts < until) & (Event.ends >= since)
    rows = session.execute(select(*Event.__table__.c).where(or_(near, Event.id.in_(ends))).order_by(Event.starts))
    known = [_known(Event(**row)) for row in rows.mappings()]  # of no session: they outlive it
    closing = [(ends[it.event.id], it) for it in known if it.event.id in ends and it.event.state != "cancelled"]
    closing.sort(key=lambda pair: pair[1].event.id)
    return Ahead(known, closing, session.scalar(select(func.max(Event.id))) or 0)


def _known(it: Event) -> Known:
    return Known(it.starts, it.ends, names(it.countries, it.territories, it.bodies, it.organisers), it)


_ENDS = select(Training.event, Training.closes_at).where(
    Training.closes_at > bindparam("since"), Training.closes_at < bindparam("until")
)


def _changes(session: Session) -> bool:
    """Say whether a transaction changes what is kept."""
    session.flush()
    return _CHANGED in session.info


def _notice(_mapper: object, _connection: object, row: Event | Training) -> None:
    session = object_session(row)
    if session is not None:
        session.info[_CHANGED] = True


def _touch(session: Session) -> None:
    """Let every process notice, in the transaction that changes something; last of all, so that none waits long."""
    if session.in_nested_transaction() or not _changes(session):
        return
    jobs.write(session)  # lanes are locked before
    session.info.pop(_CHANGED, None)
    fresh = secrets.randbits(62)  # no number that was undone comes again
    row = insert_into(session, Stamp).values(name=_NAME, value=fresh)
    session.connection().execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": fresh}))


# A statement that changes rows past the session is not seen: the only ones forget who entered an event, which no
# digest says.
for _table in _KEPT:
    for _moment in ("after_insert", "after_update", "after_delete"):
        event.listen(_table, _moment, _notice)
event.listen(Session, "before_commit", _touch)
