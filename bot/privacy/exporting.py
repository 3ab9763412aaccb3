"""What is kept of a person, given to them: each kind of thing by its name, in words or as JSON. Of others only ids."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bot.audit.tables import Alias, Entry
from bot.db import Base
from bot.directory.history import Change
from bot.privacy import kept, words
from bot.privacy.traces import gather
from bot.questions.tables import Move, Question

Section = Sequence[Mapping[str, Any]]


def export(session: Session, person: str) -> Mapping[str, Section]:
    """Return all that is kept of a person, by kind. Raises UserError where there is no such person."""
    traces = gather(session, person)
    its = words.said(session, traces)
    numbers: dict[int, str] = {row.id: row.number for row in session.execute(select(Question.id, Question.number))}
    moved = select(Move).where(or_(Move.person == person, Move.account.in_(traces.accounts))).order_by(Move.id)
    rows = {kind.name: _all(session, kind.table, kind.about(kept.called(traces))) for kind in kept.ROWS}
    return {
        **rows,
        "accounts": [{"account": account} for account in sorted(traces.accounts)],
        "questions": [
            {"number": it.number, "asked_at": it.asked_at.isoformat(), "state": it.state, "text": it.text}
            for it in its.asked
        ],
        "words": [
            {"question": numbers[it.question_id], "at": it.at.isoformat(), "side": it.side, "text": it.text}
            for it in its.passages
        ],
        "moves": [
            {"question": numbers[it.question_id], "at": it.at.isoformat(), "move": it.kind, "reason": it.reason}
            for it in session.scalars(moved)
        ],
        "messages": [{"platform": it.platform, "room": it.room, "at": it.at.isoformat()} for it in its.posts],
        "changes": _all(session, Change, or_(Change.row == person, Change.row.startswith(f"{person} "))),
        "audit": _acts(session, [f"person:{person}", *(f"account:{id_}" for id_ in traces.ids)]),
    }


def _all(session: Session, table: type[Base], whose: Any) -> Section:
    rows = session.scalars(select(table).where(whose)).all()
    names = [column.name for column in table.__table__.columns]
    return [{name: _plain(getattr(row, name)) for name in names} for row in rows]


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date | datetime) else value


def _acts(session: Session, names: Sequence[str]) -> Section:
    aliases = select(Alias.alias).where(Alias.name.in_(names))
    acts = session.scalars(select(Entry).where(Entry.actor.in_(aliases)).order_by(Entry.id))
    return [{"at": act.at.isoformat(), "action": act.action} for act in acts]
