"""A visit beyond the border associates the prefects who share it: whom, by when, and what each of them wrote.

The agreement of 25 August 2015, point 4: the prefects concerned are associated with the preparation of visits of
members of the government to the neighbouring country; the advisers of their regions and the ambassadors support them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Literal, TypeAlias

from sqlalchemy import ForeignKey, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.agenda.borders import Borders
from bot.agenda.model import Details, resolved
from bot.agenda.tables import Event
from bot.db import Base, Instant
from bot.directory.days import local_day
from bot.directory.files import LAND
from bot.directory.identity import Actor
from bot.directory.snapshot import Snapshot
from bot.directory.tables import ACCOUNT, ID
from bot.routing.names import FRANCE

Part: TypeAlias = Literal["asked", "copy", "organiser"]

BEFORE: Final = timedelta(days=7)  # contributions are expected so long before a visit
SHORT: Final = timedelta(days=3)  # with less than this until then, half of the time that is left
EVENING: Final = time(18)
LENGTH: Final = 10_000  # characters of a contribution

_DAY: Final = timedelta(days=1)
_RANK: Final[Mapping[str, int]] = {"organiser": 0, "asked": 1, "copy": 2}


class Visit(Base):
    """What is known of a visit beside its event."""

    __tablename__ = "visit"

    event: Mapped[int] = mapped_column(ForeignKey("event.id"), primary_key=True, autoincrement=False)
    starts: Mapped[datetime] = mapped_column(Instant)  # the visit, when it was last settled by when
    due_at: Mapped[datetime] = mapped_column(Instant)  # by when contributions are expected
    fixed: Mapped[bool] = mapped_column(default=False)  # somebody said by when: a visit that moves leaves it
    briefed: Mapped[bool] = mapped_column(default=False)  # the brief was sent round
    answers: Mapped[int] = mapped_column(default=0)  # contributions that came, those that replace another included


class Associate(Base):
    """An organisation that has a part in a visit: it is asked for a contribution, is in copy, or organises it."""

    __tablename__ = "associate"

    event: Mapped[int] = mapped_column(ForeignKey("event.id"), primary_key=True, autoincrement=False)
    organisation: Mapped[str] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    part: Mapped[str] = mapped_column(String(10))
    released: Mapped[bool] = mapped_column(default=False)  # the visit does not concern it any more
    holder: Mapped[str | None] = mapped_column(String(ID))  # in whose room its card lies, or will; NULL: it has none
    card: Mapped[str | None] = mapped_column(String(300))  # the card's key
    told: Mapped[str] = mapped_column(String(300), default="")  # the visit as it was last told (`as_told`)
    shown: Mapped[str] = mapped_column(String(300), default="")  # the state of the card as it was last drawn
    asked_at: Mapped[datetime | None] = mapped_column(Instant)  # when its card was said
    reminded: Mapped[int] = mapped_column(default=0)  # times
    read: Mapped[int | None]  # how many answers it was told of, with the brief and since; NULL: it has no brief yet
    text: Mapped[str | None] = mapped_column(Text)  # NULL: it has not answered; empty: nothing to say
    sealed: Mapped[bool] = mapped_column(default=False)  # written in an encrypted room that keeps its words
    cleared: Mapped[bool] = mapped_column(default=False)  # identifiers in it are shown, as its author chose
    person: Mapped[str | None] = mapped_column(String(ID))
    account: Mapped[str | None] = mapped_column(String(ACCOUNT))
    at: Mapped[datetime | None] = mapped_column(Instant)  # when it answered

    @property
    def waited_for(self) -> bool:
        """Whether its contribution is still expected."""
        return self.part == "asked" and self.text is None and not self.released


@dataclass(frozen=True, slots=True)
class Concerned:
    """An organisation and its part in a visit."""

    organisation: str
    part: Part


def is_visit(details: Details, borders: Borders) -> bool:
    """Say whether an event is a visit to a country that shares a border with a département."""
    return details.kind == "visit" and any(country in _abroad(borders) for country in details.countries)


def concerned(details: Details, borders: Borders, directory: Snapshot, today: date) -> Sequence[Concerned]:
    """Return who has a part in a visit, each organisation once, those who organise it first.

    The prefects of the border, and of the territories that it names, are asked; the regions' diplomatic advisers, the
    ambassador there and those for the border are in copy.
    """
    territories = {code for country in details.countries for code in _beside(country, borders)}
    territories |= set(details.territories)
    organisations = directory.organisations
    prefectures = [
        it
        for it in organisations.values()
        if it.kind in LAND and it.kind != "region" and it.territory in territories and it.status == "open"
    ]
    parents = sorted({it.parent for it in prefectures if it.parent})
    regions = [it for it in parents if it in organisations and organisations[it].kind == "region"]
    found: dict[str, Concerned] = {}
    parts: list[tuple[Part, Sequence[str]]] = [
        ("organiser", [it for it in details.organisers if it in organisations]),
        ("asked", sorted(it.id for it in prefectures)),
        ("copy", regions),
        ("copy", sorted(set(_ambassadors(details, territories | set(regions), directory, today)))),
    ]
    for part, ids in parts:
        for id_ in ids:
            found.setdefault(id_, Concerned(id_, part))
    return tuple(found.values())


def expected_by(starts: datetime, now: datetime, zone: str) -> datetime:
    """Return by when contributions to a visit are expected, in UTC: a week before, in the evening of a working day.

    What comes at short notice leaves half of the time.
    """
    day = local_day(zone, starts - BEFORE)
    week = resolved(day - timedelta(days=max(0, day.weekday() - 4)), EVENING, zone)
    if week - now >= SHORT:
        return week
    half = now + (starts - now) / 2
    evening = resolved(local_day(zone, half), EVENING, zone)
    return evening if now < evening < starts else half


def reminders(asked_at: datetime, due_at: datetime) -> tuple[datetime, ...]:
    """Return when somebody is reminded of a contribution: three days and one day before it is due, and then.

    Who was asked later than that is reminded once before.
    """
    early = [due_at - days for days in (timedelta(days=3), timedelta(days=1)) if due_at - days > asked_at + _DAY]
    if not early and due_at > asked_at:
        early = [asked_at + (due_at - asked_at) * 2 / 3]
    return (*early, max(due_at, asked_at))


def of(session: Session, event: int) -> Sequence[Associate]:
    """Return who has a part in a visit: who organises it, who is asked, who is in copy."""
    rows = session.scalars(select(Associate).where(Associate.event == event))
    return sorted(rows, key=lambda row: (_RANK[row.part], row.organisation))


def as_told(event: Event, row: Associate) -> str:
    """Return what one of those who have a part in a visit is told of when it changes."""
    return "released" if row.released else event.facts


def parts_of(actor: Actor, associates: Sequence[Associate]) -> frozenset[str]:
    """Return the parts that somebody's organisation has in a visit, its own and those whose card lies with it."""
    if actor.organisation is None:
        return frozenset()
    return frozenset(
        it.part
        for it in associates
        if not it.released
        and (it.organisation == actor.organisation or (it.part == "asked" and it.holder == actor.organisation))
    )


def progress(associates: Sequence[Associate]) -> tuple[int, int]:
    """Return how many contributions are there, and how many were asked for."""
    asked = [it for it in associates if it.part == "asked" and not it.released]
    return sum(it.text is not None for it in asked), len(asked)


def _abroad(borders: Borders) -> frozenset[str]:
    return frozenset(place.country for places in borders.across.values() for place in places) - {FRANCE}


def _beside(country: str, borders: Borders) -> Iterator[str]:
    return (code for code, places in borders.across.items() if any(place.country == country for place in places))


def _ambassadors(details: Details, around: set[str], directory: Snapshot, today: date) -> Iterator[str]:
    """Yield the embassies of the countries, and the ambassadors for the border or for cooperation in these regions."""
    for comp in directory.competences:
        if not comp.holds(today) or directory.organisations[comp.organisation].status != "open":
            continue
        there = comp.role == "ambassador" and comp.topic == "deplacement_officiel" and comp.country in details.countries
        basin = comp.role == "regional_ambassador" and (comp.territory in around or comp.country in details.countries)
        if there or basin or comp.role == "frontier_ambassador":
            yield comp.organisation
