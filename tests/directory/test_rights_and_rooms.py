"""Rights of use, and the rooms through which an organisation is reached."""

from collections.abc import Callable
from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy.orm import Session

from bot.db import Database
from bot.directory import rights, rooms
from bot.errors import UserError
from bot.rights import RIGHTS, has
from tests.directory.conftest import NOON, Files


def test_a_right_includes_those_before_it() -> None:
    for at, held in enumerate(RIGHTS):
        assert [has({held}, needed) for needed in RIGHTS] == [n <= at for n in range(len(RIGHTS))]
    assert not has(set(), "reader")
    assert has({"reader", "editor"}, "member")
    with pytest.raises(ValueError, match="not in tuple"):
        has({"administrator"}, "king")


def test_rights_are_granted_listed_and_revoked(peopled: Files) -> None:
    def run(work: Callable[[Session], object]) -> object:
        return peopled.database.run_now(work)

    assert run(lambda session: rights.grant(session, "agent-b", "administrator"))
    assert not run(lambda session: rights.grant(session, "agent-b", "administrator"))
    assert run(lambda session: rights.grant(session, "agent-b", "reader"))
    assert run(lambda session: rights.grant(session, "agent-a", "editor"))
    expected = [("agent-a", "editor"), ("agent-b", "reader"), ("agent-b", "administrator")]
    assert run(rights.granted) == expected
    assert run(lambda session: rights.of(session, "agent-b")) == {"reader", "administrator"}
    assert run(lambda session: rights.revoke(session, "agent-b", "reader"))
    assert not run(lambda session: rights.revoke(session, "agent-b", "reader"))
    assert run(rights.granted) == [expected[0], expected[2]]


@pytest.mark.parametrize("change", [rights.grant, rights.revoke])
@pytest.mark.parametrize(("person", "right"), [("nobody", "reader"), ("agent-a", "king")])
def test_unknown_people_and_rights_are_refused(
    peopled: Files, change: Callable[[Session, str, str], bool], person: str, right: str
) -> None:
    with pytest.raises(UserError):
        peopled.database.run_now(lambda session: change(session, person, right))


def ids(database: Database, organisation: str) -> list[str]:
    return [row.room for row in database.run_now(lambda session: rooms.rooms_of(session, organisation))]


def test_rooms_of_an_organisation_come_in_a_stable_order(peopled: Files) -> None:
    database = peopled.database
    peopled.load(rooms="organisation,platform,room\nprefecture-67,matrix,!imported\n")
    linked = [("console", "prefecture-67", 0), ("slack", "C2", 2), ("matrix", "!b", 1), ("matrix", "!a", 2)]
    for platform, room, hours in linked:
        at = NOON + timedelta(hours=hours)
        database.run_now(lambda session, p=platform, r=room, t=at: rooms.link(session, "prefecture-67", p, r, t))
    assert ids(database, "prefecture-67") == ["!imported", "!b", "!a", "C2", "prefecture-67"]
    database.run_now(lambda session: rooms.note(session, "matrix", "!b", state="closed"))
    assert ids(database, "prefecture-67") == ["!imported", "!a", "C2", "prefecture-67"]
    assert ids(database, "consulat-munich") == []


def test_linking_again_keeps_the_date_and_linking_elsewhere_moves(peopled: Files) -> None:
    database = peopled.database
    for organisation, hours in (("prefecture-67", 0), ("prefecture-67", 1), ("consulat-munich", 2)):
        at = NOON + timedelta(hours=hours)
        row = database.run_now(lambda session, o=organisation, t=at: rooms.link(session, o, "slack", "C1", t))
        assert row.linked_at == NOON + timedelta(hours=2 if hours == 2 else 0)
    assert (ids(database, "prefecture-67"), ids(database, "consulat-munich")) == ([], ["C1"])
    with pytest.raises(UserError):
        database.run_now(lambda session: rooms.link(session, "nowhere", "slack", "C1", NOON))


def test_what_is_once_encrypted_stays_so(peopled: Files) -> None:
    database = peopled.database
    assert database.run_now(lambda session: rooms.room_of(session, "matrix", "!a")) is None
    for seen, known in ((None, False), (True, True), (False, True)):
        row = database.run_now(lambda session, e=seen: rooms.note(session, "matrix", "!a", encrypted=e))
        assert row.encrypted is known


def test_an_upgraded_room_hands_over_its_link_but_not_its_encryption(peopled: Files) -> None:
    database = peopled.database
    peopled.load(rooms="organisation,platform,room,language,relay_unencrypted\nprefecture-67,matrix,!old,en,yes\n")
    database.run_now(lambda session: rooms.note(session, "matrix", "!old", encrypted=True))
    new = database.run_now(lambda session: rooms.move(session, "matrix", "!old", "!new"))
    assert (new.organisation, new.language, new.relay_unencrypted, new.encrypted) == (
        "prefecture-67",
        "en",
        True,
        False,
    )
    assert ids(database, "prefecture-67") == ["!new"]
    database.run_now(lambda session: rooms.link(session, "ambassade-es", "matrix", "!other", NOON))
    other = database.run_now(lambda session: rooms.move(session, "matrix", "!new", "!other"))
    assert other.organisation == "ambassade-es", "a link of its own stays"
    assert ids(database, "prefecture-67") == []


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_two_processes_may_learn_of_a_room_at_once(database: Database) -> None:
    def other() -> None:
        database.run_now(lambda session: rooms.note(session, "matrix", "!a", encrypted=True))

    late = Thread(target=other)

    def first(session: Session) -> None:
        rooms.note(session, "matrix", "!a", state="closed")
        late.start()
        late.join(0.3)

    database.run_now(first)
    late.join()
    row = database.run_now(lambda session: rooms.room_of(session, "matrix", "!a"))
    assert row is not None
    assert (row.encrypted, row.state) == (True, "closed")
