"""Asking people whether their card is still true, when that is due (`bot.directory.confirming`)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bot.card import Button, Buttons, Card, Fields, Paragraph
from bot.context import World
from bot.directory import confirming
from bot.directory.accounts import address_of
from bot.directory.days import postings_held
from bot.directory.history import version
from bot.directory.identity import reader_of
from bot.directory.tables import Person
from bot.message import Address
from bot.outbox import Destinations, Outbox
from bot.texts import Text

SHOWN = ("given_name", "family_name", "phone", "email")


@dataclass(slots=True)
class Asking:
    """How people are asked: in their words, on the platforms that this bot is on."""

    world: World
    destinations: Destinations
    platforms: Collection[str]
    complete: int | None = None  # the version of the directory in which everybody has a date

    def ask(self, session: Session, now: datetime) -> int:
        """Say what is due, once; return how many were asked. Who cannot be reached is looked at again later."""
        at = version(session)
        if at != self.complete and not confirming.begin(session, now, self.world.confirm_every):
            self.complete = at
        count = 0
        for row, person in confirming.due(session, now):
            here = any(True for _ in postings_held(session, person.id, now))
            to = address_of(person, self.platforms)
            if here and to is not None:
                self._say(session, to, person, f"confirm/{person.id}/{row.since.isoformat()}/{row.asked}", now)
                count += 1
            confirming.asked(session, row, now, reached=here and to is not None)
        return count

    def _say(self, session: Session, to: Address, person: Person, key: str, now: datetime) -> None:
        reader = reader_of(session, person, self.destinations(session, to).reader, now)
        outbox = Outbox(session, self.world.catalogues, self.destinations, now, (to.room, reader))
        outbox.put(to, _card(person), key=key)


def _card(person: Person) -> Card:
    """Return the question."""
    values = ((name, getattr(person, name)) for name in SHOWN)
    fields = Fields(tuple((Text.of(f"field.{name}"), Text.of("keeping.value", value=v or "—")) for name, v in values))
    ask = Paragraph(Text.of("keeping.ask"))
    buttons = Buttons(
        (
            Button(Text.of("button.confirmer"), "confirmer", person.id, "primary"),
            Button(Text.of("button.corriger"), "corriger", person.id),
        )
    )
    return Card(Text.of("keeping.ask_title"), (ask, fields, buttons))
