"""Erasing somebody: each column of each table that may hold their words or name them is known, and emptied."""

from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Column, LargeBinary, String, insert, select
from sqlalchemy.orm import Session

from bot.app import build
from bot.audit.recording import OPERATOR
from bot.connections import add
from bot.db import Base, Database
from bot.directory.tables import Person
from bot.privacy.erasing import erase
from bot.privacy.sweeping import LEFT_OUT
from config.settings import Settings
from tests.stories.lived import NAMES, WHO, WORDS, erased, lived, people, play, scope_of
from tests.stories.scene import Clock, Scene, Stage

__all__ = ["lived", "play"]


def holding(database: Database, words: Collection[str]) -> set[str]:
    """Return the columns that hold one of these words."""
    found: set[str] = set()

    def work(session: Session) -> None:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(select(table)).mappings():
                found.update(f"{table}.{name}" for name, it in row.items() if any(word in str(it) for word in words))

    database.run_now(work)
    return found


WRITTEN = set(  # columns of what people write: the story must have left her words there
    "question.text question.because passage.text move.reason routing_example.text routing_example.why note.about "
    "note.text associate.text event.title directory_history.after".split()
)
PASSING = set(  # the same, on its way: it goes with whose it is (`erasing._messages`, `words.take_back`), or within a day
    "job.args job.error receipt.payload receipt.error held.event held.told enclosed.name enclosed.source parcel.name "
    "slice.content post.buttons post.prompt four_eyes.args directory_history.before".split()
)
OFFICIAL = set(  # what organisations say: the sweep takes names out of it
    "event.title_en event.place event.note event.links participation.informed calendar.name calendar.url calendar.content calendar.problem enrolment.informed "
    "associate.told associate.shown digest.words publication.words closure.reason crossing.ended".split()
)
CODES = set(  # names of columns that hold an id, a key, an address, a choice, or values of such
    "account code author begun bodies by card card_key corps countries dialogue event_id file files key "
    "kinds lane language message_id name organisers place platform rhythm right role room scope state told topics "
    "target taken_by territories thread uid visibility who zone result asker_account value row person parcel "
    "etag kind".split()
)


def test_every_column_of_words_is_known() -> None:
    """A new column must be written to by the story, or said to hold no words."""
    known = WRITTEN | PASSING | OFFICIAL
    for table in Base.metadata.sorted_tables:
        if table.name in {*LEFT_OUT, Person.__tablename__}:
            continue
        for column in table.columns:
            long = (
                isinstance(column.type, String | LargeBinary) and (getattr(column.type, "length", None) or 999) >= 200
            )
            assert not long or f"{table}.{column.name}" in known or column.name in CODES, f"{table}.{column.name}"


async def test_her_words_lie_where_words_lie_and_in_no_column_after(play: Scene) -> None:
    found = holding(play.app.database, (*WORDS, *NAMES))
    assert found >= WRITTEN
    assert {"digest.person", "crossing.person", "enrolment.person", "publication.person", "associate.person"} <= found
    erased(play)
    assert holding(play.app.database, (*WORDS, *NAMES)) - {"audit_alias.name"} == set()


def anywhere(column: Column[Any], others: Mapping[str, Any]) -> object:
    """Return a value for a column that names her if that fits, `others` being the rows that others point to."""
    for key in column.foreign_keys:
        if key.column.table.name == "person":
            return WHO
        return None if column.nullable else others[key.column.table.name][key.column.name]
    of = column.type.python_type
    if issubclass(of, str):
        length = getattr(column.type, "length", None) or 999
        return "" if length < len(WHO) else WHO if length < 60 else f'["{WHO} {NAMES[1]}"]'
    values = {bytes: NAMES[1].encode(), bool: False, int: 7, float: 0.5, date: Clock().at.date()}
    return values.get(of, Clock().at)


def test_whatever_column_names_her_does_so_no_more(shipped: Database, tmp_path: Path) -> None:
    """Each table is given a row that names her wherever that fits, also the tables of tomorrow."""

    def fill(session: Session) -> None:
        rows: dict[str, Any] = {}
        for table in Base.metadata.sorted_tables:
            if table.name not in {*LEFT_OUT, "person"}:
                session.execute(insert(table).values({c.name: anywhere(c, rows) for c in table.columns}))
            rows[table.name] = session.execute(select(table).limit(1)).mappings().first()

    shipped.run_now(lambda s: people(s, tmp_path))
    shipped.run_now(fill)
    named = holding(shipped, NAMES)
    app = build(Settings(), shipped, Clock())
    add(app, Stage("slack"), {"slack"})

    def work(session: Session) -> None:
        erase(scope_of(app, session, Clock().at), WHO, OPERATOR)

    shipped.run_now(work)
    assert len(named) > 150
    assert holding(shipped, NAMES) - {"audit_alias.name"} == {"slice.content"}, (
        "what a file holds on its way is not read"
    )
