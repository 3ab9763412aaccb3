"""Training open to both ministries: seats are given in order, who waits moves up, superiors and organisers are asked."""

import pytest
from sqlalchemy.orm import Session

from bot.audit.recording import OPERATOR
from bot.directory.tables import Person, Posting
from bot.privacy.erasing import erase
from tests.stories.lived import scope_of
from tests.stories.people import Someone, alone
from tests.stories.scene import NOON, Place, Scene, fields_of
from tests.typed import typed

SESSION = "formation ajouter 8 avril 9h-17h Strasbourg Frontières imaginaires"
OTHERS = ("un", "deux", "trois")


def more(session: Session) -> None:
    for name in OTHERS:
        session.add(Person(id=f"agent-{name}", given_name="Agent", family_name=name, slack_id=f"U0{name.upper()}"))
    session.flush()
    for name in OTHERS:
        session.add(Posting(person=f"agent-{name}", organisation="prefecture-67", role="desk", start=NOON.date()))


@pytest.fixture
def play(staffed: Scene) -> Scene:
    staffed.app.database.run_now(more)
    return staffed


@pytest.fixture
def academy(play: Scene) -> Place:
    return play.link("ministere-academie-diplomatique")


def others(play: Scene) -> list[Someone]:
    return [alone(play, f"U0{name.upper()}") for name in OTHERS]


async def test_seats_are_given_in_order_and_who_waits_moves_up(play: Scene, academy: Place) -> None:
    await academy.say(f"!{SESSION} ; 2 places ; inscriptions avant le 1er avril")
    shown = academy.sees("E-1 est au catalogue")
    assert "places libres : 2" in typed(fields_of(shown.card)["Places"])
    one, two, three = others(play)
    for somebody in (one, two, three):
        await somebody.say("formation")
        await somebody.click(somebody.sees("Formations à venir"), "E-1")
        shown = somebody.sees("E-1 · Formation")
        await somebody.click(shown, "Se mettre en attente" if somebody is three else "S’inscrire")
    two.sees("Vous êtes inscrit à E-1")
    three.sees("vous êtes en liste d’attente")
    await three.say("agenda oui E-1")
    three.sees("déjà en liste d’attente")  # an answer to the event gets nobody past the queue
    await play.tick()
    assert "Vous avez une place à E-1" not in three.transcript()
    await one.say("agenda non E-1")
    one.sees("Votre inscription à E-1 est annulée")
    await play.at("2026-03-16T14:30")
    await play.tick()
    assert three.transcript().count("Vous avez une place à E-1, Frontières imaginaires") == 1
    await academy.say("!formation liste E-1")
    listed = academy.sees("Inscrits : 2").text
    assert listed.index("Agent deux") < listed.index("Agent trois")
    await one.say("formation inscrire E-1")
    one.sees("complet")
    await academy.say("!formation régler E-1 ; 3 places")
    await play.tick()
    one.sees("Vous avez une place à E-1")
    agent = alone(play)
    await agent.say("formation inscrire E-1")
    play.app.database.run_now(lambda s: erase(scope_of(play.app, s, play.clock()), "agent-deux", OPERATOR))
    await play.tick()
    agent.sees("Vous avez une place à E-1")  # that of who was erased


async def test_it_is_for_those_whom_it_is_open_to(play: Scene, academy: Place) -> None:
    await academy.say(f"!{SESSION} ; réservé au MEAE")
    await academy.say(
        f"!{SESSION} ; réservée aux secrétaires des affaires étrangères, attachés d'administration de l'État"
    )
    agent, consul = alone(play), alone(play, "U0CONSUL")
    await agent.say("formation inscrire E-1")
    agent.sees("est ouverte à : ministère des Affaires étrangères")
    await agent.say("formation")
    assert "E-1" not in agent.sees("Formations à venir").text
    assert "E-1 " in (await listed(agent, "formation tout"))
    await consul.say("formation inscrire E-1")
    consul.sees("Vous êtes inscrit à E-1")
    await agent.say("formation inscrire E-2")
    ask = agent.sees("réservée à certains corps")
    assert ask.buttons == [
        "Attachés d’administration de l’État",
        "Secrétaires des affaires étrangères",
        "Aucun de ceux-ci",
    ]
    await agent.click(ask, "Aucun de ceux-ci")
    agent.sees("E-2 est ouverte à")
    await agent.click(ask, "Attachés d’administration de l’État")
    agent.sees("Vous êtes inscrit à E-2")
    await academy.say("!formation liste E-2")
    academy.sees("Attachés d’administration de l’État")


async def listed(somebody: Someone, line: str) -> str:
    await somebody.say(line)
    return somebody.sees("Formations à venir").text


async def test_the_superior_approves_where_that_is_asked(play: Scene, academy: Place) -> None:
    await academy.say(f"!{SESSION} ; 5 places ; inscriptions avant le 1er avril ; accord du supérieur")
    head, agent, one, two = alone(play, "U0EDITEUR"), alone(play), *others(play)[:2]
    for somebody in (agent, one, two):
        await somebody.say("formation inscrire E-1")
        somebody.sees("votre supérieur est consulté")
    await head.say("formation inscrire E-1")
    head.sees("Vous êtes inscrit à E-1")  # who heads the office asks nobody there
    await play.at("2026-03-16T14:30")
    asked = next(it for it in head.posts if "Agent Exemple demande à suivre" in it.text)
    await one.say("formation accord E-1 agent-a")
    one.sees("Seul le chef du service")
    await agent.say("formation accord E-1 agent-a")
    agent.sees("Seul le chef du service")
    await head.click(asked, "Donner mon accord")
    await head.click(next(it for it in head.posts if "Agent un demande" in it.text), "Refuser")
    await head.click(asked, "Donner mon accord")
    head.sees("n’attend plus d’accord")
    await play.tick()
    agent.sees("Vous avez une place à E-1")
    one.sees("n’a pas donné son accord")
    before = head.transcript().count("Agent deux demande")
    await play.at("2026-03-31T09:00")
    assert head.transcript().count("Agent deux demande") == before + 1
    await play.at("2026-04-02T09:00")
    two.sees("sans l’accord de votre supérieur")
    academy.sees("sont closes. Inscrits : 2. En attente : 0")
    await two.say("formation inscrire E-1")
    two.sees("sont closes depuis")


async def test_changes_reach_who_is_enrolled_and_presence_is_noted(play: Scene, academy: Place) -> None:
    await academy.say(f"!{SESSION}")
    one, two, _ = others(play)
    for somebody in (one, two):
        await somebody.say("formation inscrire E-1")
    await academy.say("!agenda déplacer E-1 9 avril 9h")
    await play.at("2026-03-16T14:30")
    assert "jeudi 9 avril" in one.sees("a changé").text
    await academy.say("!formation présence E-1 tous")
    academy.sees("n’a pas encore commencé")
    await play.at("2026-04-09T19:00")
    await play.at("2026-04-10T09:00")
    await academy.click(academy.sees("Qui était là ?"), "Qui était là ?")
    await academy.click(academy.sees("Inscrits : 2"), "Tous présents")
    await academy.click(academy.sees("Agent un, Bas-Rhin (67) · présent"), "Absent : Agent un")
    after = academy.sees("Agent un, Bas-Rhin (67) · absent").text
    assert "Agent deux, Bas-Rhin (67) · présent" in after
    await one.say("formation présence E-1 tous")
    one.sees("Seuls ceux qui l’organisent")


async def test_a_cancelled_session_is_told_to_all_who_wait_too(play: Scene, academy: Place) -> None:
    await academy.say(f"!{SESSION} ; 1 place")
    one, two, _ = others(play)
    for somebody in (one, two):
        await somebody.say("formation inscrire E-1")
    await academy.say("!agenda annuler E-1 oui")
    await play.at("2026-03-16T14:30")
    for somebody in (one, two):
        assert somebody.transcript().count("est annulée") == 1
    await one.say("formation inscrire E-1")
    one.sees("est annulé")


async def test_bad_lines_say_what_to_do(play: Scene, academy: Place) -> None:
    agent = alone(play)
    await academy.say(f"!{SESSION}")
    await agent.say("agenda ajouter 9 avril Strasbourg réunion imaginaire")
    for line, words in (
        ("formation", "E-1"),
        ("formation ajouter", "puis les conditions"),
        (f"{SESSION} ; beaucoup de places", "Je n’ai pas compris « beaucoup de places »"),
        (f"{SESSION} ; 0 places", "entre 1 et 2000"),
        (f"{SESSION} ; inscriptions bientôt", "Je n’ai pas trouvé la date"),
        (f"{SESSION} ; réservé aux amis", "Je n’ai pas compris"),
        ("formation E-2", "n’est pas une formation"),
        ("formation quitter E-1", "Vous n’êtes pas inscrit"),
        ("formation régler E-1 ; 3 places", "Seul qui l’a entré"),
        ("agenda peut-être E-1", "se demandent ou se rendent"),
        ("agenda remplacer E-1 collegue-a", "ne se cède pas"),
    ):
        await agent.say(line)
        assert words in agent.posts[-1].text, (line, agent.posts[-1].text)
    await academy.say("!formation inscrire E-1")
    academy.sees("reliez d’abord votre compte")
