"""Digests as people use them: subscribed in one line, said at their hour, with what changed since the last one."""

import asyncio
import zoneinfo
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from bot import life
from bot.agenda.tables import Event
from bot.card import Errors, Form
from bot.life import tick
from tests.stories.people import alone
from tests.stories.scene import Scene, fields_of
from tests.typed import typed

CCT = "agenda ajouter 24 mars 14h Strasbourg CCT plénière"


async def test_a_room_subscribes_in_a_line_and_gets_its_monday(play: Scene) -> None:
    room = play.link("prefecture-67")
    await room.say(f"!{CCT}")
    await room.say("!digest chaque lundi à 8 h")
    card = room.sees("Digest D-1")
    assert fields_of(card.card)["Rythme"] == "chaque lundi · à 8 h"
    assert typed(fields_of(card.card)["Prochain"]) == "lundi 23 mars à 8 h"
    assert card.buttons == ["Aperçu", "Modifier", "Mettre en pause", "Arrêter"]
    await play.at("2026-03-23T07:59")
    room.sees_not("Ce qui passe la frontière")
    await play.at("2026-03-23T08:00")
    shown = room.sees("Ce qui passe la frontière, du lundi 23 mars 2026 au dimanche 29 mars 2026")
    assert "mardi 24 mars 2026" in shown.text
    assert "14 h · **CCT plénière** · Strasbourg" in shown.text
    assert "nouveau" not in shown.text, "the first digest compares with nothing"
    await play.at("2026-03-23T08:01")
    assert room.transcript().count("Ce qui passe la frontière") == 1
    await play.at("2026-03-30T08:00")
    assert "Rien à signaler" in room.sees("du lundi 30 mars 2026").text or "Férié" in room.sees("du lundi 30 mars").text


async def test_what_is_new_moved_and_cancelled_is_marked_once(play: Scene) -> None:
    room = play.link("prefecture-67")
    me = alone(play)
    await me.say(CCT)
    await me.say("agenda ajouter 26 mars 9h Strasbourg comité hospitalier")
    await me.say("agenda ajouter 27 mars 9h Strasbourg exercice de crue")
    await room.say("!digest tous les jours à 8 h, sur 14 jours")
    await play.at("2026-03-17T08:00")
    assert "Depuis le dernier" not in room.sees("Ce qui passe").text
    await me.say("agenda déplacer E-1 25 mars 15h")
    await me.say("agenda annuler E-2 oui")
    await me.say("agenda déplacer E-3 7 mai 9h")
    await me.say("agenda ajouter 23 mars 10h Strasbourg formation aux visas")
    await play.at("2026-03-18T08:00")
    text = room.sees("du mercredi 18 mars").text
    assert "nouveaux : 1 · déplacés : 2 · annulés : 1" in text
    assert "CCT plénière** · Strasbourg · **déplacé**, c’était mardi 24 mars à 14 h" in text
    assert "comité hospitalier** · Strasbourg · **annulé**" in text
    assert "jeudi 7 mai 2026, de 9 h à 10 h" in text, "moved out of these days, and told of all the same"
    assert "formation aux visas** · Strasbourg · **nouveau**" in text
    await play.at("2026-03-19T08:00")
    text = room.sees("du jeudi 19 mars").text
    assert "Depuis le dernier" not in text
    assert "comité hospitalier" not in text
    assert "CCT plénière" in text


async def test_late_is_said_once_and_says_so(play: Scene) -> None:
    room = play.link("prefecture-67")
    await room.say("!digest tous les jours à 8 h")
    await play.at("2026-03-20T15:00")  # nobody was there for three days
    late = room.sees("Ce qui passe la frontière")
    assert "En retard** : ce digest était prévu vendredi 20 mars à 8 h" in late.text
    assert room.transcript().count("Ce qui passe la frontière") == 1
    await play.at("2026-03-21T08:00")
    assert "En retard" not in room.sees("du samedi 21 mars").text


async def test_a_clock_that_steps_says_nothing_twice_and_misses_nothing(play: Scene) -> None:
    room = play.link("prefecture-67")
    await room.say("!digest tous les jours à 8 h")

    def count() -> int:
        return room.transcript().count("Ce qui passe la frontière")

    said = 0
    for instant, more in (
        ("2026-03-17T08:00", 1),
        ("2026-03-17T07:00", 0),  # an hour back
        ("2026-03-17T08:30", 0),
        ("2026-03-18T08:00", 1),
        ("2025-03-18T12:00", 0),  # a year back: before it began
        ("2026-03-18T12:00", 0),
        ("2026-03-19T08:00", 1),
        ("2027-03-19T12:00", 1),  # a year ahead, by mistake
        ("2026-03-19T12:00", 0),  # and right again
        ("2026-03-20T08:00", 1),
        ("2026-03-21T08:00", 1),
    ):
        play.clock.at = datetime.fromisoformat(instant).replace(tzinfo=ZoneInfo("Europe/Paris")).astimezone(UTC)
        await tick(play.app)
        await play.settle()
        said += more
        assert count() == said, instant


async def test_new_rules_of_a_zone_say_nothing_twice_and_miss_nothing(play: Scene, tmp_path: Path) -> None:
    """A newer tzdata is installed while a digest is subscribed; the bot is started anew with it."""
    me = alone(play)
    await me.say("digest tous les jours à 8 h, heure de Cayenne")

    async def installed(rules: str) -> None:
        file = tmp_path / "America/Cayenne"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(resources.files("tzdata.zoneinfo").joinpath(rules).read_bytes())
        zoneinfo.reset_tzpath([str(tmp_path)])
        ZoneInfo.clear_cache()
        await play.app.database.run(lambda session: life._begin(session, play.app))
        await play.tick()

    said = 0
    try:
        for instant, more, rules in (
            ("2026-03-17T11:00", 1, "Etc/GMT+2"),  # said at 8, three hours behind; from now on two
            ("2026-03-18T10:00", 1, ""),
            ("2026-03-18T11:00", 0, "Etc/GMT+4"),  # eight comes once more that day
            ("2026-03-18T12:00", 0, ""),
            ("2026-03-19T11:00", 0, ""),
            ("2026-03-19T11:30", 0, "Etc/GMT+3"),  # eight has just been skipped: it comes late
            ("2026-03-19T12:00", 1, "Etc/GMT-9"),  # the other end of the world, where it is evening
            ("2026-03-19T22:59", 0, ""),
            ("2026-03-19T23:00", 1, ""),
        ):
            await play.at(instant, "UTC")
            said += more
            assert me.transcript().count("Ce qui passe la frontière") == said, instant
            if rules:
                await installed(rules)
    finally:
        zoneinfo.reset_tzpath()
        ZoneInfo.clear_cache()


async def test_a_person_reads_their_own_by_their_clock(play: Scene) -> None:
    consul = alone(play, "U0CONSUL")
    await consul.say("digest jours ouvrés à 7h30, heure de Cayenne, en anglais")
    card = consul.sees("Digest D-1")
    assert fields_of(card.card)["Heure"] == "America/Cayenne"
    await play.at("2026-03-17T07:30", "America/Cayenne")
    assert "What crosses the border" in consul.sees("What crosses").text
    await play.at("2026-03-21T12:00", "America/Cayenne")
    assert consul.transcript().count("What crosses") == 2  # the last of the days that were missed
    await play.at("2026-03-23T07:30", "America/Cayenne")
    assert consul.transcript().count("What crosses") == 3


async def test_pause_resume_stop_and_back_by_button(play: Scene) -> None:
    me = alone(play)
    await me.say("digest tous les jours à 8 h")
    await me.say("digest pause D-1 20 mars")
    assert typed(fields_of(me.sees("il reprend le").card)["Prochain"]) == "vendredi 20 mars à 8 h"
    await play.at("2026-03-19T08:00")
    me.sees_not("Ce qui passe")
    await play.at("2026-03-20T08:00")
    me.sees("Ce qui passe")
    await me.click(me.sees("Ce qui passe"), "Régler")
    await me.click(me.sees("Rythme"), "Mettre en pause")
    await play.at("2026-03-23T08:00")
    assert me.transcript().count("Ce qui passe") == 1
    paused = me.sees("jusqu’à ce que")
    await me.click(paused, "Reprendre le vendredi 3 avril 2026")
    assert typed(fields_of(me.sees("il reprend le vendredi 3 avril").card)["Prochain"]) == "vendredi 3 avril à 8 h"
    await me.click(paused, "Reprendre")
    await play.at("2026-03-23T12:00")
    assert me.transcript().count("Ce qui passe") == 1, "what fell due in the pause is not said"
    await play.at("2026-03-24T08:00")
    assert me.transcript().count("Ce qui passe") == 2
    await me.click(me.sees("Ce qui passe"), "Arrêter")
    await play.at("2026-03-25T08:00")
    assert me.transcript().count("Ce qui passe") == 2
    await me.click(me.sees("est arrêté"), "Le reprendre")
    assert fields_of(me.sees("Digest D-2" if "D-2" in me.transcript() else "Digest D-1").card)["Rythme"] == (
        "tous les jours · à 8 h"
    )


async def test_a_form_asks_and_says_what_is_wrong(play: Scene) -> None:
    me = alone(play)
    form = await me.slash("digest", forms=True)
    assert isinstance(form, Form)
    wrong = await me.submit(form, rythme="parfois", filtre="", horizon="7", sujets="poésie", langue="auto", vide="oui")
    assert isinstance(wrong, Errors)
    assert [name for name, _ in wrong.by_field] == ["rythme", "sujets"]
    await me.submit(form, rythme="lundi 9h", filtre="tout", horizon="31", sujets="visa", langue="en", vide="non")
    found = fields_of(me.sees("Digest D-1").card)
    assert (found["Rythme"], found["Horizon"], found["S’il est vide"]) == (
        "chaque lundi · à 9 h",
        "31 jours",
        "reste silencieux",
    )
    change = await me.click(me.sees("Digest D-1"), "Modifier", forms=True)
    assert isinstance(change, Form)
    assert next(field.value for field in change.fields if field.name == "rythme") == "chaque lundi · à 9 h"
    await me.submit(change, rythme="mardi 9h", filtre="", horizon="7", langue="auto", vide="oui")
    assert "chaque mardi" in me.sees("est modifié").text


async def test_an_empty_one_keeps_silent_where_that_was_asked(play: Scene) -> None:
    me = alone(play)
    await me.say("digest tous les jours à 8 h formations 67, rien si vide")
    await play.at("2026-03-17T08:00")
    me.sees_not("Ce qui passe")
    await me.say("agenda ajouter 19 mars 9h Strasbourg formation aux visas")
    await play.at("2026-03-18T08:00")
    assert "formation aux visas" in me.sees("Ce qui passe").text


async def test_who_may_not_act_for_a_room_changes_nothing_there(play: Scene) -> None:
    room = play.link("prefecture-67")
    await room.say("!digest chaque lundi à 8 h")
    consul = alone(play, "U0CONSUL")
    for line in ("aperçu D-1", "pause D-1", "modifier D-1 mardi", "arrêter D-1", "D-1"):
        await consul.say(f"digest {line}")
        consul.sees("Je ne connais pas de digest D-1")
        consul.sees_not("est arrêté")
    coordinator = alone(play, "U0COORD")
    await coordinator.say("digest pause D-1")
    coordinator.sees("en pause")


async def test_a_digest_ends_with_the_access_of_its_reader(play: Scene) -> None:
    room = play.link("prefecture-67")
    await room.say("!digest tous les jours à 8 h")
    play.link("consulat-munich", room="prefecture-67")  # the room speaks for another organisation now
    await play.at("2026-03-17T08:00")
    room.sees_not("Ce qui passe")


async def test_events_for_others_alone_and_their_questions_are_not_told(play: Scene) -> None:
    me, room, other = alone(play), play.link("prefecture-67"), play.link("prefecture-57")
    await me.say("agenda ajouter 18 mars 9h Strasbourg réunion interne")
    play.app.database.run_now(_for_its_own)
    await room.say("!digest tous les jours à 8 h tout")
    await other.say("!digest tous les jours à 8 h tout")
    await other.say("Nous doutons d'un acte de naissance établi à Sarrebruck. Pouvez-vous le vérifier ?")
    await play.at("2026-03-17T08:00")
    assert "réunion interne" in room.sees("Ce qui passe").text
    assert "Q-2026-00001" not in room.sees("Ce qui passe").text
    assert "réunion interne" not in other.sees("Ce qui passe").text
    assert "Questions ouvertes : 1" in other.sees("Ce qui passe").text


def _for_its_own(session: Session) -> None:
    session.get_one(Event, 1).visibility = "own"


async def test_training_is_told_with_its_seats_and_the_last_day_to_enrol(play: Scene) -> None:
    academy, me, other = play.link("ministere-academie-diplomatique"), alone(play), alone(play, "U0COLLEGUE")
    add = "!formation ajouter"
    await academy.say(f"{add} 18 mars 9h-17h Strasbourg Frontières imaginaires ; 2 places")
    await academy.say(f"{add} 20 mai Strasbourg Rivières imaginaires ; 1 place ; inscriptions avant le 19 mars")
    await academy.say(f"{add} 21 mai Strasbourg Postes imaginaires ; inscriptions avant le 19 mars ; réservé au MEAE")
    await me.say("formation inscrire E-1")
    await me.say("digest tous les jours à 8 h, formations")
    await other.say("digest tous les jours à 8 h, en anglais")
    await play.at("2026-03-17T08:00")
    mine, theirs = me.sees("Ce qui passe"), other.sees("What crosses")
    assert "Frontières imaginaires** · Strasbourg · vous avez une place (E-1)" in mine.text
    assert "dernier jour pour s’inscrire : **Rivières imaginaires** · places libres : 1 (E-2)" in mine.text
    assert "Frontières imaginaires** · Strasbourg · seats free: 1 (E-1)" in theirs.text
    assert "last day to enrol: **Rivières imaginaires** · seats free: 1 (E-2)" in theirs.text
    assert "Postes imaginaires" not in mine.text, "it is not open to them"
    await me.click(mine, "Les formations")
    await me.click(me.sees("Formations à venir"), "E-2")
    await me.click(me.sees("E-2 · Formation"), "S’inscrire")
    await play.at("2026-03-18T08:00")
    assert "Rivières" not in me.sees("du mercredi 18 mars").text
    assert "last day to enrol: **Rivières imaginaires** · full, waiting: 0" in other.sees("Wednesday, 18 March").text
    await play.at("2026-03-20T08:00")
    assert "Rivières" not in other.sees("Friday, 20 March").text
    await me.say("digest aperçu D-2")
    me.sees("Je ne connais pas de digest D-2")
    await other.say("digest aperçu D-2")
    assert other.transcript().count("What crosses the border, from Friday, 20 March") == 2


async def test_two_processes_say_each_digest_once(play: Scene) -> None:
    room = play.link("prefecture-67")
    for _ in range(6):
        await room.say("!digest tous les jours à 8 h")
    play.clock.at = datetime(2026, 3, 17, 7, tzinfo=UTC)
    await asyncio.gather(*(play.app.clockwork.tick(play.clock()) for _ in range(3)))
    await play.settle()
    assert room.transcript().count("Ce qui passe la frontière") == 6


async def test_a_full_agenda_is_cut_to_what_a_message_holds(play: Scene) -> None:
    me = alone(play)

    def fill(session: Session) -> None:
        for at in range(120):
            starts = datetime(2026, 3, 18, tzinfo=UTC) + timedelta(hours=at)
            whole = {"kind": "other", "zone": "Europe/Paris", "state": "confirmed", "place": "<&>" * 60}
            event = Event(uid=f"u{at}", title="&" * 200, starts=starts, ends=starts, territories="67", **whole)
            event.created_at = event.changed_at = starts
            session.add(event)

    play.app.database.run_now(fill)
    await me.say("digest tous les jours à 8 h, sur 31 jours")
    await play.at("2026-03-17T08:00")
    parts = [shown for shown in me.posts if "&&&" in shown.text]
    assert parts
    assert all(len(block) <= 3000 for shown in parts for block in _escaped(shown.text).split("\n\n"))
    last = me.sees("autres lignes")
    await me.click(last, "La suite")
    assert "Agenda du" in me.sees("Agenda du").text


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
