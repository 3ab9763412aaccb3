"""The questions under way, as somebody may see them: their own, their post's, the late ones; a page at a time."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, bindparam, false, func, select, union
from sqlalchemy.orm import Session

from bot.directory.identity import Actor
from bot.questions.moves import OPEN, PENDING
from bot.questions.tables import Question
from bot.rights import may

PAGE = 6  # questions shown at once: with what pages and filters, no more buttons than have numbers

Scope = Literal["mine", "post", "late", "all"]


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the questions that were asked for: which page of how many, and how many questions in all."""

    questions: Sequence[Question]
    number: int
    pages: int
    count: int


def page(
    session: Session,
    actor: Actor,
    account: str,
    scope: Scope,
    now: datetime,
    *,
    number: int = 1,
    topics: Collection[str] = (),
) -> Page:
    """Return a page of the open questions that an actor may see: the most pressing first, then the oldest.

    `mine` are those they asked or took, `post` those that lie with or come from their organisation, `late` and `all`
    are both together; coordinators see the whole network's in these.
    """
    visible, count = _visible(_parts(actor, scope), scope, frozenset(topics))
    values = _values(actor, account, now)
    counted = session.connection().scalar(count, values) or 0
    if not counted:
        return Page((), 1, 1, 0)
    pages = max(1, -(-counted // PAGE))
    number = min(max(1, number), pages)
    ids = visible.subquery()
    found = session.scalars(
        select(Question)
        .join(ids, ids.c.id == Question.id)
        .order_by(Question.urgent.desc(), func.coalesce(Question.due_at, Question.asked_at), Question.id)
        .offset((number - 1) * PAGE)
        .limit(PAGE),
        values,
    )
    return Page(found.all(), number, pages, counted)


def late(
    session: Session,
    actor: Actor,
    account: str,
    now: datetime,
    *,
    within: Scope = "late",
    topics: Collection[str] = (),
) -> int:
    """Return how many of the questions that an actor may see are late, among those of a scope and of some topics."""
    _, count = _visible(_parts(actor, within), "late", frozenset(topics))
    return session.connection().scalar(count, _values(actor, account, now)) or 0


def _parts(actor: Actor, scope: Scope) -> tuple[str, ...] | None:
    """Return by which columns somebody sees a question; None: they see all."""
    if scope in ("late", "all") and may(actor.rights, "queue.see"):
        return None
    own = () if scope == "post" else ("asker_account", *(["taken_person"] if actor.person else []))
    post = ("asker_organisation", "placed_with", "recipient") if scope != "mine" and actor.organisation else ()
    return *own, *post


def _values(actor: Actor, account: str, now: datetime) -> Mapping[str, object]:
    return {"account": account, "person": actor.person, "organisation": actor.organisation, "now": now}


_VALUE = {"asker_account": "account", "taken_person": "person"}  # of the others: the organisation


def _is(column: str) -> ColumnElement[bool]:
    return getattr(Question, column) == bindparam(_VALUE.get(column, "organisation"))


@lru_cache(maxsize=256)
def _visible(parts: tuple[str, ...] | None, limit: Scope, topics: frozenset[str]) -> tuple[Select[Any], Select[Any]]:
    """Return the ids of what somebody sees, and their count: a union, since each part has an index of its own.

    Made once for what is asked alike: to make a statement anew costs more than to execute it.
    """
    about = [Question.topic.in_(sorted(topics))] if topics else []
    wanted: list[ColumnElement[bool]] = [Question.state.in_(OPEN), *about]
    if limit == "late":
        wanted = [Question.state.in_(PENDING), Question.due_at < bindparam("now"), *about]
    if parts is None:
        ids = select(Question.id).where(*wanted)
    elif not parts:
        ids = select(Question.id).where(false())
    else:
        each = (select(Question.id).where(_is(part), *wanted) for part in parts)
        ids = select(union(*each).subquery().c.id)
    return ids, select(func.count()).select_from(ids.subquery())
