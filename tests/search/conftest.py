"""Finders over the shipped reference data and a few made-up people."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from sqlalchemy.orm import Session

from bot.db import Database
from bot.directory.current import Current, changed
from bot.directory.identity import OPERATOR, Actor
from bot.directory.tables import Absence, Organisation, Person, Posting
from bot.opening import CONFIG
from bot.routing.rules import Rules
from bot.search.current import Finder
from bot.search.hits import Hit

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


class Directory:
    """A directory that is searched."""

    def __init__(self, database: Database, rules: Rules) -> None:
        self.database = database
        self.finder = Finder(Current(), lambda: rules, CONFIG)

    def find(self, text: str, actor: Actor | None = OPERATOR, *, limit: int = 5, at: datetime = NOW) -> list[Hit]:
        return self.database.run_now(lambda s: self.finder.find(s, text, limit=limit, visible_to=actor, at=at))

    def first(self, text: str, actor: Actor | None = OPERATOR) -> tuple[str, str | None] | None:
        found = self.find(text, actor)
        return (found[0].id, found[0].role) if found else None

    def change(self, work: Callable[[Session], object], **whose: set[str]) -> None:
        """Change rows as others do, and say whose."""

        def both(session: Session) -> None:
            work(session)
            session.flush()
            changed(session, **whose)

        self.database.run_now(both)


@pytest.fixture(scope="session")
def rules() -> Rules:
    return Rules.load(CONFIG / "routing")


def people(session: Session) -> None:
    rows = [
        Person(
            id="cdpr-ge",
            given_name="Agente",
            family_name="Modèle-Est",
            email="agente.est@example.org",
            phone="+33 3 88 00 11 22",
            visibility="network",
        ),
        Person(
            id="consul-m",
            given_name="Agent",
            family_name="Exemple-Isar",
            email="agent.isar@example.org",
            phone="+49 89 000 33 44",
            visibility="all",
        ),
        Person(
            id="discret",
            given_name="Agent",
            family_name="Caché",
            email="cache@example.org",
            phone="+33 1 99 88 77 66",
            visibility="own",
        ),
        Person(id="parti", given_name="Agent", family_name="Ancien", visibility="all"),
    ]
    session.add_all(rows)
    session.flush()
    start = date(2024, 1, 1)
    session.add_all(
        [
            Posting(person="cdpr-ge", organisation="region-grand-est", role="cdpr", start=start),
            Posting(person="consul-m", organisation="consulat-munich", role="consul", start=start),
            Posting(person="discret", organisation="prefecture-57", role="desk", start=start),
            Posting(person="parti", organisation="prefecture-57", role="head", start=start, end=date(2025, 12, 31)),
            Absence(person="cdpr-ge", start=date(2026, 11, 20), end=date(2026, 12, 1), stand_in="consul-m"),
        ]
    )
    munich = session.get_one(Organisation, "consulat-munich")
    munich.phone, munich.email = "+49 89 419 41 10", "contact.munich@example.org"
    munich.opening_hours = "Mo-Th 08:30-12:30,14:00-17:00; Fr 08:30-12:30; PH off"


@pytest.fixture
def directory(shipped: Database, rules: Rules) -> Directory:
    shipped.run_now(people)
    return Directory(shipped, rules)


def actor(right: str, organisation: str | None = None, person: str | None = None) -> Actor:
    return Actor(None, person, None, organisation, frozenset({right}), None, None)
