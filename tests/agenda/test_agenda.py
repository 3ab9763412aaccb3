"""The agenda as people use it: one line enters an event, the week shows it to those it concerns, buttons answer."""

from datetime import UTC, datetime

from bot.card import Errors, Form
from tests.agenda.conftest import event
from tests.stories.people import alone
from tests.stories.scene import Place, Scene, fields_of
from tests.typed import typed

CCT = "agenda ajouter 19 mars 14h Strasbourg CCT plénière"


async def test_one_line_enters_an_event_and_the_room_sees_it(play: Scene) -> None:
    room = play.link("prefecture-67")
    await room.say(f"!{CCT}")
    shown = room.sees("CCT plénière (E-1)")
    assert fields_of(shown.card)["Quand"].startswith("jeudi 19 mars 2026, de 14")
    assert fields_of(shown.card)["Lieu"] == "Strasbourg"
    assert "Comité" in fields_of(shown.card)["Concerne"] or "CCT" in fields_of(shown.card)["Concerne"]
    assert shown.buttons == ["Je viens", "Non", "Peut-être"]
    made = event(play)
    assert (made.kind, made.territories, made.bodies, made.organisers) == (
        "commission",
        "67",
        "organe-cct",
        "prefecture-67",
    )
    assert made.starts == datetime(2026, 3, 19, 13, tzinfo=UTC)


async def test_the_week_shows_what_is_around_the_reader_and_nothing_else(play: Scene) -> None:
    me = alone(play)
    await me.say(CCT)
    await me.say("agenda ajouter 20 mars Lille réunion sur la frontière belge")
    await me.say("agenda ajouter 21 mars 9h Sarrebruck échange sur les visas")
    consul = alone(play, "U0CONSUL")
    for somebody in (me, consul):
        await somebody.say("agenda")
        week = somebody.sees("Agenda du")
        assert "CCT plénière" in week.text
        assert "échange sur les visas" in week.text
        assert ("belge" in week.text) == (somebody is me)  # whose own it is
    for words in ("tout", "59", "semaine prochaine tout"):
        await consul.say(f"agenda {words}")
        assert ("belge" in consul.sees("Agenda du").text) == (words != "semaine prochaine tout")
    await me.say("agenda commissions Allemagne")
    shown = me.sees("Agenda du").text
    assert "CCT plénière" in shown
    assert "visas" not in shown


async def test_the_other_side_s_holidays_are_shown(play: Scene) -> None:
    me = alone(play)
    await me.say("agenda 4 juin")
    shown = me.sees("Agenda du").text
    assert "Férié : Fête-Dieu (Allemagne : BW/RP)" in shown  # in Baden-Württemberg, and not in Alsace


async def test_people_read_times_where_they_are(play: Scene) -> None:
    me = alone(play)
    await me.say("agenda ajouter 24 mars 15h Londres point visas")
    shown = me.sees("point visas (E-1)")
    assert typed(fields_of(shown.card)["Quand"]) == "mardi 24 mars 2026, de 16 h à 17 h (15 h à Londres)"


async def test_bad_lines_get_a_sentence_that_says_what_to_do(play: Scene) -> None:
    me = alone(play)
    for line, words in (
        ("agenda ajouter CCT plénière", "Je n’ai pas trouvé la date"),
        ("agenda ajouter 31 février CCT", "n’existe pas au calendrier"),
        ("agenda ajouter 12 mars 25h CCT", "n’est pas une heure"),
        ("agenda ajouter 12 mars 14h", "Dites aussi de quoi il s’agit"),
        ("agenda E-99", "Je ne trouve pas d’événement E-99"),
        ("agenda zzqqk", "Je n’ai pas compris « zzqqk »"),
    ):
        await me.say(f"!{line}")
        assert words in me.posts[-1].text


async def test_a_form_is_offered_filled_in_and_says_what_is_wrong(play: Scene) -> None:
    me = alone(play)
    form = await me.slash("agenda", "ajouter CCT plénière", forms=True)
    assert isinstance(form, Form)
    values = {field.name: field.value for field in form.fields}
    assert values["titre"] == "CCT plénière"
    wrong = await me.submit(form, **{**values, "quand": "bientôt"})
    assert isinstance(wrong, Errors)
    assert wrong.by_field[0][0] == "quand"
    await me.submit(form, **{**values, "quand": "19 mars 14h-16h30", "lieu": "Kehl", "type": "commission"})
    shown = me.sees("CCT plénière (E-1)")
    assert fields_of(shown.card)["Lieu"] == "Kehl"
    again = await me.click(shown, "Modifier", forms=True)
    assert isinstance(again, Form)
    kept = {field.name: field.value for field in again.fields}
    assert kept["quand"] == "2026-03-19 14:00-16:30"
    before = event(play).details
    await me.submit(again, **kept)
    assert event(play).details == before  # submitted as it was, it says the same
    await me.submit(again, **{**kept, "quand": "20 mars 10h-12h"})
    moved = event(play)
    assert moved.state == "moved"
    assert moved.moved_from == before.when.starts
    assert "déplacé, était prévu jeudi 19 mars à 14" in me.sees("E-1 est modifié").text


async def test_a_slack_message_becomes_an_event_after_a_look(play: Scene) -> None:
    room = play.link("prefecture-67")
    form = await room.invoke(
        "evenement", "Bonjour, le CCT se tient le 3 avril à 10h à Kehl.", pressed="m1", trigger="t"
    )
    assert isinstance(form, Form)
    values = {field.name: field.value for field in form.fields}
    assert values["quand"] == "2026-04-03 10:00-11:00"
    assert values["lieu"] == "Kehl"


async def test_answers_are_counted_and_organisers_see_who(play: Scene) -> None:
    room = play.link("prefecture-67")
    await room.say(f"!{CCT}")
    consul = alone(play, "U0CONSUL")
    await consul.say("agenda E-1")
    await consul.click(consul.sees("CCT plénière (E-1)"), "Je viens")
    shown = consul.sees("Noté : vous venez à E-1.")
    assert "1 oui, 0 non, 0 peut-être" in fields_of(shown.card)["Participation"]
    assert "Qui vient ?" not in shown.buttons
    await consul.say("agenda qui E-1")
    consul.sees("Seuls ceux qui l’organisent voient qui vient.")
    me = alone(play)
    await me.say("agenda E-1")
    await me.click(me.sees("CCT plénière (E-1)"), "Qui vient ?")
    assert "Consul Modèle" in me.sees("Oui : 1").text


async def test_who_cannot_come_sends_a_colleague(play: Scene) -> None:
    me = alone(play)
    await me.say(CCT)
    await me.click(me.sees("(E-1)"), "Non")
    offered = me.sees("Quelqu’un vient à votre place ?")
    assert "Collègue Témoin" in offered.buttons
    assert "Consul Modèle" not in offered.buttons
    await me.click(offered, "Collègue Témoin")
    shown = me.sees("Collègue Témoin vous remplace à E-1")
    assert "1 oui, 1 non" in fields_of(shown.card)["Participation"]
    await me.say("agenda remplacer E-1 consul-b")
    me.sees("n’est pas un collègue de votre service")
    await me.say("agenda oui E-1")
    assert "1 oui, 0 non" in fields_of(me.sees("vous venez à E-1").card)["Participation"]


async def test_only_who_may_changes_an_event(play: Scene) -> None:
    me, colleague, editor = alone(play), alone(play, "U0COLLEGUE"), alone(play, "U0EDITEUR")
    consul, coordinator = alone(play, "U0CONSUL"), alone(play, "U0COORD")
    await me.say(CCT)
    for somebody in (colleague, consul):
        await somebody.say("agenda annuler E-1 oui")
        somebody.sees("Seul qui l’a entré, un rédacteur")
    await editor.say("agenda déplacer E-1 20 mars 9h")
    editor.sees("E-1 est déplacé.")
    moved = event(play)
    assert (moved.starts, moved.ends) == (datetime(2026, 3, 20, 8, tzinfo=UTC), datetime(2026, 3, 20, 9, tzinfo=UTC))
    await coordinator.say("agenda annuler E-1")
    await coordinator.click(coordinator.sees("le verront annulé"), "Oui, annuler")
    coordinator.sees("E-1 est annulé.")
    await consul.say("agenda")
    assert "annulé" in consul.sees("Agenda du").text
    await consul.say("agenda oui E-1")
    consul.sees("il n’y a plus à répondre")


async def test_an_event_for_its_own_is_nobody_else_s(play: Scene) -> None:
    me = alone(play)
    form = await me.slash("evenement", "", forms=True)
    await me.submit(
        form, titre="Point interne", quand="18 mars 9h", type="other", visibilite="own", pour="", lieu="Colmar"
    )
    me.sees("Point interne")
    colleague, consul = alone(play, "U0COLLEGUE"), alone(play, "U0CONSUL")
    await colleague.say("agenda")
    assert "Point interne" in colleague.sees("Agenda du").text
    await consul.say("agenda tout")
    assert "Point interne" not in consul.sees("Agenda du").text
    await consul.say("agenda E-1")
    consul.sees("Je ne trouve pas d’événement E-1")


async def test_strangers_see_nothing_and_readers_add_nothing(play: Scene) -> None:
    stranger = Place(play, "elsewhere", insider=False)
    await stranger.say(f"!{CCT}")
    await stranger.say("!agenda")
    stranger.sees_not("Agenda du")


async def test_words_of_an_encrypted_room_stay_there(play: Scene) -> None:
    room = play.link("prefecture-67", encrypted=True)
    room.encrypted = True
    await room.say("!agenda ajouter 19 mars 14h Strasbourg entretien réservé")
    assert event(play).sealed
    me = alone(play)
    await me.say("agenda")
    shown = me.sees("Agenda du").text
    assert "détails dans son salon chiffré" in shown
    assert "entretien réservé" not in shown
    assert "Strasbourg" not in shown
    await me.say("agenda E-1")
    me.sees_not("entretien réservé")
    coordinator = alone(play, "U0COORD")
    await coordinator.say("agenda annuler E-1")
    coordinator.sees("Annuler E-1")
    await coordinator.slash("evenement", "modifier E-1", forms=True)
    coordinator.sees("modifiez-le là-bas")
    coordinator.sees_not("entretien réservé")
