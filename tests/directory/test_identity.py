"""Whom the bot serves, as whom: linked accounts anywhere, insiders in linked rooms, strangers nowhere."""

from datetime import UTC, datetime

import pytest

from bot.db import Database
from bot.directory import rights, rooms
from bot.directory.identity import Actor, identify
from bot.message import User
from tests.directory.conftest import NOON, Files

AGENT = User("matrix", "@agent.a:example.org", insider=True)
COLLEAGUE = User("matrix", "@collegue:example.org", insider=True)
OUTSIDER = User("matrix", "@quelqu.un:elsewhere.example", insider=False)
ROOM = ("matrix", "!munich:example.org")


@pytest.fixture
def directory(peopled: Files) -> Database:
    peopled.database.run_now(lambda session: rooms.link(session, "consulat-munich", *ROOM, NOON))
    return peopled.database


def who(
    database: Database, user: User, room: tuple[str, str] = ROOM, *, direct: bool = False, at: datetime = NOON
) -> Actor | None:
    return database.run_now(lambda session: identify(session, user, room, direct, at))


def test_a_linked_account_is_served_anywhere(directory: Database) -> None:
    directory.run_now(lambda session: rights.grant(session, "agent-a", "coordinator"))
    for room, direct in ((ROOM, False), (("matrix", "!unknown:x"), False), (("matrix", "!dm:x"), True)):
        actor = who(directory, AGENT, room, direct=direct)
        assert actor == Actor(
            user=AGENT,
            person="agent-a",
            name="Agent Exemple",
            organisation="prefecture-67",
            rights=frozenset({"member", "coordinator"}),
            language="fr",
            zone="Europe/Paris",
        )


def test_an_insider_in_a_linked_room_is_a_member(directory: Database) -> None:
    expected = Actor(COLLEAGUE, None, None, "consulat-munich", frozenset({"member"}), None, None)
    assert who(directory, COLLEAGUE) == expected


def test_everybody_else_is_a_stranger(directory: Database) -> None:
    assert who(directory, OUTSIDER) is None
    assert who(directory, COLLEAGUE, ("matrix", "!unknown:x")) is None
    assert who(directory, COLLEAGUE, direct=True) is None
    assert who(directory, User("telex", "x", insider=True), ("telex", "1")) is None
    directory.run_now(lambda session: rooms.note(session, *ROOM, state="closed"))
    assert who(directory, COLLEAGUE) is None


def test_a_room_that_is_known_but_not_linked_vouches_for_nobody(directory: Database) -> None:
    directory.run_now(lambda session: rooms.note(session, "matrix", "!new:x"))
    assert who(directory, COLLEAGUE, ("matrix", "!new:x")) is None


def test_bots_are_not_served(directory: Database) -> None:
    assert who(directory, User("matrix", AGENT.id, insider=True, bot=True)) is None


def test_who_left_keeps_rights_but_speaks_for_nobody(directory: Database) -> None:
    former = User("slack", "T0EX:U0AGENTC", insider=True)
    actor = who(directory, former, ("slack", "C1"))
    assert actor is not None
    assert (actor.person, actor.organisation, actor.rights) == ("agent-c", None, frozenset())
    then = who(directory, former, ("slack", "C1"), at=datetime(2025, 12, 31, 12, tzinfo=UTC))
    assert then is not None
    assert (then.organisation, then.rights) == ("prefecture-67", {"member"}), "the last day is included"


def test_who_has_no_posting_speaks_for_the_room_that_vouches(directory: Database) -> None:
    directory.run_now(lambda session: rooms.link(session, "ambassade-es", "slack", "C2", NOON))
    former = who(directory, User("slack", "T0EX:U0AGENTC", insider=True), ("slack", "C2"))
    assert former is not None
    assert (former.organisation, former.zone) == ("ambassade-es", "Europe/Madrid")


def test_of_several_postings_the_room_chooses_then_the_latest(peopled: Files) -> None:
    peopled.load(
        postings="person,organisation,role,start\nagent-a,consulat-munich,desk,2020-01-01\n"
        "agent-a,ambassade-es,desk,2025-01-01\n"
    )
    peopled.database.run_now(lambda session: rooms.link(session, "consulat-munich", *ROOM, NOON))
    assert getattr(who(peopled.database, AGENT), "organisation", None) == "consulat-munich"
    assert getattr(who(peopled.database, AGENT, direct=True), "organisation", None) == "ambassade-es"


def test_a_slack_id_without_its_team_is_of_our_workspace_only(directory: Database) -> None:
    own = User("slack", "T0EX:U0AGENTC", insider=True)
    other = User("slack", "T0OTHER:U0AGENTC", insider=False)
    assert who(directory, own, ("slack", "C1")) is not None
    assert who(directory, other, ("slack", "C1")) is None
    assert who(directory, User("slack", "T0EX:U0AGENTA", insider=True), ("slack", "C1")) is not None
    assert who(directory, User("slack", "U0AGENTA", insider=True), ("slack", "C1")) is None


def test_the_console_knows_people_by_their_ids(directory: Database) -> None:
    actor = who(directory, User("console", "agent-b", insider=True), ("console", "consulat-munich"))
    assert actor is not None
    assert (actor.person, actor.language, actor.zone) == ("agent-b", "en", "Europe/Berlin")
    assert who(directory, User("console", "nobody", insider=True), ("console", "consulat-munich")) is None


@pytest.mark.parametrize(
    ("zone", "last", "first_without"),
    [
        ("Europe/Paris", datetime(2026, 3, 28, 22, 59, tzinfo=UTC), datetime(2026, 3, 28, 23, 0, tzinfo=UTC)),
        ("Pacific/Auckland", datetime(2026, 3, 28, 10, 59, tzinfo=UTC), datetime(2026, 3, 28, 11, 0, tzinfo=UTC)),
        ("America/Cayenne", datetime(2026, 3, 29, 2, 59, tzinfo=UTC), datetime(2026, 3, 29, 3, 0, tzinfo=UTC)),
        ("Pacific/Kiritimati", datetime(2026, 3, 28, 9, 59, tzinfo=UTC), datetime(2026, 3, 28, 10, 0, tzinfo=UTC)),
    ],
)
def test_a_membership_ends_with_its_day_where_the_office_is(
    peopled: Files, zone: str, last: datetime, first_without: datetime
) -> None:
    peopled.load(
        organisations=f"id,timezone\nprefecture-67,{zone}\nconsulat-munich,{zone}\n",
        postings="person,organisation,role,start,end\nagent-a,prefecture-67,desk,2024-01-01,2026-03-28\n"
        "agent-b,consulat-munich,consul,2025-09-01,2026-03-01\nagent-b,consulat-munich,consul,2026-03-29,\n",
    )
    leaving, coming = AGENT, User("matrix", "@agent.b:example.org", insider=True)
    for at, expected in ((last, (True, False)), (first_without, (False, True))):
        for user, held in zip((leaving, coming), expected, strict=True):
            actor = who(peopled.database, user, ("matrix", "!dm:x"), direct=True, at=at)
            assert actor is not None
            assert (actor.organisation is not None, "member" in actor.rights) == (held, held), (user.id, at)
