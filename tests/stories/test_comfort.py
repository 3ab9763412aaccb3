"""What saves the user's minute: politeness is no question, lists and cards where one looks for them."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from bot.card import Card, to_text
from bot.courtesy import Courtesy
from bot.opening import CONFIG
from bot.questions.find import history
from bot.questions.tables import Question
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import NOON, Place, Scene
from tests.typed import typed

COURTESY = Courtesy.load(CONFIG)


@pytest.mark.parametrize(
    "said",
    [
        "merci !", "Merci beaucoup à vous tous", "MERCI", "👍", "🙏🙏", "ok merci", "Parfait, merci pour votre aide.",
        "Bien reçu, bonne journée", "thanks a lot!", "Merci Madame Exemple", "C'est noté", "Super 👍",
    ],
)  # fmt: skip
def test_thanks(said: str) -> None:
    assert COURTESY.kind_of(said) == "thanks"


@pytest.mark.parametrize("said", ["bonjour", "Bonjour à tous", "Bonsoir !", "hello", "Bonjour ?", "Bonjour Passerelle"])
def test_greetings(said: str) -> None:
    assert COURTESY.kind_of(said) == "greeting"


@pytest.mark.parametrize(
    "said",
    [
        "", "Bonjour, qui vérifie un acte de naissance allemand ?", "merci de vérifier cet acte de naissance",
        "Merci de me dire qui suit les visas au Maroc", "bonjour visa maroc", "ok mais pour la Pologne ?", "12",
        "Merci de votre réponse, mais l'acte est de 1987", "urgent", "Qui ?", "bonne question : et pour Munich",
    ],
)  # fmt: skip
def test_what_asks_something_is_no_politeness(said: str) -> None:
    assert COURTESY.kind_of(said) is None


async def test_politeness_goes_to_nobody(prefecture: Place, consulate: Place, play: Scene) -> None:
    await prefecture.say("bonjour")
    assert prefecture.sees("Bonjour !").buttons == ["Poser une question"]
    before = len(prefecture.posts)
    await prefecture.say("merci !")
    assert len(prefecture.posts) == before
    asked = await prefecture.say("Bonjour, " + SAARBRUCKEN)
    assert play.question().state == "routed"
    await prefecture.say("merci !", mention=False, thread=asked)
    consulate.sees("merci !")
    card = consulate.sees("De : ")
    before = len(consulate.posts)
    await consulate.say("merci", reply_to=card)
    assert len(consulate.posts) == before
    await consulate.invoke("preciser", "Q-2026-00001 De quelle année ?")
    await prefecture.say("merci !", mention=False, thread=asked)
    assert play.question().state == "asked_back", "thanks complete no question"
    await consulate.invoke("repondre", "Q-2026-00001 Finalement oui.")
    await prefecture.say("merci beaucoup !", mention=False, thread=asked)
    consulate.sees("merci beaucoup !")
    question = play.question()
    lines = play.app.database.run_now(lambda s: history(s, question))
    assert "add" not in [line.kind for line in lines], "nobody reads that it was completed"
    assert play.question().state == "answered"


async def test_thanks_in_private_are_no_part_of_the_question(consulate: Place, alone: Place, play: Scene) -> None:
    await alone.say(SAARBRUCKEN)
    await alone.say("Merci d'avance !")
    assert "Merci" not in play.question().text
    consulate.sees("Merci d")
    await consulate.invoke("preciser", "Q-2026-00001 De quelle année ?")
    await alone.say("merci")
    assert play.question().state == "asked_back"


async def test_a_quoted_number_shows_its_card_to_those_who_may(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    other = play.link("consulat-munich")
    await prefecture.slash("question", SAARBRUCKEN)
    said = await consulate.say("Où en est Q-2026-00001, quelqu'un sait ?", mention=False)
    card = consulate.sees("Q-2026-00001")
    assert card.to.thread == said
    assert "Prendre" in card.buttons
    await consulate.say("Q-2026-00001, toujours", mention=False)
    assert len(consulate.posts) == 2, "it is shown once an hour"
    await consulate.click(card, "Prendre")
    assert play.question().state == "taken"
    await other.say("Et Q-2026-00001 ?", mention=False)
    assert other.posts == [], "nothing is said where it is nobody's"
    await other.say("Q-2026-00001")
    other.sees("n’est pas une question de votre service")
    await prefecture.say("Q-2026-1")
    assert "Prise par" in prefecture.sees("Question Q-2026-00001").text


async def test_a_number_that_is_no_questions_joins_nothing(prefecture: Place, consulate: Place, play: Scene) -> None:
    await prefecture.say(SAARBRUCKEN)
    text = "Suite de Q-2026-99999 : l'acte est de 1987, et il y manque la mention du mariage"
    await prefecture.say(text)
    told = prefecture.sees("Je ne trouve pas Q-2026-99999")
    assert told.buttons == ["Nouvelle question", "Questions en cours"]
    assert "1987" not in play.question().text
    await prefecture.click(told, "Questions en cours")
    prefecture.sees("Questions en cours : 1")
    await prefecture.say("Q-2026-99998 ?")
    assert prefecture.sees("Je ne trouve pas Q-2026-99998").buttons == ["Questions en cours"]


async def test_what_lacks_its_question_or_its_recipient_asks_for_it(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    play.link("consulat-munich")
    for _ in range(2):
        await prefecture.slash("question", SAARBRUCKEN)
    await consulate.slash("prendre")
    which = consulate.sees("De quelle question s’agit-il")
    assert which.buttons == ["Q-2026-00002", "Q-2026-00001", "Questions en cours"]
    await consulate.click(which, "Q-2026-00001")
    assert play.question().state == "taken"
    await consulate.slash("prendre")
    last = max(consulate.posts, key=lambda post: int(post.id[1:]))
    assert last.buttons == ["Q-2026-00002", "Questions en cours"], "what nobody can take is not offered"
    await consulate.say("rediriger Q-2026-00001")
    prompt = consulate.sees("À qui ? Répondez à ce message")
    await consulate.say("consulat munich", reply_to=prompt)
    assert play.question().recipient == "consulat-munich"


async def test_a_sealed_question_is_shown_without_its_text(
    prefecture: Place, consulate: Place, alone: Place, play: Scene
) -> None:
    play.link("prefecture-57", encrypted=True)
    sealed = prefecture.as_("agent", encrypted=True)
    await sealed.say(SAARBRUCKEN)
    await consulate.say("Q-2026-00001 ?", mention=False)
    consulate.sees("Texte d’un salon chiffré")
    consulate.sees_not("Pouvez-vous le vérifier")
    shown = await alone.as_("agent", surface="home").invoke("voir", "Q-2026-00001")
    assert isinstance(shown, Card)
    assert "Pouvez-vous le vérifier" not in to_text(shown)


async def test_the_queue_is_filtered_and_paged(prefecture: Place, consulate: Place, play: Scene) -> None:
    for _ in range(8):
        await prefecture.slash("question", SAARBRUCKEN)
    await consulate.slash("demandes")
    first = consulate.sees("Questions en cours : 8 (page 1 sur 2)")
    assert first.buttons == [
        *(f"Q-2026-0000{n}" for n in range(1, 7)), "Suite", "Les miennes", "Mon service", "En retard",
    ]  # fmt: skip
    await consulate.click(first, "Suite")
    second = consulate.sees("page 2 sur 2")
    assert "Q-2026-00008" in second.text
    await consulate.click(second, "Q-2026-00008")
    consulate.sees("Pour : ")
    await consulate.slash("demandes", "moi")
    assert "Aucune question en cours" in consulate.sees("Mes questions : 0").text
    await prefecture.slash("demandes", "moi")
    prefecture.sees("Mes questions : 8")
    await prefecture.slash("demandes", "etat-civil")
    prefecture.sees("Questions en cours : 8")
    await prefecture.slash("demandes", "moi visa")
    prefecture.sees("Mes questions : 0")
    await prefecture.slash("demandes", "bizarre")
    prefecture.sees("Je ne connais pas le sujet « bizarre »")
    other = play.link("consulat-munich")
    await other.slash("demandes")
    other.sees_not("Q-2026")


async def test_the_late_ones_come_first(prefecture: Place, consulate: Place, play: Scene) -> None:
    for _ in range(2):
        await prefecture.slash("question", SAARBRUCKEN)

    def due(session: Session) -> None:
        session.get_one(Question, 2).due_at = NOON - timedelta(hours=1)

    play.app.database.run_now(due)
    await consulate.slash("demandes", "retard")
    shown = consulate.sees("Questions en retard : 1")
    assert "Q-2026-00002" in shown.text
    assert "en retard" in shown.text
    await consulate.slash("demandes")
    assert "**1** en retard" in consulate.sees("Questions en cours").text


async def test_the_app_home_shows_the_same(prefecture: Place, alone: Place) -> None:
    await prefecture.slash("question", SAARBRUCKEN)
    home = await alone.as_("agent", surface="home").invoke("accueil")
    assert isinstance(home, Card)
    assert "Q-2026-00001" in typed(to_text(home))
    assert "Sarrebruck" not in to_text(home)


async def test_quick_messages_in_private_are_one_question(consulate: Place, alone: Place, play: Scene) -> None:
    await alone.say("Nous doutons d'un acte de naissance établi à Sarrebruck.", mention=False)
    card = consulate.sees("Q-2026-00001")
    play.clock.pass_(seconds=10)
    second = await alone.say("Il est de 1987.", mention=False)
    assert "1987" in card.text, "the card is the one question"
    assert len(consulate.posts) == 1
    await alone.edit(second, "Il est de 1986.")
    assert "1986" in card.text
    assert "Sarrebruck." in card.text
    await alone.delete(second)
    assert "1986" not in card.text
    assert play.question().state == "routed"
    play.clock.pass_(seconds=60)
    await alone.say("Un détail de plus.", mention=False)
    assert "Un détail" not in card.text
    consulate.sees("Un détail de plus.")


async def test_what_follows_may_lead_elsewhere(consulate: Place, alone: Place, play: Scene) -> None:
    munich = play.link("consulat-munich")
    await alone.say("Qui vérifie un acte de naissance allemand ?", mention=False)
    card = consulate.sees("Q-2026-00001")
    await alone.say("Il a été établi à Munich.", mention=False)
    assert play.question().recipient == "consulat-munich"
    assert "a été remise" in card.text
    assert "Il a été établi" in munich.sees("Q-2026-00001").text


async def test_two_mentions_at_once_are_one_question_unless_each_stands_alone(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    await prefecture.say(SAARBRUCKEN)
    await prefecture.say("C'est pour une audience demain.")
    assert play.question().text.endswith("demain.")
    await prefecture.as_("collegue").say("C'est une autre affaire de naissance en Sarre.")
    assert "autre affaire" not in play.question().text, "a colleague's words are a colleague's question"
    await prefecture.say("Qui vérifie un acte de mariage établi à Sarrebruck ?")
    assert "mariage" in play.question("Q-2026-00003").text


async def test_what_a_question_lacked_may_follow(prefecture: Place, consulate: Place, play: Scene) -> None:
    await prefecture.say("Je voudrais savoir qui peut m'aider.")
    await prefecture.say("C'est un acte de naissance établi à Sarrebruck.")
    assert play.question().text.startswith("Je voudrais savoir")


async def test_an_edit_of_the_opening_keeps_what_followed(prefecture: Place, consulate: Place, play: Scene) -> None:
    first = await prefecture.say(SAARBRUCKEN)
    second = await prefecture.say("C'est pour une audience demain.")
    await prefecture.edit(first, SAARBRUCKEN + " Merci.")
    assert play.question().text == SAARBRUCKEN + " Merci.\n\nC'est pour une audience demain."
    await prefecture.delete(second)
    await prefecture.delete(first)
    assert play.question().state == "cancelled"
    assert play.question().text == ""
