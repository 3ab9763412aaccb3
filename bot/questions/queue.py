"""The questions under way, as somebody may see them: their own, their post's, the late ones; a page at a time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, false, func, select, union
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
    visible = _visible(actor, account, scope, _limits(scope, now, topics))
    count = session.scalar(select(func.count()).select_from(visible.subquery())) or 0
    if not count:
        return Page((), 1, 1, 0)
    pages = max(1, -(-count // PAGE))
    number = min(max(1, number), pages)
    ids = visible.subquery()
    found = session.scalars(
        select(Question)
        .join(ids, ids.c.id == Question.id)
        .order_by(Question.urgent.desc(), func.coalesce(Question.due_at, Question.asked_at), Question.id)
        .offset((number - 1) * PAGE)
        .limit(PAGE)
    )
    return Page(found.all(), number, pages, count)


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
    visible = _visible(actor, account, within, _limits("late", now, topics))
    return session.scalar(select(func.count()).select_from(visible.subquery())) or 0


def _limits(scope: Scope, now: datetime, topics: Collection[str]) -> list[ColumnElement[bool]]:
    about = [Question.topic.in_(topics)] if topics else []
    if scope == "late":
        return [Question.state.in_(PENDING), Question.due_at < now, *about]
    return [Question.state.in_(OPEN), *about]


def _visible(actor: Actor, account: str, scope: Scope, wanted: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """Return the ids of what somebody may see: a union, since each part has an index of its own."""
    if scope in ("late", "all") and may(actor.rights, "queue.see"):
        return select(Question.id).where(*wanted)
    own: list[ColumnElement[bool]] = []
    if scope != "post":
        own.append(Question.asker_account == account)
        own.append(Question.taken_person == actor.person if actor.person else false())
    if scope != "mine" and actor.organisation:
        own += [
            column == actor.organisation
            for column in (Question.asker_organisation, Question.placed_with, Question.recipient)
        ]
    if not own:
        return select(Question.id).where(false())
    return select(union(*(select(Question.id).where(part, *wanted) for part in own)).subquery().c.id)
