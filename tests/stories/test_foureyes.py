"""What one administrator asks for, a second one lets happen, or nothing happens."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from bot import due
from bot.audit import chain
from bot.audit.tables import Entry
from bot.db import Database
from bot.directory.tables import Person, Posting
from bot.foureyes import ACT
from bot.life import tick
from tests.stories.lived import erased
from tests.stories.people import Someone, alone, enter
from tests.stories.scene import Place, Scene, scene

FILES = {
    "people": "id,given_name,family_name,slack_id\n"
    "admin-a,Administratrice,Une,U0ADMINA\nadmin-b,Administrateur,Deux,U0ADMINB\n"
    "coord-a,Coordinatrice,Exemple,U0COORD\npartant,Partant,Exemple,U0PARTANT\n",
    "postings": "person,organisation,role,start,end\n"
    "admin-a,ministere-dcis,desk,2020-01-01,\nadmin-b,ministere-dcis,desk,2020-01-01,\n"
    "coord-a,ministere-dcis,desk,2020-01-01,\npartant,prefecture-57,desk,2020-01-01,\n",
}


@pytest.fixture
async def play(shipped: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    granted = {"admin-a": "administrator", "admin-b": "administrator", "coord-a": "coordinator"}
    shipped.run_now(lambda session: enter(session, tmp_path, FILES, granted))
    async with scene(shipped, platform="slack") as play:
        yield play


@pytest.fixture
def room(play: Scene) -> Place:
    return play.link("ministere-dcis")


def acts(play: Scene) -> list[str]:
    found = select(Entry.action).where(Entry.action.like("four_eyes%")).order_by(Entry.id)
    return list(play.app.database.run_now(lambda s: s.scalars(found).all()))


def there(play: Scene, who: str = "partant") -> bool:
    return play.app.database.run_now(lambda s: s.get(Person, who) is not None)


async def test_a_second_administrator_lets_it_happen(play: Scene, room: Place) -> None:
    first = alone(play, "U0ADMINA")
    await first.say("effacer partant")
    first.sees("Un autre administrateur doit le confirmer")
    card = room.sees("effacer tout ce qui est conservé de « partant »")
    await tick(play.app)
    assert there(play)
    await Someone(play, room.room, "U0ADMINB").click(card, "Confirmer")
    await tick(play.app)
    await play.settle()
    assert not there(play)
    room.sees("C’est fait")
    assert acts(play) == ["four_eyes.asked", "four_eyes.confirmed"]


async def test_who_asks_does_not_confirm_and_may_withdraw(play: Scene, room: Place) -> None:
    first = alone(play, "U0ADMINA")
    await first.say("effacer partant")
    card = room.sees("effacer tout ce qui est conservé")
    await Someone(play, room.room, "U0ADMINA").click(card, "Confirmer")
    room.sees("qui demande ne confirme pas")
    await tick(play.app)
    assert there(play)
    await first.click(first.sees("Un autre administrateur doit"), "Retirer la demande")
    first.sees("Demande retirée")
    await Someone(play, room.room, "U0ADMINB").click(card, "Confirmer")
    room.sees("n’attend plus personne")
    await tick(play.app)
    assert there(play)
    assert acts(play) == ["four_eyes.asked", "four_eyes.withdrawn"]


async def test_without_a_second_within_a_day_nothing_happens(play: Scene, room: Place) -> None:
    await alone(play, "U0ADMINA").say("effacer partant")
    card = room.sees("effacer tout ce qui est conservé")
    play.clock.pass_(hours=25)
    await tick(play.app)
    await Someone(play, room.room, "U0ADMINB").click(card, "Confirmer")
    room.sees("n’attend plus personne")
    await tick(play.app)
    assert there(play)
    assert acts(play) == ["four_eyes.asked", "four_eyes.expired"]
    Place(play, "U0ADMINA").sees("Personne d’autre n’a confirmé à temps")


async def test_nobody_else_asks_or_confirms(play: Scene, room: Place) -> None:
    other = alone(play, "U0COORD")
    await other.say("effacer partant")
    other.sees("Il faut être administrateur")
    await alone(play, "U0ADMINA").say("effacer partant")
    card = room.sees("effacer tout ce qui est conservé")
    await Someone(play, room.room, "U0COORD").click(card, "Confirmer")
    room.sees("Il faut être administrateur")
    await Someone(play, room.room, "U0ADMINB").click(card, "Refuser")
    room.sees("Refusé")
    await tick(play.app)
    await play.settle()
    assert there(play)
    assert acts(play) == ["four_eyes.asked", "four_eyes.refused"]
    Place(play, "U0ADMINA").sees("Un autre administrateur a refusé, rien n’a été fait")


@pytest.mark.parametrize("confirmed", [False, True])
async def test_what_the_command_line_erased_meanwhile_waits_no_more(play: Scene, room: Place, confirmed: bool) -> None:
    await alone(play, "U0ADMINA").say("effacer partant")
    card = room.sees("effacer tout ce qui est conservé de « partant »")
    if confirmed:
        await Someone(play, room.room, "U0ADMINB").click(card, "Confirmer")
    erased(play, "partant")
    await play.settle()
    room.sees_not("partant")
    with capture_logs() as logged:
        await play.tick()
    assert [event for event in logged if event["log_level"] == "error"] == []
    assert play.app.database.run_now(lambda s: due.found(s, play.clock() + timedelta(days=2), 9, (ACT,))) == []
    await Someone(play, room.room, "U0ADMINB").click(card, "Confirmer")
    room.sees("n’attend plus personne")


async def test_what_is_of_no_use_any_more_is_said_to_be(play: Scene, room: Place) -> None:
    await alone(play, "U0ADMINA").say("effacer partant")
    card = room.sees("effacer tout ce qui est conservé")

    def gone(session: Session) -> None:
        session.execute(delete(Posting).where(Posting.person == "partant"))
        session.execute(delete(Person).where(Person.id == "partant"))

    play.app.database.run_now(gone)
    await Someone(play, room.room, "U0ADMINB").click(card, "Confirmer")
    await play.tick()
    room.sees("Ce n’a pas pu être fait : l’effacement d’une personne, confirmé à deux. L’annuaire ne connaît personne")
    Place(play, "U0ADMINA").sees("Ce n’a pas pu être fait")
    assert acts(play) == ["four_eyes.asked", "four_eyes.confirmed", "four_eyes.void"]


async def test_whoever_is_not_known_is_said_so(play: Scene, room: Place) -> None:
    first = alone(play, "U0ADMINA")
    await first.say("effacer personne-du-tout")
    first.sees("ne connaît personne")
    room.sees_not("effacer tout")


async def test_the_head_of_the_audit_is_given_away_daily(play: Scene, room: Place) -> None:
    await tick(play.app)
    room.sees_not("empreinte du jour")
    play.clock.pass_(days=1, minutes=1)
    await tick(play.app)
    await play.settle()
    shown = room.sees("empreinte du jour").text
    given = chain.parse(shown.partition("`")[2].partition("`")[0])
    assert given is not None
    assert given.position > 0
    assert play.app.database.reading(lambda s: chain.verify(s, given)).fault is None
