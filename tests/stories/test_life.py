"""The life of a question: each move, who may make it, what both sides see, and the line it leaves."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.db import Database
from bot.directory.identity import Actor
from bot.errors import UserError
from bot.message import User
from bot.questions import find, moves
from bot.questions.tables import Move, Question
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Place, Scene, fields_of

NOW = datetime(2026, 3, 16, 12, tzinfo=UTC)


def history(play: Scene, number: str = "Q-2026-00001") -> list[tuple[str, str | None, str]]:
    question = play.question(number)
    lines = play.app.database.run_now(lambda s: find.history(s, question))
    return [(line.kind, line.before, line.after) for line in lines]


async def test_asked_back_and_completed(prefecture: Place, consulate: Place, play: Scene) -> None:
    first = await prefecture.say(SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    form = await consulate.click(card, "Faire préciser", forms=True)
    await consulate.submit(form, text="De quelle année est l'acte ?")
    assert prefecture.sees("De quelle année").to.thread == first
    assert fields_of(prefecture.sees("Compléter").card)["État"] == "Précision demandée"
    await prefecture.say("De 1987.", mention=False, thread=first)
    consulate.sees("De 1987.")
    assert play.question().state == "taken", "it returns to who asked back"
    assert history(play) == [
        ("ask", None, "routed"),
        ("ask_back", "routed", "asked_back"),
        ("add", "asked_back", "taken"),
    ]


async def test_what_the_bot_asked_back_may_be_answered_in_words(prefecture: Place, play: Scene) -> None:
    first = await prefecture.say("Une question d'état civil au Congo : qui authentifie un acte de naissance ?")
    assert play.question().state == "asked_back"
    await prefecture.say("C'est à Brazzaville, en république du Congo.", mention=False, thread=first)
    assert play.question().state == "routed"
    assert play.question().recipient == "ambassade-cg"
    assert [kind for kind, *_ in history(play)] == ["ask", "add", "route"]


async def test_taken_by_mistake_is_put_back(prefecture: Place, consulate: Place, play: Scene) -> None:
    await prefecture.say(SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    await consulate.click(card, "Prendre")
    await consulate.invoke("rendre", "Q-2026-00001")
    assert "Prendre" in card.buttons
    assert play.question().taken_by is None


async def test_the_other_side_is_told(prefecture: Place, consulate: Place) -> None:
    await prefecture.say(SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    await consulate.click(card, "Clore")
    prefecture.sees("Q-2026-00001 a été close par le consulat général de France à Francfort.")
    await prefecture.click(prefecture.sees("Rouvrir"), "Rouvrir")
    consulate.sees("rouverte par la préfecture de la Moselle")
    await prefecture.invoke("annuler", "Q-2026-00001")
    consulate.sees("annulée par la préfecture de la Moselle")
    await consulate.invoke("repondre", "Q-2026-00001 Trop tard.")
    consulate.sees("a été annulée par la préfecture de la Moselle")
    prefecture.sees_not("Trop tard")


async def test_a_cancelled_question_promises_nothing_and_can_be_reopened(prefecture: Place, play: Scene) -> None:
    await prefecture.say(SAARBRUCKEN)
    own = prefecture.sees("Elle partira")
    await prefecture.click(own, "Annuler")
    assert "Elle partira" not in own.text
    assert own.buttons == ["Rouvrir", "Historique"]
    await prefecture.click(own, "Rouvrir")
    assert "Elle partira" in own.text
    later = play.link("consulat-francfort", "linked-later")
    assert play.question().state == "routed"
    await later.change("joined")
    later.sees("Q-2026-00001")


async def test_a_choice_that_was_cancelled_is_offered_again(prefecture: Place, play: Scene) -> None:
    await prefecture.say("Une question d'état civil au Congo : qui authentifie un acte de naissance ?")
    own = prefecture.sees("Congo")
    choices = own.buttons
    await prefecture.click(own, "Annuler")
    assert own.buttons == ["Rouvrir", "Historique"]
    await prefecture.click(own, "Rouvrir")
    assert own.buttons == choices
    assert play.question().state == "asked_back"


async def test_what_was_withdrawn_cannot_be_reopened(prefecture: Place, consulate: Place, play: Scene) -> None:
    first = await prefecture.say(SAARBRUCKEN)
    await prefecture.delete(first)
    await prefecture.invoke("rouvrir", "Q-2026-00001")
    prefecture.sees("retiré par son auteur")
    assert play.question().state == "cancelled"


async def test_the_same_question_twice_becomes_one(prefecture: Place, consulate: Place, play: Scene) -> None:
    await prefecture.slash("question", SAARBRUCKEN)
    first = consulate.sees("Q-2026-00001")
    await prefecture.slash("question", SAARBRUCKEN + " Il est de 1987.")
    await consulate.invoke("fusionner", "Q-2026-00002 Q-2026-00001")
    assert play.question("Q-2026-00002").state == "merged"
    assert consulate.sees("Il est de 1987.").to.thread == first.id
    prefecture.sees("Q-2026-00002 continue avec Q-2026-00001.")
    await consulate.invoke("repondre", "Q-2026-00002 Oui.")
    consulate.sees("fusionnée par")
    await prefecture.invoke("rouvrir", "Q-2026-00002")
    assert play.question("Q-2026-00002").state == "routed"


async def test_questions_of_two_services_stay_two(prefecture: Place, consulate: Place, play: Scene) -> None:
    await prefecture.slash("question", SAARBRUCKEN)
    other = play.link("prefecture-67")
    await other.slash("question", SAARBRUCKEN)
    await consulate.invoke("fusionner", "Q-2026-00002 Q-2026-00001")
    consulate.sees("ne viennent pas du même service")
    await prefecture.invoke("fusionner", "Q-2026-00001 Q-2026-00002")
    prefecture.sees("Q-2026-00002 n’est pas une question de votre service")
    assert play.question("Q-2026-00002").state == "routed"


async def test_a_part_becomes_a_question_of_its_own(prefecture: Place, consulate: Place, play: Scene) -> None:
    munich = play.link("consulat-munich")
    await prefecture.say(SAARBRUCKEN)
    await consulate.invoke("scinder", "Q-2026-00001 Qui vérifie un acte de naissance établi à Munich ?")
    munich.sees("Q-2026-00002")
    own = prefecture.sees("Q-2026-00002")
    assert own.to.thread is None
    assert "établi à Munich" in own.text
    consulate.sees("Q-2026-00001 : la partie est devenue Q-2026-00002.")
    await munich.invoke("repondre", "Q-2026-00002 Nous.")
    assert prefecture.sees("Nous.").to.thread == own.id
    assert play.question("Q-2026-00002").asker_organisation == "prefecture-57"


async def test_raised_by_hand_to_the_adviser(prefecture: Place, consulate: Place, play: Scene) -> None:
    await prefecture.say(SAARBRUCKEN)
    await prefecture.invoke("signaler", "Q-2026-00001 audience demain")
    prefecture.sees("déjà été signalée à tous")
    adviser = play.link("region-grand-est")
    await prefecture.invoke("signaler", "Q-2026-00001 audience demain")
    raised = adviser.sees("Q-2026-00001")
    prefecture.sees("signalée à")
    consulate.sees("signalée à")
    await adviser.click(raised, "Prendre")
    assert "Prise par" in raised.text, "its card stays true"
    assert "Prise par" in consulate.sees("Pourquoi").text
    await prefecture.invoke("historique", "Q-2026-00001")
    assert "« audience demain »" in prefecture.sees("Historique de").text


async def test_history_is_for_both_sides_only(prefecture: Place, consulate: Place, play: Scene) -> None:
    munich = play.link("consulat-munich")
    await prefecture.say(SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    await consulate.click(card, "Prendre")
    await consulate.invoke("rediriger", "Q-2026-00001 consulat-munich")
    await prefecture.invoke("historique", "Q-2026-00001")
    shown = prefecture.sees("Historique de Q-2026-00001").text
    assert "posée : → Consulat général de France à Francfort" in shown
    assert "Consulat général de France à Francfort · prise" in shown
    assert "redirigée : Consulat général de France à Francfort → Consulat général de France à Munich" in shown
    assert "Sarrebruck" not in shown
    await munich.invoke("historique", "Q-2026-00001")
    munich.sees("Historique de")
    await consulate.invoke("historique", "Q-2026-00001")
    consulate.sees("n’est pas une question de votre service")


@pytest.fixture
def one(shipped: Database) -> Database:
    shipped.run_now(lambda s: s.add(_question("Q-2026-00001")))
    return shipped


def _question(number: str) -> Question:
    return Question(
        number=number,
        state="routed",
        text="Une question.",
        asker_account="asker",
        asker_organisation="prefecture-57",
        recipient="consulat-francfort",
        placed_with="consulat-francfort",
        asked_at=NOW,
    )


def _take(name: str) -> Callable[[Session], str]:
    """Return one person's click, as the handler makes it."""
    rights = frozenset({"member"})
    actor = Actor(User("stage", name), None, name, "consulat-francfort", rights, None, None)

    def work(session: Session) -> str:
        question = find.by_number(session, "Q-2026-00001")
        assert question is not None
        try:
            moves.make(session, "take", actor, question, NOW)
        except UserError as error:
            return str(dict(error.text.values)["who"])
        question.taken_by = name
        return "won"

    return work


async def test_of_many_who_click_at_once_one_wins_and_the_others_learn_who(one: Database) -> None:
    names = [f"agent-{n}" for n in range(12)]
    said = await asyncio.gather(*(one.run(_take(name)) for name in names))
    winner = names[said.index("won")]
    assert sorted(said) == sorted(["won", *[winner] * 11])
    lines = one.run_now(lambda s: s.scalars(select(Move)).all())
    assert [line.kind for line in lines] == ["take"]


def test_a_line_of_the_history_does_not_change(shipped: Database) -> None:
    def work(session: Session) -> None:
        question = _question("Q-2026-00001")
        session.add(question)
        session.flush()
        moves.write(session, "ask", None, question, NOW)

    shipped.run_now(work)

    def change(session: Session) -> None:
        session.scalars(select(Move)).one().kind = "take"

    with pytest.raises(TypeError, match="does not change"):
        shipped.run_now(change)
