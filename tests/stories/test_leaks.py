"""Every way by which words could cross that must not: tried with canaries, side doors included; none arrives.

Three kinds of words: what colleagues say among themselves, identifiers of persons whose author has not chosen, and what
an encrypted room keeps. Each way is tried; then everything that anybody else was shown, the jobs and the logs are read.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import structlog
from sqlalchemy import select

from bot.card import Card, to_text
from bot.db import Database
from bot.jobs import Job
from bot.life import tick
from bot.message import CROSSING, Edit
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Place, Scene, Shown, scene

CANARY = "CANARI"  # said in the consulate
COLIBRI = "COLIBRI"  # said in the prefecture
SECRET = "12AB34567"  # the number of a passport, made up
ANOTHER = "Pouvez-vous vérifier un autre acte de naissance établi à Sarrebruck ?"


@dataclass
class Ground:
    """A question between a prefecture and a consulate, with colleagues on both sides, before each way."""

    play: Scene
    prefecture: Place
    consulate: Place
    munich: Place
    root: str
    card: Shown
    number: str
    homes: list[str] = field(default_factory=list)  # drawn for others, not said

    @property
    def intern(self) -> Place:
        return self.consulate.as_("stagiaire")

    @property
    def alsace(self) -> Place:
        """Another prefecture: what is kept for all is offered to it."""
        return self.play.link("prefecture-67")

    @property
    def colleague(self) -> Place:
        return self.prefecture.as_("collegue")

    async def look_around(self) -> None:
        """What the other side may ask for, so that it would show."""
        for place in (self.prefecture, self.munich):
            number = self.number
            for line in (
                "demandes",
                f"historique {number}",
                f"voir {number}",
                f"plus {number}",
                "notes",
                "bilan",
                "aide",
            ):
                await place.say(f"!{line}", mention=False)
            home = await place.as_("agent", surface="home").invoke("accueil")
            self.homes.append(to_text(home) if isinstance(home, Card) else "")
            await place.say(f"!question {SAARBRUCKEN}", mention=False)  # what is known of the like is offered
            await place.say(f"Où en est {self.number} ?", mention=False)


Way = Callable[[Ground], Awaitable[object]]


async def ground(play: Scene, **consulate: Any) -> Ground:
    prefecture, munich = play.link("prefecture-57"), play.link("consulat-munich")
    play.link("region-grand-est")
    post = play.link("consulat-francfort", **consulate)
    root = await prefecture.say(SAARBRUCKEN)
    card = post.sees("Q-2026-00001")
    encrypted = bool(consulate.get("encrypted"))
    return Ground(play, prefecture, replace(post, encrypted=encrypted), munich, root, card, "Q-2026-00001")


async def assert_kept(at: Ground, canary: str, *homes: str) -> None:
    """Nobody but the people of these rooms was shown the canary, by any message, file, job, or log."""
    await tick(at.play.app)
    await at.look_around()
    shown = {p.to.room: p.text for p in at.play.stage.posts.values() if canary in p.text and p.to.room not in homes}
    assert shown == {}
    assert canary not in "".join(at.homes)
    files = [at.play.stage.posts[id_].to.room for id_, f in at.play.stage.files.items() if canary.encode() in f]
    assert set(files) <= set(homes)
    assert {room for room, words in at.play.stage.given if canary in words} <= set(homes)
    jobs = at.play.app.database.run_now(lambda s: s.execute(select(Job.lane, Job.args)).all())
    lanes = {lane for lane, args in jobs if canary in args and lane.startswith("stage:")}
    assert lanes <= {f"stage:{room}" for room in homes}


# --- what colleagues say among themselves


async def beneath_the_card(at: Ground) -> None:
    await at.intern.say(f"{CANARY} ?", mention=False, thread=at.card)
    await at.intern.say(f"{CANARY} ?", mention=False, reply_to=at.card)
    await at.colleague.say(f"{COLIBRI} ?", mention=False, thread=at.root)


async def in_the_room(at: Ground) -> None:
    await at.intern.say(f"{CANARY} ?", mention=False)
    await at.intern.say(f"{at.number} : {CANARY} ?", mention=False)


async def near_misses_of_a_command(at: Ground) -> None:
    for words in (
        f"repondre {CANARY}",
        f"répondez-leur {CANARY}",
        f"1 {CANARY}",
        f"réponse : {CANARY}",
        f"📨 {CANARY}",
    ):
        await at.intern.say(words, mention=False, thread=at.card)


async def said_to_the_bot_in_the_thread(at: Ground) -> None:
    await at.intern.say(f"{CANARY}, qu'en penses-tu ?", mention=True, thread=at.card)


async def other_emoji(at: Ground) -> None:
    said = await at.intern.say(CANARY, mention=False, thread=at.card)
    for emoji in ("👍", "✉️", "📩", "📧", ":incoming_envelopes:", "1️⃣"):
        await at.intern.react(said, emoji)


async def the_emoji_of_somebody_else(at: Ground) -> None:
    said = await at.intern.say(CANARY, mention=False, thread=at.card)
    for stranger in (at.munich, at.consulate.as_("inconnu", insider=False), at.prefecture):
        await replace(stranger, room=at.consulate.room, insider=False).react(said, CROSSING)


async def the_emoji_on_words_that_were_rewritten(at: Ground) -> None:
    said = await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.intern.edit(said, "L'acte est authentique.")
    await at.intern.react(said, CROSSING)
    at.prefecture.sees("authentique")


async def the_emoji_before_words_were_taken_back(at: Ground) -> None:
    said = await at.intern.say(CANARY, mention=False, thread=at.card)
    at.play.said.pop(said)
    await at.intern.delete(said)
    await at.intern.react(said, CROSSING)


async def an_edit_of_a_remark(at: Ground) -> None:
    said = await at.intern.say("Bonjour", mention=False, thread=at.card)
    await at.intern.edit(said, CANARY)
    await at.intern.edit(said, f"!repondre {at.number} {CANARY}")


async def an_edit_of_somebody_elses_answer(at: Ground) -> None:
    said = await at.consulate.say("!repondre Oui.", mention=False, thread=at.card)
    event = at.intern._event()
    await at.play.receive(Edit(**event, message_id=said, text=CANARY))
    await at.play.settle()


async def a_file_among_colleagues(at: Ground) -> None:
    await at.intern.say("", mention=False, thread=at.card, files={f"{CANARY}.pdf": CANARY.encode()})
    await at.intern.say("note", mention=False, files={f"{CANARY}.pdf": CANARY.encode()})


async def a_shortcut_on_a_remark(at: Ground) -> None:
    said = await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.intern.invoke("repondre", "", pressed=said, trigger="t")
    await at.intern.invoke("citation", at.number, pressed=said)


async def around_the_dialogue(at: Ground) -> None:
    await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.consulate.slash("dialogue", f"{at.number} ouvrir")
    await at.consulate.slash("dialogue", f"{at.number} fermer")
    await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.colleague.say(COLIBRI, mention=False, thread=at.root)


async def beside_the_dialogue(at: Ground) -> None:
    await at.consulate.slash("dialogue", f"{at.number} ouvrir")
    await at.intern.say(CANARY, mention=False)
    await at.prefecture.say(ANOTHER)
    other = at.consulate.sees("Q-2026-00002")
    await at.intern.say(CANARY, mention=False, thread=other)


async def after_the_question_moved(at: Ground) -> None:
    await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.consulate.slash("rediriger", f"{at.number} consulat-munich")
    await at.intern.say(CANARY, mention=False, thread=at.card)


async def in_a_note_to_the_clockwork(at: Ground) -> None:
    await at.intern.say(CANARY, mention=False, thread=at.card)
    for line in ("prendre", "clore", "rouvrir"):
        await at.consulate.slash(line, at.number)


async def while_time_passes(at: Ground) -> None:
    """Through reminders, the ladder, an answer, a silence and its end."""
    await at.intern.say(CANARY, mention=False, thread=at.card)
    for day in ("17T17:30", "19T14:00", "20T14:00", "23T14:00", "24T14:00"):
        await at.play.at(f"2026-03-{day}")
    await at.consulate.slash("repondre", f"{at.number} Oui.")
    await at.intern.say(CANARY, mention=False, thread=at.card)
    for day in ("2026-04-07T14:00", "2026-04-13T14:00"):
        await at.play.at(day)
    at.prefecture.sees("faute de suite")


async def around_an_answer_that_is_kept(at: Ground) -> None:
    """Beside a note, a like question, a split and a merging."""
    await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.consulate.say("!repondre Voyez le registre.", mention=False, thread=at.card)
    await at.consulate.slash("noter", at.number)
    await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.consulate.slash("scinder", f"{at.number} {ANOTHER}")
    await at.prefecture.slash("fusionner", f"Q-2026-00002 {at.number}")
    await at.alsace.say(f"!question {SAARBRUCKEN}", mention=False)
    at.alsace.sees("Voyez le registre.")


INTERNAL: tuple[Way, ...] = (
    while_time_passes, around_an_answer_that_is_kept,
    beneath_the_card, in_the_room, near_misses_of_a_command, said_to_the_bot_in_the_thread, other_emoji,
    the_emoji_of_somebody_else, the_emoji_on_words_that_were_rewritten, the_emoji_before_words_were_taken_back,
    an_edit_of_a_remark, an_edit_of_somebody_elses_answer, a_file_among_colleagues, a_shortcut_on_a_remark,
    around_the_dialogue, beside_the_dialogue, after_the_question_moved, in_a_note_to_the_clockwork,
)  # fmt: skip


@pytest.mark.parametrize("way", INTERNAL, ids=lambda way: way.__name__)
async def test_a_remark_among_colleagues_stays_there(leakless: Database, way: Way) -> None:
    async with scene(leakless) as play:
        at = await ground(play)
        with structlog.testing.capture_logs() as logs:
            await way(at)
            await assert_kept(at, COLIBRI, at.prefecture.room)
            await assert_kept(at, CANARY, at.consulate.room)
        assert CANARY not in repr(logs)


# --- identifiers of persons


async def in_an_answer(at: Ground) -> None:
    await at.consulate.say(f"!repondre {at.number} {SECRET}", mention=False)


async def in_a_form(at: Ground) -> None:
    await at.consulate.invoke("repondre", at.number, form={"text": f"Voici : {SECRET}"})


async def by_the_emoji(at: Ground) -> None:
    said = await at.intern.say(SECRET, mention=False, thread=at.card)
    await at.consulate.react(said, CROSSING)


async def in_the_dialogue(at: Ground) -> None:
    await at.consulate.slash("dialogue", at.number)
    await at.intern.say(SECRET, mention=False, thread=at.card)


async def by_an_edit(at: Ground) -> None:
    said = await at.consulate.say("!repondre Oui.", mention=False, thread=at.card)
    await at.consulate.edit(said, f"!repondre Oui, {SECRET}.")


async def by_an_edit_of_the_masked(at: Ground) -> None:
    said = await at.consulate.say(f"!repondre {SECRET}", mention=False, thread=at.card)
    await at.consulate.click(at.consulate.sees("Pas encore envoyé"), "Masquer")
    await at.consulate.edit(said, f"!repondre Bien {SECRET}")
    at.prefecture.sees("Bien")


async def by_asking_back(at: Ground) -> None:
    await at.consulate.slash("preciser", f"{at.number} Est-ce {SECRET} ?")


async def in_the_name_of_a_file(at: Ground) -> None:
    await at.consulate.say("!repondre Voici", mention=False, thread=at.card, files={f"passeport {SECRET}.pdf": b"%PDF"})


async def by_the_choice_of_another(at: Ground) -> None:
    await at.consulate.say(f"!repondre {SECRET}", mention=False, thread=at.card)
    choice = at.consulate.sees("Pas encore envoyé")
    await at.intern.click(choice, "Envoyer tel quel")
    for number in ("1", "01", "１", "-1", "9" * 30, "x"):
        await at.prefecture.slash("decider", f"{number} tel_quel")


async def by_giving_up(at: Ground) -> None:
    await at.consulate.say(f"!repondre {SECRET}", mention=False, thread=at.card)
    choice = at.consulate.sees("Pas encore envoyé")
    await at.consulate.click(choice, "Ne pas envoyer")
    await at.consulate.click(choice, "Envoyer tel quel")


async def disguised(at: Ground) -> None:
    await at.consulate.say(
        f"!repondre {at.number} 12\u200bAB\u200b34567 et **12**AB34567 et １２AB34567", mention=False
    )


async def in_the_reason_of_a_redirection(at: Ground) -> None:
    await at.consulate.slash("rediriger", f"{at.number} consulat-munich car le passeport {SECRET} y est")
    at.munich.sees("y est")


async def in_the_reason_of_a_raising(at: Ground) -> None:
    await at.consulate.slash("signaler", f"{at.number} voir 12\u200bAB34567 et {SECRET}")
    at.prefecture.sees("signalée")


async def kept_as_a_note(at: Ground) -> None:
    """What its author showed to one side is not shown to all."""
    await at.consulate.say(f"!repondre Son passeport {SECRET} est vrai.", mention=False, thread=at.card)
    await at.consulate.click(at.consulate.sees("Pas encore envoyé"), "Masquer")
    await at.consulate.slash("noter", at.number)
    await at.alsace.say(f"!question {SAARBRUCKEN}", mention=False)
    at.alsace.sees("est vrai")


IDENTIFIERS: tuple[Way, ...] = (
    in_the_reason_of_a_redirection, in_the_reason_of_a_raising, kept_as_a_note,
    in_an_answer, in_a_form, by_the_emoji, in_the_dialogue, by_an_edit, by_an_edit_of_the_masked, by_asking_back,
    in_the_name_of_a_file, by_the_choice_of_another, by_giving_up, disguised,
)  # fmt: skip


@pytest.mark.parametrize("way", IDENTIFIERS, ids=lambda way: way.__name__)
async def test_an_identifier_crosses_only_by_its_authors_choice(leakless: Database, way: Way) -> None:
    async with scene(leakless) as play:
        at = await ground(play)
        with structlog.testing.capture_logs() as logs:
            await way(at)
            await assert_kept(at, SECRET, at.consulate.room)
        assert SECRET not in repr(logs)
        assert "34567" not in at.prefecture.transcript()


async def asked(at: Ground) -> None:
    await at.prefecture.say(f"{ANOTHER} Passeport {SECRET}.")


async def asked_by_form(at: Ground) -> None:
    await at.prefecture.invoke("question", form={"text": f"{ANOTHER} Passeport {SECRET}."})


async def asked_in_parts(at: Ground) -> None:
    await at.prefecture.say(f"Et son passeport {SECRET} ?")


async def completed(at: Ground) -> None:
    await at.prefecture.say(SECRET, mention=False, thread=at.root)


async def edited_into_the_question(at: Ground) -> None:
    await at.prefecture.edit(at.root, f"{SAARBRUCKEN} Passeport {SECRET}.")


async def edited_and_redirected(at: Ground) -> None:
    await at.prefecture.edit(at.root, f"{SAARBRUCKEN} Passeport {SECRET}.")
    await at.prefecture.slash("rediriger", f"{at.number} consulat-munich")


async def split_off(at: Ground) -> None:
    await at.prefecture.slash("scinder", f"{at.number} {ANOTHER} {SECRET}")


async def merged(at: Ground) -> None:
    await at.prefecture.say(ANOTHER)
    await at.prefecture.edit(at.root, f"{SAARBRUCKEN} {SECRET}")
    await at.prefecture.slash("fusionner", f"{at.number} Q-2026-00002")


ASKED: tuple[Way, ...] = (
    asked, asked_by_form, asked_in_parts, completed, edited_into_the_question, edited_and_redirected, split_off, merged,
)  # fmt: skip


@pytest.mark.parametrize("way", ASKED, ids=lambda way: way.__name__)
async def test_an_identifier_in_a_question_is_no_exception(leakless: Database, way: Way) -> None:
    async with scene(leakless) as play:
        at = await ground(play)
        await way(at)
        await tick(play.app)
        for place in (at.consulate, at.munich):
            await place.say(f"!voir {at.number}", mention=False)
            await place.say("!demandes", mention=False)
            place.sees_not(SECRET)
            place.sees_not("34567")


# --- what an encrypted room keeps


async def answered(at: Ground) -> None:
    await at.consulate.say(f"!repondre {CANARY}", mention=False, thread=at.card)
    at.prefecture.sees("salon chiffré")


async def answered_with_a_file(at: Ground) -> None:
    await at.consulate.say(
        f"!repondre {CANARY}", mention=False, thread=at.card, files={f"{CANARY}.pdf": CANARY.encode()}
    )


async def rewritten(at: Ground) -> None:
    said = await at.consulate.say("!repondre Oui", mention=False, thread=at.card)
    await at.consulate.edit(said, f"!repondre {CANARY}")


async def let_across(at: Ground) -> None:
    said = await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.consulate.react(said, CROSSING)


async def talked(at: Ground) -> None:
    await at.consulate.say(f"!dialogue {at.number}", mention=False)
    await at.intern.say(CANARY, mention=False, thread=at.card)


async def asked_from_within(at: Ground) -> None:
    await at.consulate.say(
        f"La préfecture de la Moselle peut-elle vérifier une attestation d'accueil {CANARY} à Metz ?"
    )
    await at.consulate.say(f"{CANARY} encore", mention=True)


async def moved_on(at: Ground) -> None:
    await asked_from_within(at)
    await at.consulate.say("!rediriger Q-2026-00002 consulat-munich", mention=False)


async def by_form_from_within(at: Ground) -> None:
    await at.consulate.invoke("repondre", at.number, form={"text": CANARY})


async def asked_back_from_within(at: Ground) -> None:
    await at.consulate.say(f"!preciser {at.number} {CANARY} ?", mention=False)
    at.prefecture.sees("salon chiffré")


async def redirected_with_a_reason(at: Ground) -> None:
    await at.consulate.say(f"!rediriger {at.number} consulat-munich car {CANARY}", mention=False)
    at.munich.sees(at.number)


async def raised_with_a_reason(at: Ground) -> None:
    await at.consulate.say(f"!signaler {at.number} {CANARY}", mention=False)
    at.prefecture.sees("signalée")


async def split_from_within(at: Ground) -> None:
    await at.consulate.say(f"!scinder {at.number} {ANOTHER} {CANARY}", mention=False)


async def kept_from_within(at: Ground) -> None:
    await at.consulate.say(f"!repondre {CANARY}", mention=False, thread=at.card)
    await at.consulate.say(f"!noter {at.number}", mention=False)
    await at.prefecture.invoke("avis", f"{at.number} oui")
    await at.alsace.say(f"!question {SAARBRUCKEN}", mention=False)


async def waited_for_from_within(at: Ground) -> None:
    """Asked in the encrypted room, and reminded of, raised and closed elsewhere."""
    await asked_from_within(at)
    for day in ("17T17:30", "19T14:00", "20T14:00", "23T14:00", "24T14:00", "26T14:00"):
        await at.play.at(f"2026-03-{day}")


SEALED: tuple[Way, ...] = (
    asked_back_from_within, redirected_with_a_reason, raised_with_a_reason, split_from_within, kept_from_within,
    waited_for_from_within,
    answered, answered_with_a_file, rewritten, let_across, talked, asked_from_within, moved_on, by_form_from_within,
)  # fmt: skip


@pytest.mark.parametrize("way", SEALED, ids=lambda way: way.__name__)
async def test_what_an_encrypted_room_keeps_is_shown_nowhere_in_clear(leakless: Database, way: Way) -> None:
    async with scene(leakless) as play:
        at = await ground(play, encrypted=True, relay_unencrypted=False)
        with structlog.testing.capture_logs() as logs:
            await way(at)
            await assert_kept(at, CANARY, at.consulate.room)
        assert CANARY not in repr(logs)


async def test_a_room_that_agrees_is_relayed(leakless: Database) -> None:
    """The other way round: these tests would see what crosses."""
    async with scene(leakless) as play:
        at = await ground(play, encrypted=True, relay_unencrypted=True)
        await at.consulate.say(f"!repondre {CANARY}", mention=False, thread=at.card)
        assert CANARY in to_text(at.prefecture.sees(CANARY).card)
        with pytest.raises(AssertionError):
            await assert_kept(at, CANARY, at.consulate.room)


@pytest.fixture
def leakless(new_url: Callable[[str], str]) -> Database:
    return Database(new_url("sqlite"))
