"""A question where things are not as usual: nobody has it, its rooms go, its words change while it waits."""

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from bot.card import Card, Paragraph
from bot.connections import add
from bot.directory import importing, rights
from bot.directory.reading import read
from bot.errors import Refused
from bot.jobs import Job, Leased
from bot.jobs.leases import Settled
from bot.message import Address
from bot.outbox import Outbox
from bot.performers.delivery import note_settled
from bot.questions import cards
from bot.questions.wording import ANSWER
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Place, Scene, Stage

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
    assert states == {"join": "failed", "say": "sent", "edit": "cancelled", "delete": "sent"}


async def test_only_a_message_that_cannot_be_said_means_that_a_room_is_lost(play: Scene, consulate: Place) -> None:
    async def given_up(kind: str, error: str) -> None:
        args = {"to": ["stage", consulate.room, None, None, "room"]}
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
