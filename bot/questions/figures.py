"""Figures of the network: how many questions, how soon they are taken and answered. No figure names a person."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any, Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from bot.card import Words
from bot.directory.snapshot import Org, Snapshot
from bot.questions.moves import PENDING
from bot.questions.tables import Move, Question
from bot.texts import Text

Group: TypeAlias = Literal["topic", "territory", "post", "month"]
GROUPS: Final[tuple[Group, ...]] = ("topic", "territory", "post", "month")


@dataclass(frozen=True, slots=True)
class Fact:
    """What counts of one question. Organisations are ids; `month` is `YYYY-MM` where its figures are read."""

    topic: str
    territory: str
    post: str
    month: str
    state: str
    taken_after: timedelta | None
    answered_after: timedelta | None
    late: bool
    helped: bool | None


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts, and medians of the time that passed by the clock; None where there is nothing to count."""

    asked: int
    answered: int
    pending: int
    late: int
    cancelled: int
    to_take: timedelta | None
    to_answer: timedelta | None
    helped: int
    not_helped: int


def facts(
    session: Session,
    directory: Snapshot,
    start: date,
    end: date,
    now: datetime,
    *,
    zone: str = "Europe/Paris",
    of: str | None = None,
) -> list[Fact]:
    """Return the facts of what was asked from one day to another, both included, as days are in a zone.

    `of` limits them to what an organisation asked or was asked.
    """
    here = ZoneInfo(zone)
    since = datetime(start.year, start.month, start.day, tzinfo=here)
    until = datetime(end.year, end.month, end.day, tzinfo=here) + timedelta(days=1)
    asked = (Question.asked_at >= since, Question.asked_at < until, Question.state != "merged")
    own = (or_(Question.asker_organisation == of, Question.recipient == of),) if of else ()
    taken = _first(session, ("take", "answer", "ask_back"), asked)
    answered = _first(session, ("answer",), asked)
    return [
        _fact(question, directory.organisations, taken.get(question.id), answered.get(question.id), now, here)
        for question in session.scalars(select(Question).where(*asked, *own))
    ]


def count(found: Iterable[Fact]) -> Figures:
    """Return the figures of some facts."""
    found = list(found)
    return Figures(
        asked=len(found),
        answered=sum(fact.answered_after is not None for fact in found),
        pending=sum(fact.state in PENDING for fact in found),
        late=sum(fact.late for fact in found),
        cancelled=sum(fact.state == "cancelled" for fact in found),
        to_take=_median(fact.taken_after for fact in found),
        to_answer=_median(fact.answered_after for fact in found),
        helped=sum(fact.helped is True for fact in found),
        not_helped=sum(fact.helped is False for fact in found),
    )


def by(found: Sequence[Fact], group: Group) -> list[tuple[str, Figures]]:
    """Return the figures of each topic, territory, post or month: the greatest first, months in order."""
    parts: dict[str, list[Fact]] = {}
    key: Callable[[Fact], str] = _KEYS[group]
    for fact in found:
        parts.setdefault(key(fact), []).append(fact)
    counted = [(name, count(part)) for name, part in parts.items()]
    order: Callable[[tuple[str, Figures]], Any] = (
        (lambda it: it[0]) if group == "month" else (lambda it: (-it[1].asked, it[0]))
    )
    return sorted(counted, key=order)


_KEYS: Final[Mapping[Group, Callable[[Fact], str]]] = {
    "topic": lambda fact: fact.topic,
    "territory": lambda fact: fact.territory,
    "post": lambda fact: fact.post,
    "month": lambda fact: fact.month,
}


def _first(session: Session, kinds: tuple[str, ...], asked: tuple[Any, ...]) -> Mapping[int, datetime]:
    """Return when each question was first moved so."""
    rows = session.execute(
        select(Move.question_id, func.min(Move.at).label("at"))
        .join(Question, Question.id == Move.question_id)
        .where(Move.kind.in_(kinds), *asked)
        .group_by(Move.question_id)
    )
    return {row.question_id: row.at for row in rows}


def _fact(
    question: Question,
    organisations: Mapping[str, Org],
    taken: datetime | None,
    answered: datetime | None,
    now: datetime,
    zone: ZoneInfo,
) -> Fact:
    due = question.due_at
    ended = answered or (None if question.state in PENDING else question.closed_at or now)
    return Fact(
        topic=question.topic or "autre",
        territory=region(organisations, question.asker_organisation) or region(organisations, question.recipient) or "",
        post=question.recipient or "",
        month=f"{question.asked_at.astimezone(zone):%Y-%m}",
        state=question.state,
        taken_after=taken - question.asked_at if taken else None,
        answered_after=answered - question.asked_at if answered else None,
        late=due is not None and due < (ended or now),
        helped=question.helped,
    )


def region(organisations: Mapping[str, Org], organisation: str | None) -> str | None:
    """Return the region that an organisation belongs to, or is."""
    seen: set[str] = set()
    while organisation and organisation in organisations and organisation not in seen:
        seen.add(organisation)
        if organisations[organisation].kind == "region":
            return organisation
        organisation = organisations[organisation].parent
    return None


def _median(spans: Iterable[timedelta | None]) -> timedelta | None:
    known = [span.total_seconds() for span in spans if span is not None]
    return timedelta(seconds=median(known)) if known else None


def span(passed: timedelta | None) -> Words:
    """Return how long something took, in the greatest unit that says enough."""
    if passed is None:
        return "—"
    minutes = int(passed.total_seconds() // 60)
    if minutes < 90:
        return Text.of("span.minutes", count=minutes)
    if minutes < 48 * 60:
        return Text.of("span.hours", count=round(minutes / 60))
    return Text.of("span.days", count=round(minutes / 60 / 24))
