"""The directory through the eyes of somebody: rows and fields that they may not see are not there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.directory.absences import Away, away, stand_in
from bot.directory.calendars import own_days
from bot.directory.confirming import Confirmation
from bot.directory.days import holds, postings_held
from bot.directory.identity import Actor
from bot.directory.tables import Organisation, Person, Posting
from bot.directory.visibility import Owned, sees
from bot.routing.rules import Label
from bot.worktime.calendar import Exceptional


@dataclass(frozen=True)
class View:
    """Who looks, when, and in which zone they live; `countries` are the names of countries by code."""

    session: Session
    actor: Actor
    now: datetime
    zone: str
    countries: Mapping[str, Label]

    @cached_property
    def _owned(self) -> dict[str, Owned]:
        return {}

    @cached_property
    def absent(self) -> Mapping[str, Away]:
        """Who is away now."""
        return away(self.session, self.now)

    def organisation(self, id_: str | None) -> Organisation | None:
        """Return an organisation, None if there is none that may be seen."""
        row = self.session.get(Organisation, id_) if id_ else None
        return row if row is not None and self.may_see(row, "id") else None

    def person(self, id_: str | None) -> Person | None:
        """Return a person, None if there is none that may be seen."""
        row = self.session.get(Person, id_) if id_ else None
        return row if row is not None and self.may_see(row, "id") else None

    def postings(self, person: str) -> list[Posting]:
        """Return what a person holds now at organisations that may be seen, the latest first."""
        held = [posting for posting, _ in postings_held(self.session, person, self.now)]
        seen = [posting for posting in held if self.organisation(posting.organisation) is not None]
        return sorted(seen, key=lambda it: (it.start, it.organisation, it.role), reverse=True)

    def holders(self, organisation: str, role: str) -> list[Person]:
        """Return who holds an office now and may be seen."""
        row = self.organisation(organisation)
        zone = row.timezone if row is not None else None
        held = select(Posting).where(Posting.organisation == organisation, Posting.role == role)
        people = (
            self.person(posting.person)
            for posting in self.session.scalars(held)
            if holds(posting.start, posting.end, zone, self.now)
        )
        seen = {person.id: person for person in people if person is not None}
        return sorted(seen.values(), key=lambda person: (person.family_name, person.given_name, person.id))

    def value(self, row: Organisation | Person, field: str) -> str:
        """Return a field of a row that is seen, empty if the field may not be."""
        return str(getattr(row, field) or "") if self.may_see(row, field) else ""

    def own_days(self, row: Organisation) -> tuple[Exceptional, ...]:
        """Return the days that a row of its own is closed, or open; none if its hours may not be seen."""
        return own_days(self.session, row.id) if self.may_see(row, "opening_hours") else ()

    def absence(self, row: Person) -> Away | None:
        """Return the absence of somebody, None when they are there or it may not be known."""
        return self.absent.get(row.id) if self.may_see(row, "absences") else None

    def confirmation(self, row: Person) -> Confirmation | None:
        """Return since when somebody's card is known to be true, None if it may not be known."""
        return self.session.get(Confirmation, row.id) if self.may_see(row, "confirmed") else None

    def day(self, at: datetime) -> date:
        """Return the day of an instant where the reader is."""
        return at.astimezone(ZoneInfo(self.zone)).date()

    def replacing(self, row: Person) -> Person | None:
        """Return who is there for somebody who is away, if that may be seen."""
        other = self.person(stand_in(row.id, self.absent)) if self.absence(row) is not None else None
        return other if other is not None and self.may_see(other, "absences") else None

    def may_see(self, row: Organisation | Person, field: str) -> bool:
        """Say whether a field of a row may be seen."""
        if isinstance(row, Organisation):
            return sees(self.actor, Owned("organisation", row.visibility, (row.id,)), field)
        if row.id not in self._owned:
            held = postings_held(self.session, row.id, self.now)
            owners = {row.id, *(posting.organisation for posting, _ in held)}
            self._owned[row.id] = Owned("person", row.visibility, owners)
        return sees(self.actor, self._owned[row.id], field)
