"""Who comes to an event is reminded the day before and the hour before, by their own clock, and never at night."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from bot.agenda.tables import Event
from bot.clockwork.appointments import moments
from bot.directory.tables import Person
from tests.stories.people import alone
from tests.stories.scene import Scene

CCT = "agenda ajouter 24 mars 14h Strasbourg CCT plénière"


async def test_the_day_before_and_the_hour_before_once_each(play: Scene) -> None:
    me = alone(play)
    await me.say(CCT)
    await me.say("agenda oui E-1")
    await play.at("2026-03-23T08:59")
    me.sees_not("Rappel")
    await play.at("2026-03-23T09:00")
    shown = me.sees("Rappel : c’est demain.")
    assert "CCT plénière (E-1)" in shown.text
    assert shown.buttons == ["Voir", "Je ne viens plus"]
    await play.at("2026-03-24T12:59")
    assert me.transcript().count("Rappel") == 1
    await play.at("2026-03-24T13:00")
    me.sees("Rappel : cela commence à 14 h.")
    await play.at("2026-03-24T13:30")
    assert me.transcript().count("Rappel") == 2


async def test_it_moves_with_the_event_and_goes_with_it(play: Scene) -> None:
    me = alone(play)
    await me.say(CCT)
    await me.say("agenda peut-être E-1")
    await play.at("2026-03-23T09:00")
    assert me.transcript().count("Rappel") == 1
    await me.say("agenda déplacer E-1 26 mars 15h")
    await play.at("2026-03-24T13:00")
    assert me.transcript().count("Rappel") == 1
    await play.at("2026-03-25T09:00")
    assert me.transcript().count("Rappel") == 2
    await me.say("agenda annuler E-1 oui")
    await play.at("2026-03-26T14:00")
    assert me.transcript().count("Rappel") == 2


async def test_the_stand_in_is_reminded_and_who_sent_them_is_not(play: Scene) -> None:
    me, other = alone(play), alone(play, "U0COLLEGUE")
    await me.say(CCT)
    await me.say("agenda remplacer E-1 collegue-a")
    await play.at("2026-03-23T09:00")
    other.sees("Rappel : c’est demain.")
    me.sees_not("Rappel")


async def test_stand_ins_and_guests_hear_at_once_what_becomes_of_it(play: Scene) -> None:
    me, other, consul = alone(play), alone(play, "U0COLLEGUE"), alone(play, "U0CONSUL")
    await me.say(CCT)
    await consul.say("agenda oui E-1")
    await me.say("agenda remplacer E-1 collegue-a")
    await play.tick()
    shown = other.sees("Vous y remplacez Agent Exemple.")
    await other.click(shown, "Je ne viens plus")
    asked = me.sees("Collègue Témoin ne peut pas vous remplacer à E-1.")
    await me.click(asked, "Proposer quelqu’un d’autre")
    await me.click(me.sees("Quelqu’un vient à votre place ?"), "Éditrice Exemple")
    await me.say("agenda peut-être E-1")
    alone(play, "U0EDITEUR").sees("viendra à E-1 : vous n’y êtes plus attendu")
    await play.at("2026-03-16T23:00")
    await me.say("agenda déplacer E-1 26 mars 15h")
    await play.tick()
    consul.sees_not("a changé")  # it is night
    await play.at("2026-03-17T07:00")
    assert "jeudi 26 mars" in consul.sees("où vous êtes attendu, a changé").text
    await me.say("agenda annuler E-1 oui")
    await play.tick()
    await play.tick()
    assert consul.transcript().count("C’est annulé") == 1
    me.sees_not("C’est annulé")  # who cancels it knows
    other.sees_not("a changé")  # who does not come is spared


async def test_each_by_their_own_clock(play: Scene) -> None:
    me, consul = alone(play), alone(play, "U0CONSUL")

    def far(session: Session) -> None:
        session.get_one(Person, "consul-b").timezone = "America/Cayenne"

    play.app.database.run_now(far)
    await me.say(CCT)
    for somebody in (me, consul):
        await somebody.say("agenda oui E-1")
    await play.at("2026-03-23T09:00")
    me.sees("Rappel")
    consul.sees_not("Rappel")
    await play.at("2026-03-23T09:00", "America/Cayenne")
    consul.sees("Rappel : c’est demain.")
    await play.at("2026-03-24T09:00", "America/Cayenne")
    consul.sees("Rappel : cela commence à 10 h.")


async def test_who_answers_late_is_not_told_what_they_have_just_read(play: Scene) -> None:
    me = alone(play)
    await me.say(CCT)
    await play.at("2026-03-23T18:00")
    await me.say("agenda oui E-1")
    await play.tick()
    me.sees_not("Rappel")
    await play.at("2026-03-24T13:00")
    me.sees("Rappel : cela commence")


async def test_a_room_hears_for_those_whom_only_it_knows(play: Scene) -> None:
    room = play.link("prefecture-67")
    guest = room.as_("guest")
    await guest.say(f"!{CCT}")
    await guest.click(room.sees("CCT plénière"), "Je viens")
    await play.at("2026-03-23T09:00")
    assert "Rappel" in "".join(shown.text for shown in play.stage.posts.values())


@pytest.mark.parametrize(
    ("starts", "day", "hour"),
    [
        ("2026-03-24T13:00", "2026-03-23T08:00", "2026-03-24T12:00"),
        ("2026-03-24T06:30", "2026-03-23T08:00", "2026-03-23T20:00"),  # 5.30 in Paris
        ("2026-03-24T22:30", "2026-03-23T08:00", "2026-03-24T20:00"),
        ("2026-03-29T08:00", "2026-03-28T08:00", "2026-03-29T07:00"),  # on the day on which clocks change
    ],
)
def test_nobody_is_told_anything_at_night(starts: str, day: str, hour: str) -> None:
    at = datetime.fromisoformat(starts).replace(tzinfo=UTC)
    event = Event(starts=at, ends=at, zone="Europe/Paris", whole_days=False)
    found = moments(event, "Europe/Paris")
    assert [f"{it:%Y-%m-%dT%H:%M}" for it in found if it is not None] == [day, hour]
