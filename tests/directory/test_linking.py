"""`relier moi`: two accounts of one person, proved by a code that goes from one to the other."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from bot.db import Database
from bot.directory import history, keeping, rights
from bot.directory.accounts import person_of
from bot.directory.files import PEOPLE
from bot.directory.history import Author
from bot.directory.identity import identify
from bot.directory.linking import LIFE, TRIES, prove, start
from bot.directory.tables import Person
from bot.errors import UserError
from bot.message import User
from bot.texts import Text
from tests.directory.conftest import NOON, Files

LINKED = User("matrix", "@agent.b:example.org", insider=True)  # agent-b, without a Slack account
NEW = User("slack", "T0EX:U0NEW", insider=True)
OUTSIDER = User("matrix", "@someone:elsewhere.example")
REFUSED = Text.of("linking.refused")


def code_of(database: Database, user: User, at: datetime = NOON) -> str:
    return database.run_now(lambda session: start(session, user, at))


def entered(database: Database, code: str, user: User, at: datetime = NOON) -> str | Text:
    return database.run_now(lambda session: prove(session, code, user, at))


def person(database: Database, user: User) -> str | None:
    return database.run_now(lambda session: getattr(person_of(session, user), "id", None))


@pytest.mark.parametrize(("maker", "other"), [(LINKED, NEW), (NEW, LINKED)])
def test_a_code_goes_either_way(peopled: Files, maker: User, other: User) -> None:
    database = peopled.database
    code = code_of(database, maker)
    assert entered(database, f" {code.lower().replace('-', ' ')} ", other) == "agent-b"
    assert person(database, NEW) == person(database, LINKED) == "agent-b"
    assert entered(database, code, other) == REFUSED, "a code works once"
    assert entered(database, code_of(database, maker), other) == "agent-b", "both are the same person already"


def test_a_code_ends_after_a_quarter_of_an_hour(peopled: Files) -> None:
    code = code_of(peopled.database, LINKED)
    assert entered(peopled.database, code, NEW, NOON + LIFE) == REFUSED
    code = code_of(peopled.database, LINKED)
    assert entered(peopled.database, code, NEW, NOON + LIFE - timedelta(seconds=1)) == "agent-b"


def test_a_new_code_replaces_the_last_one(peopled: Files) -> None:
    first, second = code_of(peopled.database, LINKED), code_of(peopled.database, LINKED)
    assert entered(peopled.database, first, NEW) == REFUSED
    assert entered(peopled.database, second, NEW) == "agent-b"


def test_refusals_do_not_say_why(peopled: Files) -> None:
    database = peopled.database
    agent_a = User("slack", "T0EX:U0AGENTA", insider=True)
    stranger = User("slack", "T0EX:U0OTHER", insider=True)
    for maker, other in (
        (LINKED, LINKED),  # the same account
        (LINKED, agent_a),  # two people
        (NEW, stranger),  # nobody is linked
        (agent_a, NEW),  # the person has an account there
    ):
        assert entered(database, code_of(database, maker), other) == REFUSED
    assert entered(database, "", NEW) == REFUSED
    assert entered(database, "ÀÉ" * 5000, agent_a) == REFUSED
    assert person(database, NEW) is None


def test_an_account_that_was_linked_meanwhile_is_nobody_elses(peopled: Files) -> None:
    code = code_of(peopled.database, NEW)
    peopled.load(people=f"id,slack_id\nagent-c,{NEW.id}\n")
    assert entered(peopled.database, code, LINKED) == REFUSED


def test_tries_are_limited_by_the_hour(peopled: Files) -> None:
    database = peopled.database
    code = code_of(database, LINKED)
    for _ in range(TRIES):
        assert entered(database, "AAAA-AAAA", NEW) == REFUSED
    assert entered(database, code, NEW) == Text.of("linking.too_many_tries")
    later = NOON + timedelta(hours=1)
    assert entered(database, code_of(database, LINKED, later), NEW, later) == "agent-b"


def test_an_outsider_enters_a_code_but_makes_none(peopled: Files) -> None:
    peopled.load(people="id,matrix_id\nagent-a,\n")
    with pytest.raises(UserError):
        code_of(peopled.database, OUTSIDER)
    agent_a = User("slack", "T0EX:U0AGENTA", insider=True)
    assert entered(peopled.database, code_of(peopled.database, agent_a), OUTSIDER) == "agent-a"
    assert code_of(peopled.database, OUTSIDER)


def test_codes_are_easy_to_read(peopled: Files) -> None:
    codes = {code_of(peopled.database, LINKED) for _ in range(50)}
    assert len(codes) == 50
    assert all(len(code) == 9 and code[4] == "-" and not set(code) & set("IL1O0U") for code in codes)


def test_a_link_stands_in_the_history(peopled: Files) -> None:
    entered(peopled.database, code_of(peopled.database, LINKED), NEW)
    [change] = peopled.database.run_now(lambda session: history.of(session, PEOPLE, {"id": "agent-b"}))
    assert history.values(change) == ({"slack_id": None}, {"slack_id": NEW.id})
    assert (change.at, change.via, change.person, change.account) == (NOON, "link", "agent-b", NEW.id)


def recognised(files: Files, user: User) -> str | None:
    found = files.database.run_now(lambda s: identify(s, user, (user.platform, "DM"), direct=True, at=NOON))
    return found.person if found is not None else None


def mailed(email: str | None, *, account: str = "U0NEW", insider: bool = True) -> User:
    return User("slack", account, insider=insider, email=email)


def test_a_verified_address_links_an_account(peopled: Files) -> None:
    peopled.load(people="id,email,slack_id\nagent-b,B@Example.org,\nagent-a,a@example.org,T0EX:U0AGENTA\n")
    assert recognised(peopled, mailed(None)) is None
    assert recognised(peopled, mailed("other@example.org")) is None
    assert recognised(peopled, mailed("b@example.org", insider=False)) is None
    assert recognised(peopled, mailed("a@example.org")) is None, "who has an account there keeps it"
    assert recognised(peopled, mailed("b@example.ORG")) == "agent-b"
    assert recognised(peopled, mailed(None)) == "agent-b", "from then on it is theirs"
    assert recognised(peopled, mailed("b@example.org", account="U0OTHER")) is None, "once"
    [change] = peopled.database.run_now(lambda session: history.of(session, PEOPLE, {"id": "agent-b"}))[:1]
    assert (change.via, change.account) == ("email", "U0NEW")


def test_an_address_of_two_people_links_nobody(peopled: Files) -> None:
    peopled.load(people="id,email,slack_id\nagent-b,x@example.org,\nagent-d,X@example.org,\n")
    assert recognised(peopled, mailed("x@example.org")) is None
    assert recognised(peopled, User("matrix", "@new:example.org", insider=True, email="a@example.org")) is None


def test_an_address_that_somebody_else_wrote_links_nobody(peopled: Files) -> None:
    """Who keeps a colleague's card would else speak as that colleague, with all their rights."""
    peopled.load(people="id,email,slack_id\nagent-b,b@example.org,\n")

    def written(by: str) -> None:
        def work(session: Session) -> None:
            card = keeping.Card(PEOPLE, session.get_one(Person, "agent-b"))
            for number in range(25):  # what is changed after it does not hide it
                values = {"email": "old@example.org" if number < 4 else "new@example.org", "phone": f"+33 {number}"}
                assert not keeping.correct(session, card, values, Author(NOON, "card", by), timedelta(days=180))

        peopled.database.run_now(work)

    written("agent-a")
    assert recognised(peopled, mailed("new@example.org")) is None
    written("agent-b")
    assert recognised(peopled, mailed("new@example.org")) == "agent-b", "their own address is theirs to say"
    peopled.load(people="id,slack_id\nagent-b,\n")
    written("agent-a")
    peopled.database.run_now(lambda s: rights.grant(s, "agent-a", "administrator"))
    assert recognised(peopled, mailed("new@example.org")) == "agent-b", "so may who writes accounts"
