"""Rooms: the first day without them, linking, losing and upgrading them, and rooms that keep their words."""

from pathlib import Path

from sqlalchemy.orm import Session

from bot.directory import importing, rights
from bot.directory.reading import read
from bot.errors import Refused
from bot.message import Address, Message, User
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Place, Scene

PEOPLE = "id,given_name,family_name,slack_id\ncoord-a,Agent,Exemple,\n"
POSTINGS = "person,organisation,role,start,end\ncoord-a,ministere-dcis,desk,2020-01-01,\n"


def coordinator(play: Scene, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(PEOPLE)
    (tmp_path / "postings.csv").write_text(POSTINGS)

    def work(session: Session) -> None:
        assert not importing.apply(session, read([tmp_path])).errors
        rights.grant(session, "coord-a", "coordinator")

    play.app.database.run_now(work)


async def test_without_a_room_the_question_goes_to_the_regions_adviser(prefecture: Place, play: Scene) -> None:
    region = play.link("region-grand-est")
    await prefecture.say(SAARBRUCKEN)
    assert "n’a pas encore de salon" in region.sees("Q-2026-00001").text
    own = prefecture.sees("En attente")
    assert "la question a été remise à la préfecture de la région Grand Est" in own.text
    assert "téléphone" in own.text
    await region.invoke("repondre", "Q-2026-00001 Je fais suivre.")
    prefecture.sees("Je fais suivre.")


async def test_else_to_the_coordinators_else_it_waits_for_a_room(
    prefecture: Place, play: Scene, tmp_path: Path
) -> None:
    await prefecture.say(SAARBRUCKEN)
    assert "dès qu’un salon sera relié" in prefecture.sees("En attente").text
    coordinator(play, tmp_path)
    ministry = play.link("ministere-dcis")
    await prefecture.say(SAARBRUCKEN)
    ministry.sees("Q-2026-00002")

    post = Place(play, "new-room", account="coord-a")
    play.stage.name = "console"  # where an account is a person's id
    await play_as_console(post, "relier consulat-francfort")
    assert play.question("Q-2026-00001").placed_with == "consulat-francfort"
    assert play.question("Q-2026-00002").placed_with == "consulat-francfort"
    assert {shown.edits for shown in post.posts} <= {0}, "what was just said is not rewritten as the same"


async def play_as_console(place: Place, line: str) -> None:
    await place.scene.receive(
        Message(
            id="c1",
            at=place.scene.clock(),
            author=User("console", place.account, insider=True),
            to=Address("console", place.room),
            message_id="c1",
            text=line,
            mentions_bot=True,
        )
    )


async def test_a_member_cannot_link_a_room(play: Scene, prefecture: Place) -> None:
    await prefecture.say("relier consulat-munich")
    prefecture.sees("Seul un coordinateur")
    stranger = Place(play, "elsewhere")
    await stranger.say("relier consulat-munich")
    stranger.sees("Seul un coordinateur")


async def test_a_lost_room_moves_what_waits_and_tells_the_coordinators(
    prefecture: Place, consulate: Place, play: Scene, tmp_path: Path
) -> None:
    coordinator(play, tmp_path)
    ministry = play.link("ministere-dcis")
    region = play.link("region-grand-est")
    await prefecture.say(SAARBRUCKEN)
    await consulate.change("removed")
    assert "Q-2026-00001" in region.sees("n’a pas encore de salon").text
    ministry.sees("Je ne peux plus écrire dans le salon du consulat général de France à Francfort")
    assert "remise à la préfecture de la région Grand Est" in prefecture.sees("En attente").text
    await consulate.change("joined")
    await prefecture.say(SAARBRUCKEN)
    consulate.sees("Q-2026-00002")


async def test_a_delivery_refused_for_good_is_such_a_loss(prefecture: Place, consulate: Place, play: Scene) -> None:
    region = play.link("region-grand-est")
    play.stage.fail = lambda to, key: Refused("kicked", gone=True) if to.room == consulate.room else None
    await prefecture.say(SAARBRUCKEN)
    await play.settle()
    region.sees("Q-2026-00001")
    assert play.question().placed_with == "region-grand-est"


async def test_an_upgraded_room_keeps_its_link_and_its_questions(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    await prefecture.say(SAARBRUCKEN)
    await consulate.change("upgraded", successor="consulate-v12")
    new = Place(play, "consulate-v12")
    card = new.sees("Q-2026-00001")
    await new.click(card, "Prendre")
    assert "Prise par" in prefecture.sees("Question").text
    await prefecture.change("upgraded", successor="prefecture-v12")
    await new.invoke("repondre", "Q-2026-00001 Toujours là.")
    Place(play, "prefecture-v12").sees("Toujours là.")


async def test_invited_it_joins_and_says_how_to_link(play: Scene) -> None:
    room = Place(play, "somewhere")
    await room.change("invited")
    assert play.stage.joined == ["somewhere"]
    await room.change("joined")
    assert "relier" in room.sees("Passerelle").text
    stranger = Place(play, "elsewhere", insider=False)
    await stranger.change("invited")
    assert play.stage.joined == ["somewhere"]


async def test_words_of_an_encrypted_room_stay_there_unless_it_agreed(prefecture: Place, play: Scene) -> None:
    closed = play.link("consulat-francfort", "sealed", encrypted=True)
    closed.encrypted = True
    await prefecture.say(SAARBRUCKEN)
    card = closed.sees("Q-2026-00001")
    said = await closed.say("!repondre Le secret du dossier.", mention=False, reply_to=card)
    told = prefecture.sees("chiffré")
    prefecture.sees_not("dossier")
    await closed.edit(said, "!repondre Autre mot interdit.")
    assert "interdit" not in told.text
    prefecture.sees_not("interdit")
    assert "dossier" not in str([p.card for p in prefecture.posts])


async def test_words_of_an_encrypted_room_cross_where_it_agreed(prefecture: Place, play: Scene) -> None:
    agreed = play.link("consulat-francfort", "agreed", encrypted=True, relay_unencrypted=True)
    agreed.encrypted = True
    await prefecture.say(SAARBRUCKEN)
    await agreed.say("!repondre Voici.", mention=False, reply_to=agreed.sees("Q-2026-00001"))
    prefecture.sees("Voici.")


async def test_a_question_of_an_encrypted_room_is_withheld_in_a_plain_one(play: Scene, consulate: Place) -> None:
    sealed = play.link("prefecture-57", "sealed", encrypted=True)
    sealed.encrypted = True
    await sealed.say(SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    assert "Pouvez-vous" not in card.text
    assert "chiffré" in card.text
    await consulate.click(card, "Prendre")
    assert "Pouvez-vous" not in card.text
