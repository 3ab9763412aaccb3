"""What is over is forgotten: each kind of thing after its own period, as `config/retention.toml` has it, every night.

A night's work is done in small transactions: no one waits long for it. What was deleted stands in the audit, by number.
"""

import functools
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources.abc import Traversable
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, update
from sqlalchemy.orm import Session

from bot import due
from bot.agenda.associates import Associate, Visit
from bot.agenda.crossings import Crossing
from bot.agenda.seats import Enrolment
from bot.agenda.tables import Event, Participation, Publication
from bot.audit.recording import CLOCK, record
from bot.audit.tables import Content, Entry
from bot.clockwork import Again, Kind, Ring
from bot.clockwork.mobility import title_of_office
from bot.context import Scope
from bot.db import Base
from bot.directory.history import Change
from bot.directory.proposals import OVER, Proposal
from bot.directory.tables import Absence, Duty, LinkCode, LinkTry, Posting, Right
from bot.errors import ConfigurationError
from bot.jobs import upkeep
from bot.jobs.tables import Job
from bot.posts import Post
from bot.privacy.erasing import erase
from bot.questions.moves import OPEN
from bot.questions.passages import Passage
from bot.questions.tables import Enclosed, Endpoint, Move, Question
from bot.receipts import Receipt

PURGE: Final = "purge"  # the kind of due things; their key is the kind of what is forgotten
AT_ONCE: Final = 200  # rows in a transaction
_BLIND: Final = {"synchronize_session": False}
_EVERY: Final = timedelta(days=1)
_SOON: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Period:
    """How long a kind of thing is kept, and by which right."""

    kept: timedelta
    why: str


def load(file: Traversable) -> Mapping[str, Period]:
    """Read the periods. Raises ConfigurationError unless there is one, of a day or more, for each kind and no other."""
    raw: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
    wrong = [*(set(_FORGET) - set(raw)), *(set(raw) - set(_FORGET))]
    wrong += [kind for kind, row in raw.items() if not _is_period(row)]
    if wrong:
        message = f"retention.toml: {', '.join(sorted(wrong))}: expected days (1 or more) and why, for each known kind"
        raise ConfigurationError(message)
    return {kind: Period(timedelta(days=row["days"]), row["why"]) for kind, row in raw.items()}


def _is_period(row: Any) -> bool:
    days, why = row.get("days"), row.get("why")
    return isinstance(days, int) and days > 0 and bool(why)


def kinds(periods: Mapping[str, Period]) -> Mapping[str, Kind]:
    """Return what the clockwork is to run."""
    return {PURGE: Kind(functools.partial(purge, periods))}


def begin(session: Session, now: datetime) -> None:
    """Let each kind be looked at, unless it is to be anyway."""
    for kind in _FORGET:
        due.ensure(session, PURGE, kind, now)


def purge(periods: Mapping[str, Period], ctx: Scope, ring: Ring) -> Again:
    """Forget some of a kind; again at once while there is more, else tomorrow."""
    gone = _FORGET[ring.key](ctx, ctx.now - periods[ring.key].kept)
    if gone:
        content = {"kind": ring.key, "rows": gone}
        record(ctx.session, ctx.now, "retention.purge", actor=CLOCK, content=content)
    return ctx.now + (_SOON if gone >= AT_ONCE else _EVERY)


def _questions(ctx: Scope, before: datetime) -> int:
    """Forget the words of questions that are over, and who dealt with them: figures and organisations stay."""
    session = ctx.session
    over = Question.state.not_in(OPEN), Question.closed_at < before, Question.asker_account != ""
    found = session.scalars(select(Question.id).where(*over).order_by(Question.id).limit(AT_ONCE)).all()
    if not found:
        return 0
    posts = select(Post.id).where(Post.question_id.in_(found))
    for table, whose in ((Passage, Passage.question_id.in_(found)), (Enclosed, Enclosed.question_id.in_(found))):
        _delete(session, table, whose)
    _delete(session, Endpoint, Endpoint.question_id.in_(found))
    _set(session, update(Post).where(Post.source_id.in_(posts)), source_id=None)
    _delete(session, Post, Post.question_id.in_(found))
    _set(session, update(Move).where(Move.question_id.in_(found)), reason=None, account=None, person=None)
    nobody = {"asker_account": "", "asker_person": None, "taken_by": None, "taken_person": None}
    _set(session, update(Question).where(Question.id.in_(found)), text="", because="[]", **nobody)
    return len(found)


def _messages(ctx: Scope, before: datetime) -> int:
    return _some(ctx.session, Post, Post.question_id.is_(None), Post.at < before, ~_copied())


def _copied() -> ColumnElement[bool]:
    copies = Post.__table__.alias()
    return select(copies.c.id).where(copies.c.source_id == Post.id).exists()


def _deliveries(ctx: Scope, before: datetime) -> int:
    return upkeep.forget(ctx.session, before)


def _failures(ctx: Scope, before: datetime) -> int:
    jobs = _some(ctx.session, Job, Job.state == "failed", Job.done_at < before)
    return jobs + _some(ctx.session, Receipt, Receipt.outcome == "failed", Receipt.at < before)


def _history(ctx: Scope, before: datetime) -> int:
    return _some(ctx.session, Change, Change.at < before)


def _absences(ctx: Scope, before: datetime) -> int:
    day = before.date()
    return _all(ctx.session, Absence, Absence.end < day) + _all(ctx.session, Duty, Duty.end < day)


def _participations(ctx: Scope, before: datetime) -> int:
    """Forget who came to events, and who entered them: these stay, as their organisations'."""
    gone = _all(ctx.session, Participation, Participation.event.in_(_ended(before)))
    named = or_(Event.person.is_not(None), Event.account.is_not(None))
    entered = select(Event.id).where(Event.ends < before, named).order_by(Event.id).limit(AT_ONCE)
    emptied = update(Event).where(Event.id.in_(entered)).values(person=None, account=None).returning(Event.id)
    return gone + len(ctx.session.execute(emptied, execution_options=_BLIND).all())


def _enrolments(ctx: Scope, before: datetime) -> int:
    return _some(ctx.session, Enrolment, Enrolment.event.in_(_ended(before)))


def _contributions(ctx: Scope, before: datetime) -> int:
    """Forget how visits were prepared: whom they associated, what these wrote. The visits stay in the agenda."""
    session = ctx.session
    over = select(Visit.event).where(Visit.event.in_(_ended(before))).order_by(Visit.event).limit(AT_ONCE)
    visits = session.scalars(over).all()
    _delete(session, Associate, Associate.event.in_(visits))
    _delete(session, Visit, Visit.event.in_(visits))
    return len(visits)


def _crossings(ctx: Scope, before: datetime) -> int:
    """Forget who moved: their event says from now on which office was taken up."""
    found = ctx.session.scalars(
        select(Crossing).where(Crossing.event.in_(_ended(before))).order_by(Crossing.event).limit(AT_ONCE)
    ).all()
    for row in found:
        event = ctx.session.get_one(Event, row.event)
        event.title, event.title_en = title_of_office(ctx, row.role, row.organisation, row.left)
        ctx.session.delete(row)
    ctx.session.flush()
    return len(found)


def _proposals(ctx: Scope, before: datetime) -> int:
    return _some(ctx.session, Proposal, Proposal.state.in_(OVER), Proposal.at < before)


def _feeds(ctx: Scope, before: datetime) -> int:
    return _all(ctx.session, Publication, func.coalesce(Publication.used_at, Publication.created_at) < before)


def _links(ctx: Scope, before: datetime) -> int:
    codes = _all(ctx.session, LinkCode, LinkCode.created_at < before)
    return codes + _all(ctx.session, LinkTry, LinkTry.at < before)


def _left(ctx: Scope, before: datetime) -> int:
    """Erase one of those who left; nobody who still has a right, or never had a posting."""
    held = or_(Posting.end.is_(None), Posting.end >= before.date())
    stays = select(Posting.person).where(held).union(select(Right.person))
    found = select(Posting.person).where(Posting.person.not_in(stays)).order_by(Posting.person).limit(1)
    person = ctx.session.scalar(found)
    if person is None:
        return 0
    erase(ctx, person, CLOCK)
    return AT_ONCE  # look for the next one at once


def _audit(ctx: Scope, before: datetime) -> int:
    old = select(Content.entry).join(Entry, Entry.id == Content.entry).where(Entry.at < before).limit(AT_ONCE)
    return _all(ctx.session, Content, Content.entry.in_(old))


_FORGET: Final[Mapping[str, Callable[[Scope, datetime], int]]] = {
    "questions": _questions,
    "messages": _messages,
    "deliveries": _deliveries,
    "failures": _failures,
    "history": _history,
    "absences": _absences,
    "participations": _participations,
    "enrolments": _enrolments,
    "contributions": _contributions,
    "crossings": _crossings,
    "proposals": _proposals,
    "feeds": _feeds,
    "links": _links,
    "left": _left,
    "audit": _audit,
}


def _ended(before: datetime) -> Select[int]:
    return select(Event.id).where(Event.ends < before)


def _some(session: Session, table: Any, *whose: ColumnElement[bool]) -> int:
    """Delete as many rows as fit in a transaction, of a table with an id."""
    found: Select[Any] = select(table.id).where(*whose).order_by(table.id).limit(AT_ONCE)
    return _all(session, table, table.id.in_(found))


def _all(session: Session, table: type[Base], *whose: ColumnElement[bool]) -> int:
    return len(session.execute(delete(table).where(*whose).returning(1), execution_options=_BLIND).all())


def _delete(session: Session, table: type[Base], *whose: ColumnElement[bool]) -> None:
    session.execute(delete(table).where(*whose), execution_options=_BLIND)


def _set(session: Session, statement: Any, **values: object) -> None:
    session.execute(statement.values(**values), execution_options=_BLIND)
