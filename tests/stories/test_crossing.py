"""What crosses: an answer, a message with 📨 on it, the dialogue, files; and what becomes of it afterwards."""

import contextlib
import tempfile
from collections.abc import AsyncGenerator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.audit.tables import Content
from bot.db import Database
from bot.errors import NotSent
from bot.life import tick
from bot.message import CROSSING, Message
from bot.relay.holding import EXPIRES, REMINDED, Held
from config.settings import FilesSettings, Settings
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Place, Scene, Shown, scene

PDF = b"%PDF-1.7 " + bytes(range(256)) * 3000
PHONE = "Rappelez Mme Exemple au 06 12 34 56 78."


async def asked(prefecture: Place, consulate: Place, **more: object) -> tuple[str, Shown]:
    root = await prefecture.say(SAARBRUCKEN, **more)  # type: ignore[arg-type]
    return root, consulate.sees("Q-2026-00001")


def held(play: Scene) -> int:
    return play.app.database.run_now(lambda s: s.query(Held).count())


async def test_a_message_crosses_by_an_emoji_once_and_its_edits_follow(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    root, card = await asked(prefecture, consulate)
    said = await consulate.say("L'acte est authentique.", mention=False, thread=card)
    prefecture.sees_not("authentique")
    for colleague in ("agent", "collegue"):
        await consulate.as_(colleague).react(said, CROSSING)
    found = [p for p in prefecture.posts if "authentique" in p.text]
    assert len(found) == 1
    assert found[0].to.thread == root
    assert play.question().state == "answered"
    consulate.sees("ce message a été transmis")
    await consulate.edit(said, "L'acte est un faux.")
    assert "un faux" in found[0].text
    await consulate.delete(said)
    prefecture.sees_not("un faux")


async def test_an_emoji_elsewhere_carries_nothing(prefecture: Place, consulate: Place, play: Scene) -> None:
    _, card = await asked(prefecture, consulate)
    before = len(play.stage.sent)
    await consulate.react(card, CROSSING)  # the bot's own card
    await consulate.react("unknown", CROSSING)
    alone = play.link("consulat-munich")
    chat = await alone.say("CANARI entre nous", mention=False)
    await alone.react(chat, CROSSING)
    assert len(play.stage.sent) == before
    await prefecture.as_("voisin").react(await consulate.say("CANARI", mention=False, thread=card), "👍")
    prefecture.sees_not("CANARI")


async def test_a_reaction_that_nothing_proves_lets_no_word_cross(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    """The server of an encrypted room could have made it up: it only takes, closes and shows."""
    consulate.encrypted = True
    _, card = await asked(prefecture, consulate)
    await consulate.react(card, "1️⃣", proven=False)
    assert "Prise par" in card.text
    said = await consulate.say("CANARI entre nous", mention=False, thread=card)
    await consulate.react(said, CROSSING, proven=False)
    assert "répondez-y par 📨" in consulate.posts[-1].text
    move = card.buttons.index("Rediriger") + 1
    await consulate.react(card, f"{move}\ufe0f\u20e3", proven=False)
    assert f"répondez {move} à la carte" in consulate.posts[-1].text
    await consulate.say("CANARI encore", mention=False, thread=card)
    await prefecture.react(prefecture.sees("Prise par"), CROSSING, proven=False)
    prefecture.sees_not("CANARI")
    kept = play.app.database.run_now(lambda s: [c.content for c in s.query(Content) if "unproven" in c.content])
    assert len(kept) == 2
    await consulate.react(said, CROSSING)
    prefecture.sees("salon chiffré")


async def test_what_follows_a_reaction_or_reply_stands_in_the_thread_of_its_card(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    root = await prefecture.say(SAARBRUCKEN)
    own, card = prefecture.sees("En attente"), consulate.sees("Q-2026-00001")
    assert own.to.thread == root
    await prefecture.react(own, "1️⃣")
    assert prefecture.sees("Écrivez votre réponse").to.thread == root, "a reply is no root of a thread"
    await consulate.say("2", mention=False, reply_to=card)
    assert consulate.sees("Écrivez votre réponse").to.thread == card.id


async def test_without_threads_the_only_question_of_a_room_is_meant(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    await asked(prefecture, consulate)
    plain = await consulate.say("C'est un faux.", mention=False)
    await consulate.react(plain, CROSSING)
    prefecture.sees("C'est un faux.")
    play.clock.pass_(minutes=5)
    await prefecture.say("!poser Pouvez-vous vérifier un autre acte de naissance établi à Sarrebruck ?")
    other = await consulate.say("Et celui-ci aussi.", mention=False)
    await consulate.react(other, CROSSING)
    consulate.sees("À quelle question")
    prefecture.sees_not("celui-ci")


async def test_in_the_dialogue_all_crosses_until_it_is_closed(prefecture: Place, consulate: Place, play: Scene) -> None:
    root, card = await asked(prefecture, consulate)
    await consulate.click(card, "Prendre")
    await consulate.say("CANARI 1", mention=False, thread=card)
    await consulate.click(card, "Ouvrir le dialogue")
    for place in (prefecture, consulate):
        place.sees("dialogue ouvert par le consulat général de France à Francfort")
        assert "Dialogue ouvert" in next(p for p in place.posts if "Fermer le dialogue" in p.buttons).text
    await consulate.as_("stagiaire").say("Le registre est ouvert.", mention=False, thread=card)
    await prefecture.as_("collegue").say("Merci, page 12 ?", mention=False, thread=root)
    prefecture.sees("Le registre est ouvert.")
    consulate.sees("page 12")
    prefecture.sees_not("CANARI")
    await prefecture.click(next(p for p in prefecture.posts if "Fermer le dialogue" in p.buttons), "Fermer le dialogue")
    await consulate.say("CANARI 2", mention=False, thread=card)
    await prefecture.as_("collegue").say("CANARI 3", mention=False, thread=root)
    prefecture.sees_not("CANARI")
    consulate.sees_not("CANARI 3")


async def test_the_dialogue_ends_with_the_question_and_with_its_place(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    root, card = await asked(prefecture, consulate)
    munich = play.link("consulat-munich")
    await consulate.click(card, "Prendre")
    await consulate.slash("dialogue", "Q-2026-00001")
    assert play.question().dialogue
    await consulate.slash("rediriger", "Q-2026-00001 consulat-munich")
    assert play.question().dialogue is None
    await munich.say("CANARI de Munich", mention=False, thread=munich.sees("Q-2026-00001"))
    await prefecture.as_("collegue").say("CANARI de Metz", mention=False, thread=root)
    await munich.slash("dialogue", "Q-2026-00001")
    await munich.slash("clore", "Q-2026-00001")
    await munich.slash("rouvrir", "Q-2026-00001")
    assert play.question().dialogue is None
    for place in (prefecture, munich, consulate):
        place.sees_not("CANARI")


async def test_nobody_is_in_a_dialogue_before_they_could_read_so(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    root, _ = await asked(prefecture, consulate)
    away = NotSent("away", outage=True)
    play.stage.fail = lambda to, key: away if to.room == prefecture.room and "/dialogue/" in key else None
    await consulate.slash("dialogue", "Q-2026-00001")
    await prefecture.as_("collegue").say("CANARI", mention=False, thread=root)
    consulate.sees_not("CANARI")


async def test_files_cross_with_words_alone_and_at_asking(prefecture: Place, consulate: Place, play: Scene) -> None:
    root, card = await asked(prefecture, consulate, files={"acte.pdf": PDF})
    (first,) = [p for p in consulate.posts if p.text == "📎 acte.pdf"]
    assert play.stage.files[first.id] == PDF
    assert first.to.thread == card.id
    await consulate.say("!repondre Voici le registre.", mention=False, thread=card, files={"registre.pdf": b"%PDF 2"})
    assert "📎 registre.pdf" in prefecture.sees("Voici le registre.").text
    await prefecture.say("", mention=False, thread=root, files={"photo.png": b"png"})
    assert sorted(play.stage.files.values()) == sorted([PDF, b"%PDF 2", b"png"])
    await consulate.say("", mention=False, thread=card, files={"interne.pdf": b"CANARI"})
    assert b"CANARI" not in play.stage.files.values()


async def test_a_file_and_a_message_that_are_taken_back(prefecture: Place, consulate: Place, play: Scene) -> None:
    root, _ = await asked(prefecture, consulate)
    both = {"a.pdf": b"a", "b.pdf": b"b"}
    said = await prefecture.say("Deux pièces", mention=False, thread=root, files=both)
    assert sorted(play.stage.files.values()) == [b"a", b"b"]
    await prefecture.edit(said, "Une pièce", files={"b.pdf": b"b"})
    assert list(play.stage.files.values()) == [b"b"]
    shown = consulate.sees("Une pièce")
    assert "b.pdf" in shown.text
    assert "a.pdf" not in shown.text
    await prefecture.delete(said)
    assert play.stage.files == {}
    consulate.sees_not("pièce")


async def test_a_question_that_moves_takes_its_files_along(prefecture: Place, consulate: Place, play: Scene) -> None:
    munich = play.link("consulat-munich")
    await asked(prefecture, consulate, files={"acte.pdf": PDF})
    await consulate.slash("rediriger", "Q-2026-00001 consulat-munich")
    munich.sees("📎 acte.pdf")


@pytest.mark.parametrize(
    ("limits", "name", "content", "words"),
    [
        ({"largest_mb": 0.000005}, "acte.pdf", b"123456", "réduisez-le"),
        ({}, "outil.exe", b"MZ", "les fichiers .exe ne sont pas acceptés"),
        ({"kinds": ("txt",)}, "acte.pdf", b"x", "les fichiers .pdf ne sont pas acceptés"),
        ({}, "vide.pdf", b"", "il est vide"),
        ({"scan": ("false",)}, "acte.pdf", b"x", "l’antivirus le refuse"),
        ({"scan": ("/nowhere/scanner",)}, "acte.pdf", b"x", "n’a pas pu l’examiner"),
        ({"scan": ("sh", "-c", "sleep 60"), "scan_seconds": 0.2}, "acte.pdf", b"x", "n’a pas pu l’examiner"),
    ],
    ids=["size", "kind", "own kinds", "empty", "infected", "no scanner", "slow scanner"],
)
async def test_what_may_not_cross_is_told(
    new_url: Callable[[str], str], limits: dict[str, Any], name: str, content: bytes, words: str
) -> None:
    async with limited(new_url, **limits) as play:
        prefecture, consulate = play.link("prefecture-57"), play.link("consulat-francfort")
        root, _ = await asked(prefecture, consulate)
        await prefecture.say("Voici", mention=False, thread=root, files={name: content})
        assert words in prefecture.sees("n’a pas été transmis").text
        assert play.stage.files == {}
        consulate.sees("Voici")


async def test_a_scanner_that_passes_a_file_has_seen_it(new_url: Callable[[str], str], tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    scan = ("sh", "-c", f'cat "$0" > {seen}; stat -c %a "$0" > {seen}.mode')
    async with limited(new_url, scan=scan, folder=tmp_path) as play:
        prefecture, consulate = play.link("prefecture-57"), play.link("consulat-francfort")
        await asked(prefecture, consulate, files={"acte.pdf": PDF})
        consulate.sees("📎 acte.pdf")
    assert seen.read_bytes() == PDF
    assert (tmp_path / "seen.mode").read_text().strip() == "600"
    assert list((tmp_path / "files").iterdir()) == []


async def test_a_file_larger_than_its_message_said_is_stopped(new_url: Callable[[str], str]) -> None:
    async with limited(new_url, largest_mb=0.001) as play:
        prefecture, consulate = play.link("prefecture-57"), play.link("consulat-francfort")
        root, _ = await asked(prefecture, consulate)
        said = Message(
            **prefecture._event(root),
            message_id="lie",
            text="",
            reply_to=root,
            files=prefecture.attached({"a.pdf": b"x"}),
        )
        play.stage.lies["F-a.pdf"] = b"x" * 5000
        await play.receive(said)
        await play.settle()
        prefecture.sees("trop grand")
        consulate.sees("n’a pas pu être transmis")
        assert play.stage.files == {}


@contextlib.asynccontextmanager
async def limited(new_url: Callable[[str], str], folder: Path | None = None, **limits: Any) -> AsyncGenerator[Scene]:
    """A scene with an operator's own limits."""
    database = Database(new_url("sqlite"))
    settings = Settings(files=FilesSettings(**limits), data_dir=folder or Path(tempfile.mkdtemp()))
    async with scene(database, settings=settings) as play:
        yield play
    database.close()


# --- identifiers of persons


async def test_identifiers_stop_an_answer_until_its_author_chooses(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    _, card = await asked(prefecture, consulate)
    said = await consulate.say(f"!repondre {PHONE}", mention=False, thread=card)
    choice = consulate.sees("Pas encore envoyé")
    assert choice.to.audience is not None
    assert choice.to.audience.id == consulate.user.id
    assert "06 12" not in choice.text
    assert choice.buttons == ["Masquer", "Envoyer tel quel", "Ne pas envoyer"]
    assert play.question().state == "routed", "nothing has happened yet"
    prefecture.sees_not("Rappelez")

    await consulate.as_("curieux").click(choice, "Envoyer tel quel")
    consulate.sees("n’est pas le vôtre")
    prefecture.sees_not("Rappelez")

    await consulate.click(choice, "Masquer")
    shown = prefecture.sees("Rappelez")
    assert "•••••" in shown.text
    assert held(play) == 0
    await consulate.click(choice, "Envoyer tel quel")
    assert "06 12" not in prefecture.transcript()

    await consulate.edit(said, f"!repondre Vraiment : {PHONE}")
    assert "Vraiment" in shown.text
    assert "06 12" not in shown.text, "an edit never shows what was masked"


async def test_identifiers_as_they_are_and_their_edits(prefecture: Place, consulate: Place, play: Scene) -> None:
    _, card = await asked(prefecture, consulate)
    said = await consulate.say(f"!repondre {PHONE}", mention=False, thread=card)
    await consulate.click(consulate.sees("Pas encore envoyé"), "Envoyer tel quel")
    shown = prefecture.sees("06 12 34 56 78")
    await consulate.edit(said, "!repondre Non : 06 99 99 99 99")
    assert "06 99 99 99 99" in shown.text


async def test_identifiers_in_a_question_move_it_to_an_encrypted_room(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    vault = play.link("consulat-francfort", "salle-chiffree", encrypted=True)
    await prefecture.say(f"{SAARBRUCKEN} Passeport 12AB34567.")
    consulate.sees_not("Q-2026")
    choice = prefecture.sees("un numéro de passeport")
    assert "Salon chiffré" in choice.buttons
    await prefecture.click(choice, "Salon chiffré")
    vault.sees("12AB34567")
    consulate.sees_not("12AB34567")
    assert play.question().sealed


async def test_identifiers_in_an_answer_move_to_an_encrypted_room(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    vault = play.link("prefecture-57", "salle-chiffree", encrypted=True)
    _, card = await asked(prefecture, consulate)
    await consulate.say(f"!repondre {PHONE}", mention=False, thread=card)
    await consulate.click(consulate.sees("Pas encore envoyé"), "Salon chiffré")
    vault.sees("06 12 34 56 78")
    assert "salon chiffré" in prefecture.sees("Q-2026-00001").text or prefecture.sees("salon chiffré")
    prefecture.sees_not("06 12")


async def test_what_is_held_follows_its_message(prefecture: Place, consulate: Place, play: Scene) -> None:
    root, _ = await asked(prefecture, consulate)
    said = await prefecture.say(PHONE, mention=False, thread=root)
    await prefecture.edit(said, "Rappelez le 06 77 77 77 77")
    await prefecture.click(prefecture.sees("Pas encore envoyé"), "Envoyer tel quel")
    consulate.sees("06 77 77 77 77")
    other = await prefecture.say(PHONE, mention=False, thread=root)
    choice = prefecture.sees("Pas encore envoyé")
    await prefecture.delete(other)
    assert held(play) == 0
    await prefecture.click(choice, "Envoyer tel quel")
    consulate.sees_not("06 12")


async def test_who_does_not_choose_is_reminded_and_then_nothing_is_sent(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    root, _ = await asked(prefecture, consulate)
    await prefecture.say(PHONE, mention=False, thread=root)
    play.clock.at += REMINDED + timedelta(minutes=1)
    for _ in range(2):
        await tick(play.app)
        await play.settle()
    assert prefecture.transcript().count("Rappel : votre texte") == 1
    play.clock.at += EXPIRES
    for _ in range(2):
        await tick(play.app)
        await play.settle()
    assert prefecture.transcript().count("il est supprimé") == 1
    assert held(play) == 0
    consulate.sees_not("Rappelez")
    await prefecture.click(prefecture.sees("Rappel : votre texte"), "Envoyer tel quel")
    consulate.sees_not("Rappelez")


async def test_an_encrypted_room_is_no_place_in_clear(prefecture: Place, play: Scene) -> None:
    vault = play.link("consulat-francfort", "salle-chiffree", encrypted=True)
    root = await prefecture.say(SAARBRUCKEN)
    await prefecture.say(PHONE, mention=False, thread=root)
    vault.sees("06 12 34 56 78")
    prefecture.sees_not("Pas encore envoyé")
