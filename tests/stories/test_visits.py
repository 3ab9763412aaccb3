"""A minister goes beyond the border: the prefects who share it are associated without anyone thinking of it."""

import pytest

from bot.card import Form
from tests.stories.people import alone
from tests.stories.scene import Place, Scene, fields_of
from tests.typed import typed

VISIT = "visite 2 avril 10h-12h Berlin entretien imaginaire sur les frontaliers"


@pytest.fixture
def play(staffed: Scene) -> Scene:
    return staffed


@pytest.fixture
def embassy(play: Scene) -> Place:
    return play.link("ambassade-de")


@pytest.fixture
def prefecture(play: Scene) -> Place:
    return play.link("prefecture-67")


async def entered(play: Scene, embassy: Place) -> None:
    """The embassy enters a visit, and the clockwork has its moment on a working afternoon."""
    await embassy.say(f"!{VISIT}")
    await play.at("2026-03-16T14:30")


async def test_the_prefects_of_the_border_are_asked_and_the_advisers_and_ambassadors_in_copy(
    play: Scene, embassy: Place, prefecture: Place
) -> None:
    region, frontier = play.link("region-grand-est"), play.link("ministere-ambassadeur-frontieres")
    elsewhere = play.link("prefecture-59")
    await entered(play, embassy)
    said = embassy.sees("est à l’agenda").text
    assert "Préfectures frontalières associées : 3" in said
    assert "Attendues : Moselle (57), Bas-Rhin (67), Haut-Rhin (68)" in said
    assert "En copie : Ambassadeur frontières, Grand Est" in said
    card = prefecture.sees("Votre préfecture est associée")
    assert card.buttons == ["Contribuer", "Rien à signaler", "Voir à l’agenda"]
    assert "attendue pour jeudi 26 mars à 18 h" in card.text
    assert fields_of(card.card)["Au titre de"] == "Bas-Rhin (67)"
    # those of Moselle and Haut-Rhin have no room: their region, whose adviser is in copy, has their cards
    assert region.transcript().count("Votre préfecture est associée") == 2
    for copy in (region, frontier, embassy):
        shown = copy.sees("Attendues : ")
        assert "0 sur 3" in fields_of(shown.card)["Contributions"]
    assert elsewhere.posts == []


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
async def test_contributions_are_gathered_into_one_brief(play: Scene, embassy: Place, prefecture: Place) -> None:
    moselle, haut_rhin = play.link("prefecture-57"), play.link("prefecture-68")
    await entered(play, embassy)
    await prefecture.click(prefecture.sees("associée"), "Contribuer")
    prompt = prefecture.sees("répondez à ce message")
    await prefecture.say("Le pont imaginaire rouvre en mai ; point d’attention : les bus.", reply_to=prompt)
    prefecture.sees("figurera dans la note")
    await moselle.click(moselle.sees("associée"), "Rien à signaler")
    await play.tick()
    assert "2 sur 3" in fields_of(embassy.sees("Attendues : ").card)["Contributions"]
    assert play.stage.files == {}
    await haut_rhin.say("!visite contribuer E-1 L’aéroport imaginaire attend sa convention.")
    await play.tick()
    embassy.sees("La note de synthèse de la visite E-1 (contributions : 3 sur 3)")
    pdf, text = (play.stage.files[it.id] for it in embassy.posts if it.id in play.stage.files)
    assert pdf.startswith(b"%PDF-")
    brief = typed(text.decode())
    assert "# Note de synthèse : entretien imaginaire sur les frontaliers" in brief
    assert brief.index("## Bas-Rhin (67)") < brief.index("Le pont imaginaire rouvre en mai")
    assert "L’aéroport imaginaire attend sa convention." in brief
    assert brief.index("## Rien à signaler") < brief.index("Moselle")
    assert prefecture.posts
    assert not [it for it in prefecture.posts if it.id in play.stage.files]  # what others wrote is not theirs


async def test_who_is_silent_is_reminded_and_the_brief_leaves_on_time(
    play: Scene, embassy: Place, prefecture: Place
) -> None:
    await entered(play, embassy)
    await prefecture.say("!visite contribuer E-1 Premier état du dossier imaginaire.")
    moselle = play.link("prefecture-57")  # it has no room before
    await play.at("2026-03-17T09:00")
    moselle.sees("associée")
    await play.at("2026-03-23T18:00")
    moselle.sees_not("Rappel")  # it is closed
    await play.at("2026-03-24T09:00")
    moselle.sees("Rappel : votre contribution à la visite E-1")
    await play.at("2026-03-24T17:00")
    assert moselle.transcript().count("Rappel") == 1
    await play.at("2026-03-26T09:00")
    assert moselle.transcript().count("Rappel") == 2
    await play.at("2026-03-26T18:00")
    await play.at("2026-03-27T09:00")
    moselle.sees("La note part sans elle")
    embassy.sees("contributions : 1 sur 3")
    assert "## Sans réponse" in list(play.stage.files.values())[-1].decode()
    assert prefecture.transcript().count("Rappel") == 0
    before = len(play.stage.files)
    await moselle.click(moselle.sees("La note part sans elle"), "Contribuer")
    await moselle.say("Il reste une question imaginaire.", reply_to=moselle.sees("répondez à ce message"))
    await play.tick()
    embassy.sees("une contribution de plus")
    assert len(play.stage.files) == before
    await embassy.click(embassy.sees("une contribution de plus"), "Note de synthèse")
    assert "Il reste une question imaginaire." in list(play.stage.files.values())[-1].decode()
    for _ in range(3):
        await play.tick()
    assert embassy.transcript().count("une contribution de plus") == 1


async def test_what_changes_reaches_all_once(play: Scene, embassy: Place, prefecture: Place) -> None:
    await entered(play, embassy)
    await embassy.say("!agenda déplacer E-1 9 avril 10h")
    await play.tick()
    for somebody in (embassy, prefecture):
        assert "jeudi 9 avril" in somebody.sees("a changé").text
    assert "attendue pour jeudi 2 avril à 18 h" in prefecture.sees("associée").text
    await embassy.say("!agenda annuler E-1 oui")
    await play.tick()
    await play.tick()
    assert prefecture.transcript().count("est annulée") == 1 + 1  # the card, and a word beneath it
    await prefecture.say("!visite contribuer E-1 Trop tard.")
    prefecture.sees("annulé")
    await play.at("2026-04-03T09:00")
    prefecture.sees_not("Rappel")
    assert play.stage.files == {}


async def test_a_visit_that_goes_elsewhere_releases_some_and_associates_others(
    play: Scene, embassy: Place, prefecture: Place
) -> None:
    north = play.link("prefecture-59")
    me = alone(play, "U0COORD")
    await me.say(VISIT.replace("2 avril 10h-12h Berlin", "2 avril 10h Berlin"))
    await play.at("2026-03-16T14:30")
    form = await me.slash("evenement", "modifier E-1", forms=True)
    values = {field.name: field.value for field in form.fields}  # type: ignore[union-attr]
    await me.submit(form, **{**values, "pour": "Belgique", "lieu": "Bruxelles"})
    await play.tick()
    prefecture.sees("ne vous concerne plus")
    north.sees("Votre préfecture est associée")


async def test_any_event_that_is_such_a_visit_associates_them_and_one_for_its_own_waits(
    play: Scene, embassy: Place, prefecture: Place
) -> None:
    await embassy.say("!agenda ajouter 2 avril 10h Berlin déplacement imaginaire de la ministre")
    await play.at("2026-03-16T14:30")
    prefecture.sees("Votre préfecture est associée")
    form = await embassy.slash("evenement", "", forms=True)
    values = {"titre": "Visite discrète", "quand": "3 avril 9h", "type": "visit", "visibilite": "own", "pour": ""}
    await embassy.submit(form, **values, lieu="Berlin", note="", liens="")
    await play.tick()
    prefecture.sees_not("Visite discrète")
    await prefecture.say("!visite E-2")
    prefecture.sees("Je ne trouve pas d’événement E-2")
    await embassy.say("!visite E-2")
    await embassy.click(embassy.sees("Aucune préfecture n’est associée"), "Associer les préfets")
    await play.tick()
    prefecture.sees("Visite discrète")


async def test_only_who_prepares_reads_the_contributions(play: Scene, embassy: Place, prefecture: Place) -> None:
    moselle, north = play.link("prefecture-57"), play.link("prefecture-59")
    await entered(play, embassy)
    await prefecture.say("!visite contribuer E-1 Un secret de polichinelle imaginaire.")
    for other in (moselle, north):
        await other.say("!visite note E-1")
        other.sees("Seuls ceux qui préparent cette visite")
        await other.say("!visite E-1")
    assert "polichinelle" not in moselle.transcript() + north.transcript()
    await north.say("!visite contribuer E-1 Nous aussi.")
    north.sees("Seules les préfectures associées")
    await moselle.say("!visite échéance E-1 20 mars")
    moselle.sees("Seul qui l’a entré")
    coordinator = alone(play, "U0COORD")
    await coordinator.say("visite note E-1")
    assert len(play.stage.files) == 2


async def test_words_of_an_encrypted_room_stay_out_of_a_brief_in_clear(play: Scene, embassy: Place) -> None:
    closed = play.link("prefecture-67", encrypted=True)
    closed.encrypted = True
    await entered(play, embassy)
    await closed.say("!visite contribuer E-1 Ce qui reste entre nous.")
    form = await play.link("prefecture-67", room="clear").slash("visite", "contribuer E-1", forms=True)
    assert isinstance(form, Form)
    assert form.fields[0].value == ""
    await embassy.say("!visite note E-1")
    brief = list(play.stage.files.values())[-1].decode()
    assert "Ce qui reste entre nous" not in brief
    assert "salon chiffré" in brief


async def test_bad_lines_say_what_to_do(play: Scene, embassy: Place, prefecture: Place) -> None:
    await entered(play, embassy)
    for line, words in (
        ("visite 2 avril 10h réunion sans pays", "Dites dans quel pays"),
        ("visite ajouter", "Dites quand, où et quoi"),
        ("visite E-99", "Je ne trouve pas"),
        ("visite échéance E-1 bientôt", "Je n’ai pas trouvé la date"),
        ("visite échéance E-1 3 avril", "avant la visite"),
        ("visite 2 avril Tokyo déplacement imaginaire", "n’a pas de frontière"),
    ):
        await embassy.say(f"!{line}")
        assert words in embassy.posts[-1].text, embassy.posts[-1].text
    await prefecture.say("!visite contribuer E-1 " + "x" * 10_001)
    assert "trop long" in prefecture.posts[-1].text
    await embassy.say("!visite échéance E-1 20 mars")
    await play.tick()
    assert "vendredi 20 mars" in prefecture.sees("associée").text
