"""What can happen to a question, and who may make it happen. Each move changes the row and writes its history."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from bot.db import insert_into
from bot.directory.identity import Actor
from bot.directory.rights import has
from bot.errors import UserError
from bot.questions.tables import Counter, Move, Question

Kind = Literal["take", "answer", "add", "redirect", "close", "reopen", "cancel"]
Side = Literal["asker", "recipient"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A move: from which states, to which (None: it stays), and which sides may make it."""

    before: tuple[str, ...]
    after: str | None
    sides: tuple[Side, ...]


RULES: Mapping[Kind, Rule] = {
    "take": Rule(("routed", "taken"), "taken", ("recipient",)),
    "answer": Rule(("routed", "taken", "answered"), "answered", ("recipient",)),
    "add": Rule(("routed", "taken", "answered"), None, ("asker",)),
    "redirect": Rule(("asked_back", "routed", "taken", "answered"), "routed", ("asker", "recipient")),
    "close": Rule(("asked_back", "routed", "taken", "answered"), "closed", ("asker", "recipient")),
    "reopen": Rule(("closed", "cancelled", "answered"), "routed", ("asker", "recipient")),
    "cancel": Rule(("asked_back", "routed", "taken"), "cancelled", ("asker",)),
}


def sides_of(actor: Actor, question: Question) -> set[Side]:
    """Return the sides an actor is on: who asked, or for whom they asked; where it lies or belongs.

    A coordinator stands on both.
    """
    sides: set[Side] = set()
    account = actor.user.id if actor.user else None
    own = actor.organisation
    if account == question.asker_account or (actor.person and actor.person == question.asker_person):
        sides.add("asker")
    if own and own == question.asker_organisation:
        sides.add("asker")
    if own and own in (question.placed_with, question.recipient):
        sides.add("recipient")
    if has(actor.rights, "coordinator"):
        sides |= {"asker", "recipient"}
    return sides


def check(kind: Kind, actor: Actor, question: Question) -> None:
    """Raise UserError when this actor may not make this move now."""
    rule = RULES[kind]
    if not sides_of(actor, question) & set(rule.sides):
        raise UserError("question.not_yours", number=question.number)
    if question.state not in rule.before:
        raise UserError(f"question.state.{question.state}.refuses", number=question.number)


def make(session: Session, kind: Kind, actor: Actor, question: Question, now: datetime, detail: str = "") -> None:
    """Make a move after checking it."""
    check(kind, actor, question)
    after = RULES[kind].after
    if after is not None:
        question.state = after
    write(session, kind, actor, question, now, detail)


def write(session: Session, kind: str, actor: Actor, question: Question, now: datetime, detail: str = "") -> None:
    """Write a line of a question's history."""
    session.add(
        Move(
            question_id=question.id,
            at=now,
            kind=kind,
            account=actor.user.id if actor.user else None,
            person=actor.person,
            organisation=actor.organisation,
            detail=detail[:200] or None,
        )
    )


def next_number(session: Session, now: datetime) -> str:
    """Return a number never given before: consecutive within the year, in UTC."""
    first = insert_into(session, Counter).values(year=now.year, last=1)
    more = first.on_conflict_do_update(index_elements=["year"], set_={"last": Counter.last + 1})
    last = session.scalars(more.returning(Counter.last)).one()
    return f"Q-{now.year}-{last:05d}"
