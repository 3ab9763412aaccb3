"""A question where things are not as usual: nobody has it, its rooms go, its words change while it waits."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.audit.recording import OPERATOR
from bot.card import Card, Paragraph
from bot.connections import add
from bot.directory import identity, importing, rights
from bot.directory.reading import read
from bot.errors import NotSent, Refused
from bot.jobs.leases import Settled
from bot.jobs.tables import Job, Leased
from bot.message import Address
from bot.outbox import Outbox
from bot.performers.delivery import note_settled
from bot.posts import Post
from bot.privacy.erasing import erase
from bot.questions import cards
from bot.questions.tables import Endpoint, Question
from bot.questions.wording import ANSWER
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.lived import scope_of
from tests.stories.scene import Place, Scene, Stage, named_by_account

TIED = "Un acte de naissance du Congo"


# --- nobody has it


async def test_what_is_added_while_nobody_has_a_question_is_told_with_it(prefecture: Place, play: Scene) -> None:
    first = await prefecture.say(SAARBRUCKEN)
    assert play.question().placed_with is None
    await prefecture.say("Il est de 1987.", mention=False, thread=first)
    munich = play.link("consulat-munich")
    await prefecture.invoke("rediriger", "Q-2026-00001 consulat-munich consul")
    assert "Il est de 1987." in munich.sees("Q-2026-00001").text


async def test_a_question_whose_room_is_lost_waits_for_another(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    await prefecture.say(SAARBRUCKEN)
    await consulate.change("archived")
    assert play.question().placed_with is None
    assert "dès qu’un salon sera relié" in prefecture.sees("En attente").text
    await prefecture.say("!repondre Q-2026-00001 Il est de 1987.", mention=False)
    assert "Il est de 1987." in play.question().text


async def test_a_person_outside_every_region_asks_too(play: Scene) -> None:
    embassy = play.link("ambassade-de")
    await embassy.say("La préfecture de la Moselle peut-elle vérifier une attestation d'accueil établie à Metz ?")
    assert "dès qu’un salon sera relié" in embassy.sees("Q-2026-00001").text


async def test_a_room_that_comes_back_gets_what_it_lost(prefecture: Place, consulate: Place, play: Scene) -> None:
    region = play.link("region-grand-est")
    await prefecture.say(SAARBRUCKEN)
    await consulate.change("removed")
    region.sees("n’a pas encore de salon")
    await consulate.change("joined")
    assert "remise à" in region.sees("Q-2026-00001").text
    assert play.question().placed_with == "consulat-francfort"
    assert consulate.sees("Q-2026-00001").buttons[0] == "Prendre"


async def test_what_lies_nowhere_goes_to_the_first_who_may_have_it(prefecture: Place, play: Scene) -> None:
    await prefecture.say(SAARBRUCKEN)
    assert play.question().placed_with is None
    await play.link("prefecture-2a").change("joined")
    assert play.question().placed_with is None
    region = play.link("region-grand-est")
    await region.change("joined")
    assert "n’a pas encore de salon" in region.sees("Q-2026-00001").text
    assert "la question a été remise à la préfecture de la région Grand Est" in prefecture.sees("En attente").text


# --- its words change while it waits


async def test_editing_a_question_that_asks_back_keeps_its_choices(prefecture: Place, play: Scene) -> None:
    first = await prefecture.say(TIED)
    card = prefecture.sees("Q-2026-00001")
    before = card.buttons
    assert len(before) > 2
    await prefecture.edit(first, TIED + ", de 1987")
    assert play.question().text == TIED + ", de 1987"
    assert card.buttons == before
    await prefecture.click(card, before[0])
    assert play.question().state == "routed"


async def test_deleting_a_question_that_asks_back_withdraws_it(prefecture: Place, play: Scene) -> None:
    first = await prefecture.say(TIED)
    await prefecture.delete(first)
    assert play.question().state == "cancelled"
    assert prefecture.sees("Annulée").buttons == ["Historique"]


async def test_an_answer_may_not_grow_beyond_measure(prefecture: Place, consulate: Place) -> None:
    await prefecture.say(SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    await consulate.say("!repondre " + "x" * (ANSWER + 1), mention=False, reply_to=card)
    consulate.sees("trop long")
    said = await consulate.say("!repondre Oui.", mention=False, reply_to=card)
    await consulate.edit(said, "!repondre " + "x" * (ANSWER + 1))
    assert "Oui." in prefecture.sees("Consulat général de France à Francfort** ·").text


# --- who may


async def test_a_coordinator_stands_on_both_sides(
    play: Scene, prefecture: Place, consulate: Place, tmp_path: Path
) -> None:
    (tmp_path / "people.csv").write_text("id,given_name\ncoord-a,Agent\n")
    (tmp_path / "postings.csv").write_text("person,organisation,role,start\ncoord-a,ministere-dcis,desk,2020-01-01\n")

    def work(session: Session) -> None:
        assert not importing.apply(session, read([tmp_path])).errors
        rights.grant(session, "coord-a", "coordinator")

    play.app.database.run_now(work)
    await prefecture.say(SAARBRUCKEN)
    console = Stage(name="console")
    add(play.app, console, {"console:ministere-dcis"})
    from bot.message import Message, User

    for number, line in enumerate(("!repondre Q-2026-1 Je confirme.", "!annuler Q-2026-1", "!clore Q-2026-1")):
        await play.receive(
            Message(
                id=f"c{number}",
                at=play.clock(),
                author=User("console", "coord-a", insider=True),
                to=Address("console", "ministere-dcis"),
                message_id=f"c{number}",
                text=line,
                mentions_bot=True,
            )
        )
        await play.settle()
    prefecture.sees("Je confirme.")
    assert "a déjà une réponse" in "".join(p.text for p in console.posts.values())
    assert play.question().state == "closed"


# --- rooms


async def test_a_room_that_becomes_encrypted_stays_so(prefecture: Place, consulate: Place, play: Scene) -> None:
    await consulate.change("encrypted")
    consulate.encrypted = True
    await prefecture.say(SAARBRUCKEN)
    await consulate.say("!repondre Le mot du dossier.", mention=False, reply_to=consulate.sees("Q-2026-00001"))
    prefecture.sees("chiffré")
    prefecture.sees_not("Le mot du dossier")


async def test_an_upgrade_without_a_successor_and_an_unknown_room_change_nothing(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    await prefecture.say(SAARBRUCKEN)
    await consulate.change("upgraded")
    await Place(play, "unknown").change("removed")
    assert play.question().placed_with == "consulat-francfort"


async def test_an_invitation_to_a_platform_without_any_is_given_up(play: Scene, prefecture: Place) -> None:
    play.stage.join = None  # type: ignore[assignment, method-assign]

    class Plain:
        """A platform that only says things."""

        name = "plain"

        async def run(self, receive: object) -> None: ...

        async def send(self, to: Address, card: Card, *, key: str, again: bool) -> str:
            return key

        async def close(self) -> None: ...

    add(play.app, Plain(), {"plain"})

    def work(session: Session) -> None:
        now = datetime.now(UTC)
        outbox = Outbox(session, play.app.dispatcher._world.catalogues, play.app.dispatcher._destinations, now)
        outbox.join(Address("plain", "r"), key="join")
        outbox.put(Address("plain", "r"), Card(None, (Paragraph("un"),)), key="card")
        outbox.edit("card", Card(None, (Paragraph("deux"),)), revision="1")
        outbox.delete("card", revision="2")
        outbox.edit("never said", Card(), revision="1")
        outbox.delete("never said", revision="1")

    play.app.database.run_now(work)
    play.clock.at = datetime.now(UTC)
    for _ in range(3):
        await play.settle()
    states = play.app.database.run_now(lambda s: dict(s.query(Job.kind, Job.state).all()))
    assert states == {"join": "failed", "say": "sent", "delete": "sent"}


async def test_only_a_message_that_cannot_be_said_means_that_a_room_is_lost(play: Scene, consulate: Place) -> None:
    async def given_up(kind: str, error: str) -> None:
        args = {"to": ["stage", consulate.room, None, None, "room"], "target": "k"}
        job = Leased(1, kind, "stage:r", f"k-{kind}-{error}", args, 1, play.clock(), play.clock(), again=False)
        settled = [Settled(job, "failed", error=error)]
        await play.app.database.run(lambda s: note_settled(s, settled, play.clock(), play.app.exit_))
        await play.settle()

    for kind, error in (("edit", "gone: kicked"), ("say", "too large"), ("say", "")):
        await given_up(kind, error)
    assert (await _state(play, consulate)) == "open"
    await given_up("say", "gone: kicked")
    assert (await _state(play, consulate)) == "closed"


async def _state(play: Scene, place: Place) -> str:
    from bot.directory.rooms import room_of

    row = await play.app.database.run(lambda s: room_of(s, "stage", place.room))
    assert row is not None
    return row.state


async def test_a_refusal_that_is_not_for_ever_leaves_the_room(prefecture: Place, consulate: Place, play: Scene) -> None:
    play.stage.fail = lambda to, key: Refused("too large") if to.room == consulate.room else None
    await prefecture.say(SAARBRUCKEN)
    assert play.question().placed_with == "consulat-francfort"


# --- names


def test_an_organisation_that_the_directory_lost_is_named_by_its_id(play: Scene) -> None:
    directory = play.app.database.run_now(play.app.dispatcher._world.current.get)
    assert cards.name_of(directory, "prefecture-57") == "Préfecture de la Moselle"
    assert cards.name_of(directory, "prefecture-999") == "prefecture-999"
    assert cards.name_of(directory, None) == "—"


# --- its cards are redrawn where they would change


def drawn(play: Scene) -> set[str]:
    """Return the keys of what keeps a digest of what it shows."""
    work = select(Post.key).where(Post.drawn.is_not(None), Post.drawn != "")
    return play.app.database.run_now(lambda s: {str(key) for key in s.scalars(work)})


def rewritten(play: Scene) -> int:
    return play.app.database.run_now(lambda s: s.query(Job).filter_by(kind="edit").count())


async def test_a_card_that_does_not_change_is_not_rewritten(
    prefecture: Place, consulate: Place, play: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It costs no call of the platform; and no digest is kept of words that only passed through."""
    asked = await prefecture.say(SAARBRUCKEN)
    await consulate.invoke("prendre", "Q-2026-00001")
    before = rewritten(play)
    assert before == 2  # each side's card, once
    for n in range(3):
        await prefecture.say(f"Il est de 198{n}.", mention=False, thread=asked)
    assert rewritten(play) == before
    cards_ = select(Endpoint.card_key)
    assert drawn(play) == play.app.database.run_now(lambda s: set(s.scalars(cards_)))

    def refused(to: Address, key: str) -> Refused | None:
        return Refused("no longer ours") if key.startswith("edit:") and to.room == "consulat-francfort" else None

    monkeypatch.setattr(play.stage, "fail", refused)
    await consulate.invoke("rendre", "Q-2026-00001")
    monkeypatch.undo()
    card = next(p for p in consulate.posts if "/recipient/" in p.key)
    assert "Prise par" in card.text
    await prefecture.say("Il est de 1987.", mention=False, thread=asked)
    assert "En attente" in card.text, "what the room did not take is sent again at the next move"


async def test_of_two_rewritings_at_once_the_last_is_shown(prefecture: Place, consulate: Place, play: Scene) -> None:
    await prefecture.say(SAARBRUCKEN)
    card = next(p for p in consulate.posts if "/recipient/" in p.key)

    def twice(session: Session) -> None:
        outbox = Outbox(session, play.app.dispatcher._world.catalogues, play.app.dispatcher._destinations, play.clock())
        for words in ("first", "second"):
            outbox.edit(card.key, Card(None, (Paragraph(words),)), revision="same")

    await play.app.database.run(twice)
    await play.settle()
    assert card.text == "second"


async def test_erasing_trusts_no_rewriting_that_it_stopped(
    prefecture: Place, consulate: Place, play: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The platform is away: a card without its text waits, and is stopped with all else of who is erased."""
    monkeypatch.setattr(identity, "person_of", named_by_account)
    agent = prefecture.as_("ada")
    agent.employ("prefecture-57")
    asked = await agent.say(SAARBRUCKEN)
    card = next(p for p in consulate.posts if "/recipient/" in p.key)
    play.app.database.run_now(lambda s: setattr(s.get_one(Question, 1), "because", "[]"))  # erasing takes nothing else
    away = NotSent("away", outage=True)
    monkeypatch.setattr(play.stage, "fail", lambda _to, key: away if key.startswith("edit:") else None)
    await agent.delete(asked)
    assert "Sarrebruck" in card.text
    play.app.database.run_now(lambda s: erase(scope_of(play.app, s, play.clock()), "ada", OPERATOR))
    monkeypatch.undo()
    play.clock.pass_(minutes=1)
    await play.settle()
    assert "Sarrebruck" not in card.text
