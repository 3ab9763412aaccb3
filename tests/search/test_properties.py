"""Promises that hold whatever is typed and whoever asks."""

import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from bot.db import Database
from bot.directory.identity import Actor
from bot.directory.tables import Competence, Organisation, Person, Posting
from bot.directory.visibility import FIELDS, ROWS, Owned, level_of, sees
from bot.rights import RIGHTS
from bot.routing.rules import Rules
from tests.search.conftest import NOW, Directory, people

WORDS = [
    "munich",
    "prefecture",
    "cdpr",
    "grand est",
    "67",
    "agent",
    "caché",
    "asi",
    "état civil",
    "sarre",
    "+33 1 99 88 77 66",
]
TYPED = st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=12)), max_size=5).map(" ".join)
ORGANISATIONS = ("prefecture-57", "consulat-munich", None)
ACTORS = st.builds(
    lambda right, organisation, person: Actor(None, person, None, organisation, frozenset({right}), None, None),
    st.sampled_from(RIGHTS),
    st.sampled_from(ORGANISATIONS),
    st.sampled_from(("consul-m", "nobody", None)),
)


KEPT = ("prefecture-57", "region-grand-est", "consulat-munich", "consulat-francfort", "ambassade-es", "ambassade-de")


@pytest.fixture(scope="module")
def directory(new_url: Callable[[str], str], rules: Rules) -> Iterator[Directory]:
    """A small part of the network: an index of it is made in no time."""
    database = Database(new_url("sqlite"))

    def shrink(session: Session) -> None:
        session.execute(delete(Competence).where(Competence.organisation.not_in(KEPT)))
        session.execute(update(Organisation).values(parent=None, successor=None))
        session.execute(delete(Organisation).where(Organisation.id.not_in(KEPT)))

    database.run_now(shrink)
    database.run_now(people)
    yield Directory(database, rules)
    database.close()


@given(text=TYPED, actor=ACTORS)
@settings(max_examples=60)
def test_search_never_raises_and_its_scores_make_sense(directory: Directory, text: str, actor: Actor) -> None:
    hits = directory.find(text, actor, limit=7)
    scores = [hit.score for hit in hits]
    assert len(hits) <= 7
    assert all(0 < score <= 1 for score in scores)
    assert len({(hit.kind, hit.id) for hit in hits}) == len(hits)


@given(text=TYPED, data=st.data())
@settings(max_examples=40)
def test_case_accents_and_spacing_change_nothing(directory: Directory, text: str, data: st.DataObject) -> None:
    change = data.draw(st.sampled_from([str.upper, str.casefold, _without_accents, _decomposed, _spaced]))
    if len(change(text)) > 250 or (not text.isascii() and change in (str.upper, str.casefold)):
        return  # some letters have no capital of their own
    assert directory.find(change(text)) == directory.find(text)


def _without_accents(text: str) -> str:
    latin = str.maketrans("éèêëàâäîïôöùûüç", "eeeeaaaiioouuuc")
    return text.translate(latin)


def _decomposed(text: str) -> str:
    return "".join(unicodedata.normalize("NFD", c) if c in "éèêëàâäîïôöùûüç" else c for c in text)


def _spaced(text: str) -> str:
    return f"  {text.replace(' ', '   ')} "


HIDDEN = st.tuples(
    st.sampled_from(["own", "network"]),
    st.sampled_from(["Agent", "Munich", "Caché", "Zyxwv", "Grand", "Consul"]),
    st.sampled_from(["Munich", "Ancien", "Zyxwv", "Est", "Introuvable", "Cdpr"]),
)


@given(hidden=st.lists(HIDDEN, min_size=1, max_size=4), actor=ACTORS, text=TYPED)
@settings(max_examples=40)
def test_answers_are_the_same_whether_or_not_hidden_entries_exist(
    directory: Directory, hidden: list[tuple[str, str, str]], actor: Actor, text: str
) -> None:
    queries = [text, "zyxwv munich", "agent introuvable", hidden[0][1] + " " + hidden[0][2], "+33 5 44 33 22 11"]

    def answers() -> list[object]:
        directory.finder._held = None
        return [directory.find(query, actor, limit=6) for query in queries]

    before = answers()
    level, ids = level_of(actor), [f"hidden-{number}" for number in range(len(hidden))]

    def add(session: Session) -> None:
        for id_, (visibility, given_name, family_name) in zip(ids, hidden, strict=True):
            if level < RIGHTS.index(ROWS[visibility]):
                session.add(
                    Organisation(
                        id=f"o-{id_}",
                        kind="consulate",
                        name=f"{given_name} {family_name}",
                        country="DE",
                        city="Munich",
                        visibility=visibility,
                    )
                )
                session.add(
                    Person(
                        id=id_,
                        given_name=given_name,
                        family_name=family_name,
                        phone="+33 5 44 33 22 11",
                        visibility=visibility,
                    )
                )
                session.flush()
                if given_name != "Agent":
                    session.add(Posting(person=id_, organisation=f"o-{id_}", role="consul", start=date(2020, 1, 1)))

    def remove(session: Session) -> None:
        session.execute(delete(Posting).where(Posting.person.in_(ids)))
        session.execute(delete(Person).where(Person.id.in_(ids)))
        session.execute(delete(Organisation).where(Organisation.id.in_([f"o-{id_}" for id_ in ids])))

    directory.database.run_now(add)
    try:
        assert answers() == before
    finally:
        directory.database.run_now(remove)


@given(
    actor=ACTORS,
    visibility=st.sampled_from([*ROWS, "unknown"]),
    kind=st.sampled_from([*FIELDS, "else"]),
    field=st.text(max_size=9),
)
def test_what_is_not_in_the_table_is_denied(actor: Actor, visibility: str, kind: str, field: str) -> None:
    row = Owned(kind, visibility, ("prefecture-67",))
    allowed = FIELDS.get(kind, {})
    assert all(not sees(None, row, name) for name in allowed)
    if field not in allowed:
        assert not sees(actor, row, field)
    for name, right in allowed.items():
        enough = {right, ROWS.get(visibility, "none")} <= set(RIGHTS[: level_of(actor) + 1])
        assert sees(actor, row, name) == enough


def test_every_column_has_its_place_in_the_table() -> None:
    marks = {"shipped", "edited"}
    assert {column.key for column in Organisation.__table__.columns} - marks <= set(FIELDS["organisation"])
    assert {column.key for column in Person.__table__.columns} <= set(FIELDS["person"])


def test_hits_show_nothing_that_may_not_be_seen(directory: Directory) -> None:
    for right in RIGHTS:
        actor = Actor(None, None, None, "consulat-munich", frozenset({right}), None, None)
        for hit in directory.find("agent", actor, limit=20):
            if hit.kind == "person":
                row = directory.database.run_now(lambda s, id_=hit.id: s.scalar(select(Person).where(Person.id == id_)))
                assert row is not None
                held = {"consulat-munich"} if hit.id == "consul-m" else {"prefecture-57"}
                owned = Owned("person", row.visibility, {hit.id, *held})
                assert (hit.phone is None) or sees(actor, owned, "phone"), (right, hit)


def test_the_day_is_an_argument(directory: Directory) -> None:
    assert directory.find("agent ancien", at=datetime(2025, 6, 1, tzinfo=UTC))[0].organisation == "prefecture-57"
    assert directory.find("agent ancien", at=NOW)[0].organisation is None
