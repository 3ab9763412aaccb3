"""Every way by which words could cross that must not: one list, tried on the stage and on the platforms themselves.

Four kinds of words: what colleagues say among themselves, identifiers of persons whose author has not chosen, what an
encrypted room keeps, and what is under a mark of protection. A way only does what somebody could do; who tries it reads
afterwards what anybody else was shown (`assert_kept`), and of the first and last kind all that is stored.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias, cast
from unittest import mock

from sqlalchemy import select

from bot import dispatch
from bot.agenda.publishing import exported
from bot.agenda.tables import Event
from bot.life import tick
from bot.message import CROSSING
from bot.questions import passages
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.verbs import Play, Room

CANARY = "CANARI"  # said in the consulate
COLIBRI = "COLIBRI"  # said in the prefecture
SECRET = "12AB34567"  # the number of a passport, made up
MARKED = f"SECRET DÉFENSE : {CANARY}"
ANOTHER = "Pouvez-vous vérifier un autre acte de naissance établi à Sarrebruck ?"
NUMBER = "Q-2026-00001"
STRANGER = "inconnu"
GUESTS = (STRANGER, "munichois", "messin")

Where: TypeAlias = Literal["stage", "slack", "matrix"]
Kind: TypeAlias = Literal["remark", "identifier", "asked", "sealed", "marked"]
Do: TypeAlias = "Callable[[Ground], Awaitable[object]]"


@dataclass
class Ground:
    """A question between a prefecture and a consulate, with colleagues on both sides, before each way."""

    play: Play
    prefecture: Room
    consulate: Room
    munich: Room
    root: str
    card: Any
    number: str = NUMBER
    pages: dict[str, str] = field(default_factory=dict[str, str])  # drawn for one person, not said

    @property
    def intern(self) -> Room:
        return self.consulate.as_("stagiaire")

    @property
    def alsace(self) -> Room:
        """Another prefecture: what is kept for all is offered to it."""
        return cast("Room", self.play.link("prefecture-67"))

    @property
    def colleague(self) -> Room:
        return self.prefecture.as_("collegue")

    @property
    def stranger(self) -> Room:
        """Somebody in the consulate's room for whom nobody vouches."""
        return self.consulate.as_(STRANGER, insider=False)

    def guest(self, account: str, organisation: str) -> Room:
        """Somebody in the consulate's room whom the directory knows in another organisation."""
        guest = self.consulate.as_(account)
        guest.employ(organisation)
        return guest

    def export(self) -> None:
        """Read the agenda as a calendar file that anybody might be handed."""
        rows = self.play.app.database.run_now(lambda s: s.scalars(select(Event)).all())
        self.pages["a calendar file"] = exported(rows, "Agenda", "Rendez-vous")

    async def look_around(self) -> None:
        """Have the other side ask for all that may be asked for, so that it would show."""
        for place in (self.prefecture, self.munich):
            for line in (
                "demandes",
                "demandes toutes",
                "agenda tout",
                f"historique {self.number}",
                f"voir {self.number}",
                f"plus {self.number}",
                "notes",
                "bilan",
                "aide",
            ):
                await place.say(f"!{line}", mention=False)
            self.pages[place.room] = await place.home_page()
            await place.say(f"!question {SAARBRUCKEN}", mention=False)  # what is known of the like is offered
            await place.say(f"Où en est {self.number} ?", mention=False)


@dataclass(frozen=True)
class Way:
    """One way, and where it can be gone: where there are no forms, no quotes or no strangers, some cannot."""

    name: str
    kind: Kind
    do: Do
    on: frozenset[Where]
    guests: tuple[str, ...] = ()  # in the room, but not of it: a homeserver must know them before
    offered: bool = False  # said to the bot, which asks back with buttons: these are stored

    def __str__(self) -> str:
        return self.name


WAYS: list[Way] = []


def way(
    kind: Kind, *, but: Collection[Where] = (), guests: tuple[str, ...] = (), offered: bool = False
) -> Callable[[Do], Do]:
    """List a way of a kind, which can be gone everywhere but there; on it `guests` come into the room."""

    def listed(do: Do) -> Do:
        everywhere: set[Where] = {"stage", "matrix"} if kind == "sealed" else {"stage", "slack", "matrix"}
        WAYS.append(Way(do.__name__, kind, do, frozenset(everywhere - set(but)), guests, offered))  # type: ignore[attr-defined]
        return do

    return listed


def ways(where: Where, *kinds: Kind) -> list[Way]:
    """Return the ways of these kinds that can be gone there."""
    return [each for each in WAYS if each.kind in kinds and where in each.on]


async def ground(play: Play, prefecture: Room, consulate: Room) -> Ground:
    """Return a question that was asked between two rooms, with a third and a region beside."""
    munich = cast("Room", play.link("consulat-munich"))
    play.link("region-grand-est")
    root = await prefecture.say(SAARBRUCKEN)
    return Ground(play, prefecture, consulate, munich, root, consulate.sees(NUMBER))


async def assert_kept(at: Ground, *kept: tuple[str, Room]) -> None:
    """Nobody but the people of its own room was shown a canary, by any message, file, page or job."""
    await tick(at.play.app)
    await at.look_around()
    for canary, home in kept:
        pages = "".join(page for room, page in at.pages.items() if room != home.room)
        shown = await at.play.shown_beside([home.room]) + pages
        assert canary not in shown, shown[max(0, shown.find(canary) - 300) : shown.find(canary) + 100]


# --- what colleagues say among themselves


@way("remark")
async def beneath_the_card(at: Ground) -> None:
    await at.intern.say(f"{CANARY} ?", mention=False, thread=at.card)
    await at.intern.say(f"{CANARY} ?", mention=False, reply_to=at.card)
    await at.colleague.say(f"{COLIBRI} ?", mention=False, thread=at.root)


@way("remark")
async def in_the_room(at: Ground) -> None:
    await at.intern.say(f"{CANARY} ?", mention=False)
    await at.intern.say(f"{at.number} : {CANARY} ?", mention=False)


@way("remark")
async def near_misses_of_a_command(at: Ground) -> None:
    for words in (
        f"repondre {CANARY}",
        f"répondez-leur {CANARY}",
        f"1 {CANARY}",
        f"réponse : {CANARY}",
        f"📨 {CANARY}",
    ):
        await at.intern.say(words, mention=False, thread=at.card)


@way("remark", offered=True)
async def said_to_the_bot_in_the_thread(at: Ground) -> None:
    await at.intern.say(f"{CANARY}, qu'en penses-tu ?", mention=True, thread=at.card)


@way("remark")
async def other_emoji(at: Ground) -> None:
    said = await at.intern.say(CANARY, mention=False, thread=at.card)
    for emoji in ("👍", "✉️", "📩", "📧", ":incoming_envelopes:", "1️⃣"):
        await at.intern.react(said, emoji)


@way("remark", guests=GUESTS)
async def the_emoji_of_somebody_else(at: Ground) -> None:
    """Of a stranger, and of people whom the directory knows elsewhere: those who are asked nothing, and who ask."""
    said = await at.intern.say(CANARY, mention=False, thread=at.card)
    for somebody in (at.stranger, at.guest("munichois", "consulat-munich"), at.guest("messin", at.prefecture.room)):
        await somebody.react(said, CROSSING)


@way("remark", guests=GUESTS)
async def the_button_of_somebody_else(at: Ground) -> None:
    """Of a stranger and of somebody of another post, who would have all cross from now on."""
    await at.consulate.click(at.card, "Prendre")
    for somebody in (at.stranger, at.guest("munichois", "consulat-munich")):
        await somebody.click(at.card, "Répondre")
        await somebody.slash("dialogue", f"{at.number} ouvrir")
    await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.intern.say(CANARY, mention=False, reply_to=at.card)


@way("remark")
async def beside_what_a_colleague_is_asked(at: Ground) -> None:
    """The bot waits for a colleague's answer; what others say meanwhile is none."""
    await at.consulate.say(f"!repondre {at.number}", mention=False, thread=at.card)
    at.consulate.sees("Écrivez votre réponse")
    await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.intern.say(CANARY, mention=False)


@way("remark")
async def the_emoji_on_words_that_were_rewritten(at: Ground) -> None:
    said = await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.intern.edit(said, "L'acte est authentique.")
    await at.intern.react(said, CROSSING)
    at.prefecture.sees("authentique")


@way("remark")
async def the_emoji_before_words_were_taken_back(at: Ground) -> None:
    said = await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.intern.react_too_late(said, CROSSING)


@way("remark")
async def an_edit_of_a_remark(at: Ground) -> None:
    said = await at.intern.say("Bonjour", mention=False, thread=at.card)
    await at.intern.edit(said, CANARY)
    await at.intern.edit(said, f"!repondre {at.number} {CANARY}")


@way("remark", but={"slack"})  # which lets nobody try
async def an_edit_of_somebody_elses_answer(at: Ground) -> None:
    said = await at.consulate.say("!repondre Oui.", mention=False, thread=at.card)
    await at.intern.edit(said, CANARY)


@way("remark")
async def a_file_among_colleagues(at: Ground) -> None:
    await at.intern.say("", mention=False, thread=at.card, files={f"{CANARY}.pdf": CANARY.encode()})
    await at.intern.say("note", mention=False, files={f"{CANARY}.pdf": CANARY.encode()})


@way("remark")
async def a_shortcut_on_a_remark(at: Ground) -> None:
    said = await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.intern.shortcut("repondre", said)
    await at.intern.say(f"Voyez {at.number}", mention=False, reply_to=said)


@way("remark")
async def around_the_dialogue(at: Ground) -> None:
    await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.consulate.slash("dialogue", f"{at.number} ouvrir")
    await at.consulate.slash("dialogue", f"{at.number} fermer")
    await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.colleague.say(COLIBRI, mention=False, thread=at.root)


@way("remark")
async def beside_the_dialogue(at: Ground) -> None:
    await at.consulate.slash("dialogue", f"{at.number} ouvrir")
    await at.intern.say(CANARY, mention=False)
    await at.prefecture.say(ANOTHER)
    other = at.consulate.sees("Q-2026-00002")
    await at.intern.say(CANARY, mention=False, thread=other)


@way("remark")
async def after_the_question_moved(at: Ground) -> None:
    await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.consulate.slash("rediriger", f"{at.number} consulat-munich")
    await at.intern.say(CANARY, mention=False, thread=at.card)


@way("remark")
async def in_a_note_to_the_clockwork(at: Ground) -> None:
    await at.intern.say(CANARY, mention=False, thread=at.card)
    for line in ("prendre", "clore", "rouvrir"):
        await at.consulate.slash(line, at.number)


@way("remark")
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


@way("remark")
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


@way("remark", but={"slack", "matrix"})
async def beside_what_fails(at: Ground) -> None:
    """An answer that cannot be handled is told to nobody but its author, and to no administrator, log or measure."""
    await at.intern.say(CANARY, mention=False, thread=at.card)
    with mock.patch.object(passages, "answered", side_effect=RuntimeError(COLIBRI)):
        await at.consulate.say("!repondre Oui.", mention=False, thread=at.card)
    at.consulate.sees("je n’ai pas pu traiter")


# --- what is under a mark of protection


@way("marked")
async def answered_under_a_mark(at: Ground) -> None:
    await at.consulate.say(f"!repondre {MARKED}", mention=False, thread=at.card)
    await at.consulate.say(f"!repondre {at.number}\n\n{MARKED}", mention=False)
    at.consulate.sees("mention de protection")


@way("marked")
async def let_across_under_a_mark(at: Ground) -> None:
    said = await at.intern.say(MARKED, mention=False, thread=at.card)
    await at.consulate.react(said, CROSSING)


@way("marked")
async def talked_under_a_mark(at: Ground) -> None:
    await at.consulate.slash("dialogue", f"{at.number} ouvrir")
    await at.intern.say(MARKED, mention=False, thread=at.card)


@way("marked")
async def rewritten_under_a_mark(at: Ground) -> None:
    said = await at.consulate.say("!repondre Oui.", mention=False, thread=at.card)
    await at.consulate.edit(said, f"!repondre {MARKED}")


@way("marked")
async def named_under_a_mark(at: Ground) -> None:
    """A mark in the name of a file is one."""
    files = {f"SECRET DEFENSE {CANARY}.pdf": CANARY.encode()}
    await at.consulate.say("!repondre Voici.", mention=False, thread=at.card, files=files)
    await at.consulate.slash("dialogue", f"{at.number} ouvrir")
    await at.intern.say("", mention=False, thread=at.card, files=files)


@way("marked", but={"slack", "matrix"})
async def failed_under_a_mark(at: Ground) -> None:
    """What fails before its mark was seen is not kept to be tried again."""
    with mock.patch.object(dispatch, "identify", side_effect=RuntimeError(CANARY)):
        await at.consulate.say(f"!repondre {MARKED}", mention=False, thread=at.card)
    at.consulate.sees("mention de protection")


# --- identifiers of persons


@way("identifier")
async def in_an_answer(at: Ground) -> None:
    await at.consulate.say(f"!repondre {at.number} {SECRET}", mention=False)


@way("identifier")
async def in_a_form(at: Ground) -> None:
    await at.consulate.fill("repondre", at.number, text=f"Voici : {SECRET}")


@way("identifier")
async def by_the_emoji(at: Ground) -> None:
    said = await at.intern.say(SECRET, mention=False, thread=at.card)
    await at.consulate.react(said, CROSSING)


@way("identifier")
async def in_the_dialogue(at: Ground) -> None:
    await at.consulate.slash("dialogue", at.number)
    await at.intern.say(SECRET, mention=False, thread=at.card)


@way("identifier")
async def by_an_edit(at: Ground) -> None:
    said = await at.consulate.say("!repondre Oui.", mention=False, thread=at.card)
    await at.consulate.edit(said, f"!repondre Oui, {SECRET}.")


@way("identifier")
async def by_an_edit_of_the_masked(at: Ground) -> None:
    said = await at.consulate.say(f"!repondre {SECRET}", mention=False, thread=at.card)
    await at.consulate.click(at.consulate.sees("Pas encore envoyé"), "Masquer")
    await at.consulate.edit(said, f"!repondre Bien {SECRET}")
    at.prefecture.sees("Bien")


@way("identifier")
async def by_asking_back(at: Ground) -> None:
    await at.consulate.slash("preciser", f"{at.number} Est-ce {SECRET} ?")


@way("identifier")
async def in_the_name_of_a_file(at: Ground) -> None:
    await at.consulate.say("!repondre Voici", mention=False, thread=at.card, files={f"passeport {SECRET}.pdf": b"%PDF"})


@way("identifier")
async def by_the_choice_of_another(at: Ground) -> None:
    await at.consulate.say(f"!repondre {SECRET}", mention=False, thread=at.card)
    await at.intern.click(at.consulate.sees("Pas encore envoyé"), "Envoyer tel quel")
    for number in ("1", "01", "１", "-1", "9" * 30, "x"):
        for somebody in (at.intern, at.prefecture):
            await somebody.say(f"!decider {number} tel_quel", mention=False)


@way("identifier", guests=GUESTS)
async def by_the_choice_of_somebody_else(at: Ground) -> None:
    """Where the directory knows who is asked, a homeserver has them asked alone."""
    await at.consulate.say(f"!repondre {SECRET}", mention=False, thread=at.card)
    choice = at.consulate.sees("Pas encore envoyé")
    others = (at.guest("munichois", "consulat-munich"), at.guest("messin", at.prefecture.room))
    for somebody in (at.intern, at.stranger, *others):
        await somebody.click(choice, "Envoyer tel quel")
        await somebody.say("!decider 1 tel_quel", mention=False)


@way("identifier")
async def by_giving_up(at: Ground) -> None:
    await at.consulate.say(f"!repondre {SECRET}", mention=False, thread=at.card)
    choice = at.consulate.sees("Pas encore envoyé")
    await at.consulate.click(choice, "Ne pas envoyer")
    await at.consulate.click(choice, "Envoyer tel quel")


@way("identifier")
async def disguised(at: Ground) -> None:
    await at.consulate.say(
        f"!repondre {at.number} 12\u200bAB\u200b34567 et **12**AB34567 et １２AB34567", mention=False
    )


@way("identifier")
async def in_the_reason_of_a_redirection(at: Ground) -> None:
    await at.consulate.slash("rediriger", f"{at.number} consulat-munich car le passeport {SECRET} y est")
    at.munich.sees("y est")


@way("identifier")
async def in_the_reason_of_a_raising(at: Ground) -> None:
    await at.consulate.slash("signaler", f"{at.number} voir 12\u200bAB34567 et {SECRET}")
    at.prefecture.sees("signalée")


@way("identifier")
async def in_the_agenda(at: Ground) -> None:
    """In a list, on a card, on its buttons, and in a calendar file."""
    day = "2026-03-20 10h-12h Metz"
    await at.consulate.slash("evenement", f"{day} entretien passeport {SECRET}")
    await at.prefecture.say("!agenda E-1", mention=False)
    at.prefecture.sees("entretien passeport •••••")
    await at.consulate.slash("visite", f"2026-03-21 10h-12h Berlin, chez {SECRET}, entretien sur le passeport {SECRET}")
    await at.play.tick()
    at.export()


@way("identifier")
async def kept_as_a_note(at: Ground) -> None:
    """What its author showed to one side is not shown to all."""
    await at.consulate.say(f"!repondre Son passeport {SECRET} est vrai.", mention=False, thread=at.card)
    await at.consulate.click(at.consulate.sees("Pas encore envoyé"), "Masquer")
    await at.consulate.slash("noter", at.number)
    await at.alsace.say(f"!question {SAARBRUCKEN}", mention=False)
    at.alsace.sees("est vrai")


@way("asked")
async def asked(at: Ground) -> None:
    await at.prefecture.say(f"{ANOTHER} Passeport {SECRET}.")


@way("asked")
async def asked_by_form(at: Ground) -> None:
    await at.prefecture.fill("question", text=f"{ANOTHER} Passeport {SECRET}.")


@way("asked")
async def asked_in_parts(at: Ground) -> None:
    await at.prefecture.say(f"Et son passeport {SECRET} ?")


@way("asked")
async def completed(at: Ground) -> None:
    await at.prefecture.say(SECRET, mention=False, thread=at.root)


@way("asked")
async def edited_into_the_question(at: Ground) -> None:
    await at.prefecture.edit(at.root, f"{SAARBRUCKEN} Passeport {SECRET}.")


@way("asked")
async def edited_and_redirected(at: Ground) -> None:
    await at.prefecture.edit(at.root, f"{SAARBRUCKEN} Passeport {SECRET}.")
    await at.prefecture.slash("rediriger", f"{at.number} consulat-munich")


@way("asked")
async def split_off(at: Ground) -> None:
    await at.prefecture.slash("scinder", f"{at.number} {ANOTHER} {SECRET}")


@way("asked")
async def merged(at: Ground) -> None:
    await at.prefecture.say(ANOTHER)
    await at.prefecture.edit(at.root, f"{SAARBRUCKEN} {SECRET}")
    await at.prefecture.slash("fusionner", f"{at.number} Q-2026-00002")


# --- what an encrypted room keeps


@way("sealed")
async def answered(at: Ground) -> None:
    await at.consulate.say(f"!repondre {CANARY}", mention=False, thread=at.card)
    at.prefecture.sees("salon chiffré")


@way("sealed")
async def answered_with_a_file(at: Ground) -> None:
    await at.consulate.say(
        f"!repondre {CANARY}", mention=False, thread=at.card, files={f"{CANARY}.pdf": CANARY.encode()}
    )


@way("sealed")
async def rewritten(at: Ground) -> None:
    said = await at.consulate.say("!repondre Oui", mention=False, thread=at.card)
    await at.consulate.edit(said, f"!repondre {CANARY}")


@way("sealed")
async def let_across(at: Ground) -> None:
    said = await at.intern.say(CANARY, mention=False, thread=at.card)
    await at.consulate.react(said, CROSSING)


@way("sealed")
async def talked(at: Ground) -> None:
    await at.consulate.say(f"!dialogue {at.number}", mention=False)
    await at.intern.say(CANARY, mention=False, thread=at.card)


@way("sealed")
async def asked_from_within(at: Ground) -> None:
    await at.consulate.say(
        f"La préfecture de la Moselle peut-elle vérifier une attestation d'accueil {CANARY} à Metz ?"
    )
    await at.consulate.say(f"{CANARY} encore", mention=True)


@way("sealed")
async def moved_on(at: Ground) -> None:
    await asked_from_within(at)
    await at.consulate.say("!rediriger Q-2026-00002 consulat-munich", mention=False)


@way("sealed")
async def by_form_from_within(at: Ground) -> None:
    await at.consulate.fill("repondre", at.number, text=CANARY)


@way("sealed")
async def asked_back_from_within(at: Ground) -> None:
    await at.consulate.say(f"!preciser {at.number} {CANARY} ?", mention=False)
    at.prefecture.sees("salon chiffré")


@way("sealed")
async def redirected_with_a_reason(at: Ground) -> None:
    await at.consulate.say(f"!rediriger {at.number} consulat-munich car {CANARY}", mention=False)
    at.munich.sees(at.number)


@way("sealed")
async def raised_with_a_reason(at: Ground) -> None:
    await at.consulate.say(f"!signaler {at.number} {CANARY}", mention=False)
    at.prefecture.sees("signalée")


@way("sealed")
async def split_from_within(at: Ground) -> None:
    await at.consulate.say(f"!scinder {at.number} {ANOTHER} {CANARY}", mention=False)


@way("sealed")
async def kept_from_within(at: Ground) -> None:
    await at.consulate.say(f"!repondre {CANARY}", mention=False, thread=at.card)
    await at.consulate.say(f"!noter {at.number}", mention=False)
    await at.prefecture.say(f"!avis {at.number} oui", mention=False)
    await at.alsace.say(f"!question {SAARBRUCKEN}", mention=False)


@way("sealed")
async def waited_for_from_within(at: Ground) -> None:
    """Asked in the encrypted room, and reminded of, raised and closed elsewhere."""
    await asked_from_within(at)
    for day in ("17T17:30", "19T14:00", "20T14:00", "23T14:00", "24T14:00", "26T14:00"):
        await at.play.at(f"2026-03-{day}")


@way("sealed")
async def in_the_agenda_from_within(at: Ground) -> None:
    """An event and a visit, shown in lists, on cards, to the prefects of the border, and in a calendar file."""
    await at.consulate.say(f"!evenement 2026-03-20 10h-12h Metz entretien {CANARY}", mention=False)
    await at.consulate.say(f"!visite 2026-03-21 10h-12h Berlin entretien {CANARY} sur les frontaliers", mention=False)
    await at.play.tick()
    for place in (at.prefecture, at.munich):
        await place.say("!agenda E-1", mention=False)
        await place.say("!visite E-2", mention=False)
    at.prefecture.sees("salon chiffré")
    at.export()


@way("sealed", but={"matrix"})  # where an organisation has one room
async def changed_from_another_room(at: Ground) -> None:
    """Who entered an event may cancel and move it in a room in clear, but reads nothing of it there."""
    within = at.guest("titulaire", at.consulate.room)
    await within.say(f"!evenement 2026-03-20 10h-12h Metz entretien {CANARY}", mention=False)
    beside = cast("Any", at.play).link("consulat-francfort", "salon en clair").as_("titulaire")
    for line in ("E-1", "annuler E-1", "déplacer E-1 21 mars 15h"):
        await beside.say(f"!agenda {line}", mention=False)
    reply = await beside.slash("evenement", "modifier E-1", forms=True)
    assert CANARY not in repr(reply)
    beside.sees("salon chiffré")


@way("sealed", but={"matrix"})  # whose rooms are encrypted from the beginning
async def once_the_room_was_encrypted(at: Ground) -> None:
    """What was said in clear is rewritten, completed or goes on where it is not any more."""
    before = replace(cast("Any", at.consulate), encrypted=False)
    answer = await before.say("!repondre Oui.", mention=False, thread=at.card)
    await before.slash("noter", at.number)
    await at.consulate.edit(answer, f"!repondre {CANARY}")
    asked = await before.say("La préfecture de la Moselle peut-elle vérifier une attestation d'accueil à Metz ?")
    at.prefecture.sees("Q-2026-00002")
    await at.consulate.edit(asked, f"La préfecture de la Moselle peut-elle vérifier l'attestation {CANARY} à Metz ?")
    at.play.clock.pass_(minutes=30)
    await before.say("Faut-il un visa pour le Congo ?")
    unclear = at.consulate.sees("Q-2026-00003")
    files = {f"{CANARY}.pdf": CANARY.encode()}
    await at.consulate.say("", mention=False, thread=unclear, files=files)
    await at.consulate.say(CANARY, mention=False, thread=unclear)
    await before.slash("rediriger", "Q-2026-00003 consulat-munich")
    at.munich.sees("Q-2026-00003")


@way("sealed", but={"matrix"})
async def held_until_the_room_was_encrypted(at: Ground) -> None:
    """What waits for its author's choice is rewritten meanwhile."""
    before = replace(cast("Any", at.consulate), encrypted=False)
    held = await before.say(f"!repondre {SECRET}", mention=False, thread=at.card)
    await at.consulate.edit(held, f"!repondre {CANARY}")
    await before.click(before.sees("Pas encore envoyé"), "Envoyer tel quel")
