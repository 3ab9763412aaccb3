"""Who comes: yes, no, maybe, and who comes instead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot import due
from bot.agenda import rights
from bot.agenda.tables import Event, Participation
from bot.directory.identity import Actor
from bot.directory.tables import Person, Posting
from bot.errors import UserError
from bot.rights import Denied

REMIND = "attend"  # the kind of due things that reminds those who come to an event
ANSWERS = ("yes", "no", "maybe")
OFFERED = 8  # colleagues among whom a stand-in is chosen


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody answered, as organisers see it."""

    who: str
    person: str | None
    organisation: str | None
    answer: str
    stand_in: str | None


def give(session: Session, actor: Actor, event: Event, answer: str, now: datetime) -> Participation:
    """Keep somebody's answer; a later one replaces it, and its stand-in unless it is still no.

    Raises UserError for who may not, and for what is over or cancelled.
    """
    _open(actor, event, now)
    row = _own(session, actor, event)
    if row is None:
        who = actor.person or rights.account_of(actor)
        if who is None:
            raise Denied("event.answer", "agenda.may_not.answer")
        row = Participation(event=event.id, who=who, person=actor.person, organisation=actor.organisation)
        session.add(row)
    if answer != "no":
        row.stand_in = None
    row.answer, row.at, row.organisation, row.informed = answer, now, actor.organisation, event.facts
    session.flush()
    due.hasten(session, REMIND, str(event.id), now)
    return row


def send(session: Session, actor: Actor, event: Event, person: str, now: datetime) -> Participation:
    """Let somebody else come instead: the answer is no, and the stand-in is expected.

    Raises UserError for a stand-in that is oneself, unknown, or of no organisation that one could send.
    """
    if person == actor.person or session.get(Person, person) is None:
        raise UserError("agenda.no_stand_in", person=person[:80])
    if person not in colleagues(session, actor, now):
        raise UserError("agenda.no_colleague", person=person[:80])
    row = give(session, actor, event, "no", now)
    row.stand_in, row.day_for, row.hour_for, row.informed = person, None, None, ""
    session.flush()
    return row


def declined(session: Session, actor: Actor, event: Event) -> Sequence[Participation]:
    """Let somebody not stand in for others any more; return whose answers these are."""
    sent = select(Participation).where(Participation.event == event.id, Participation.stand_in == actor.person)
    rows = session.scalars(sent).all() if actor.person is not None else ()
    for row in rows:
        row.stand_in = None
    session.flush()
    return rows


def knows(session: Session, actor: Actor, event: Event) -> None:
    """Note that who has just changed an event needs not be told of it."""
    row = _own(session, actor, event)
    if row is not None and row.stand_in is None:
        row.informed = event.facts


def colleagues(session: Session, actor: Actor, now: datetime) -> Mapping[str, str]:
    """Return who could come instead of somebody, by id, with their names: those of the same organisation today."""
    held = select(Posting.person).where(
        Posting.organisation == actor.organisation,
        Posting.start <= now.date(),
        (Posting.end.is_(None)) | (Posting.end >= now.date()),
    )
    found = session.scalars(select(Person).where(Person.id.in_(held), Person.id != (actor.person or "")))
    names = {row.id: f"{row.given_name} {row.family_name}".strip() or row.id for row in found}
    return dict(sorted(names.items(), key=lambda item: (item[1], item[0])))


def counts(session: Session, event: Event) -> Mapping[str, int]:
    """Return how many answered what. A stand-in is one more who comes."""
    rows = session.execute(
        select(Participation.answer, func.count(), func.count(Participation.stand_in))
        .where(Participation.event == event.id)
        .group_by(Participation.answer)
    ).all()
    found = {answer: count for answer, count, _ in rows}
    stand_ins = sum(sent for _, _, sent in rows)
    found["yes"] = found.get("yes", 0) + stand_ins
    return {answer: found.get(answer, 0) for answer in ANSWERS}


def answers(session: Session, actor: Actor, event: Event) -> Sequence[Answer]:
    """Return who answered what, in order. Raises UserError for who does not organise it."""
    rights.check(actor, "participants", event)
    rows = session.scalars(select(Participation).where(Participation.event == event.id))
    found = [Answer(row.who, row.person, row.organisation, row.answer, row.stand_in) for row in rows]
    return sorted(found, key=lambda it: (ANSWERS.index(it.answer), it.organisation or "", it.who))


def of(session: Session, actor: Actor, event: Event) -> Participation | None:
    """Return what somebody answered, None when nothing."""
    return _own(session, actor, event)


def _own(session: Session, actor: Actor, event: Event) -> Participation | None:
    """Return the answer of a person or an account; what an account answered before it was linked becomes theirs."""
    account = rights.account_of(actor)
    for who in filter(None, (actor.person, account)):
        row = session.get(Participation, (event.id, who))
        if row is not None:
            return row
    return None


def _open(actor: Actor, event: Event, now: datetime) -> None:
    rights.check(actor, "answer", event)
    if event.state == "cancelled":
        raise UserError("agenda.is_cancelled", number=event.number)
    if event.when.over(event.zone) < now:
        raise UserError("agenda.is_over", number=event.number)
