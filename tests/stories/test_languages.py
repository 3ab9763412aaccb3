"""Each room and each person is spoken to in their own language: words, dates, hours, lists, documents."""

import re
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.card import Card, Form, Paragraph, Reply
from bot.context import Scope
from bot.conversation.telling import tell_person
from bot.db import Database
from bot.directory.identity import identify
from bot.directory.tables import Competence, Organisation, Person, Posting
from bot.documents import charts, reports
from bot.documents import pdf as documents
from bot.documents.pdf import Heading, Part, Picture, Prose, Table
from bot.message import User
from bot.opening import CONFIG
from bot.texts import Catalogues, Text
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Clock, Place, Scene, scene
from tests.typed import typed

LITTLE = {  # words without which nobody speaks, that the other language does not have
    "fr": frozenset(
        "le la les des du une est sont dans pour avec sur sans vous votre nous qui que cette sera par".split()
    ),
    "en": frozenset("the of and is are was were with from this that you your not has have been will by".split()),
}
OTHER = {"fr": "en", "en": "fr"}


DAYS = {
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche janvier février avril juin juillet août septembre octobre novembre décembre",
    "en": "monday tuesday wednesday thursday friday saturday sunday january february april june july august october",
}
HOURS = {"fr": re.compile(r"\b\d{1,2} h\b"), "en": re.compile(r"\b\d{1,2}:\d\d\b")}


def foreign(text: str, language: str, *names: str) -> list[str]:
    """Return the little words of the other language in a text, but for what was quoted and for what is typed."""
    for name in names:
        text = text.replace(name, "")
    text = re.sub(r"`[^`]*`|«[^»]*»|“[^”]*”|\(Mo-[^)]*\)", "", typed(text))
    words = LITTLE[OTHER[language]] | set(DAYS[OTHER[language]].split())
    return [*sorted(words & set(re.findall(r"[a-zà-ÿ]+", text.lower()))), *HOURS[OTHER[language]].findall(text)]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_no_sentence_of_a_catalogue_is_in_the_other_language(language: str) -> None:
    catalogue = Catalogues.load(CONFIG / "texts")
    for key in catalogue.keys(language):
        sentence = re.sub(r"\{[^}]*\}", "", catalogue.sentence(key, language))
        assert foreign(sentence, language) == [], (key, sentence)


def names_of(play: Scene) -> list[str]:
    """Return what the directory has in French, and stays so: names, addresses, the texts that give a competence."""
    columns = (
        select(Organisation.name, Organisation.short_name, Organisation.address),
        select(Competence.legal_basis).distinct(),
    )
    rows = play.app.database.run_now(lambda s: [row for found in columns for row in s.execute(found)])
    return sorted({name for row in rows for name in row if name and " " in name}, key=len, reverse=True)


WORDS = (
    "annuaire consulat-munich", "agenda", "agenda 2026-05", "demandes", "demandes service", "demandes tous", "aide",
    "aide question", "bilan", "bilan 2026-03", "rapport 2025 region-grand-est", "digest", "visite", "visite E-1", "visite note E-1",
    "formation", "formation E-2", "mobilite", "annuaire moi", "annuaire à confirmer", "conseillers", "historique", "absence",
    "permanence", "voir Q-2026-00001", "agenda E-1", "agenda E-2", "horaires",
)  # fmt: skip


def labels(reply: Reply) -> str:
    """Return what a form says."""
    if not isinstance(reply, Form):
        return ""
    fields = [str(words) for it in reply.fields for words in (it.label, *(choice.label for choice in it.choices))]
    return " · ".join((str(reply.title), str(reply.submit), str(reply.intro or ""), *fields))


ON_QUESTIONS = ("repondre", "rediriger", "preciser", "clore", "scinder", "fusionner", "signaler")


@pytest.mark.one_in(4)
@pytest.mark.parametrize("language", ["fr", "en"])
async def test_whatever_is_drawn_is_in_the_language_of_its_room(play: Scene, language: str) -> None:
    """Two rooms work together, one in each language: each sees every card in its own."""
    consulate = play.link("consulat-francfort", language=language)
    prefecture = play.link("prefecture-57", language=OTHER[language])
    await prefecture.say(SAARBRUCKEN)
    await consulate.click(consulate.posts[-1], consulate.posts[-1].buttons[0])
    await consulate.invoke("repondre", "Q-2026-00001 Zorglonde.")
    await prefecture.invoke("visite", "2 avril 10h-12h Berlin Zorglonde")
    await prefecture.invoke("formation", "ajouter 8 avril 9h-17h Strasbourg Zorglonde")
    for place, own in ((consulate, language), (prefecture, OTHER[language])):
        for command in sorted({it.name for it in play.app.world.commands.values()}):
            form = await place.slash(command, "Q-2026-00001" if command in ON_QUESTIONS else "", forms=True)
            assert foreign(labels(form), own, SAARBRUCKEN) == []
        for words in WORDS:
            await place.invoke(*words.split(" ", 1)) if " " in words else await place.invoke(words)
    play.clock.pass_(days=10)
    await play.tick()
    names = names_of(play)
    for place, own in ((consulate, language), (prefecture, OTHER[language])):
        files = [play.stage.files[it.id] for it in place.posts if it.id in play.stage.files]
        notes = [content.decode() for content in files if content.isascii() or content.startswith(b"#")]
        shown = [it.text for it in place.posts] + notes
        assert len(shown) > len(WORDS)
        wrong = [(foreign(it, own, SAARBRUCKEN, *names), it) for it in shown]
        assert [it for it in wrong if it[0]] == []


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> dict[bytes, str]:
    """What is written on charts and in reports, by what they are as files."""
    found: dict[bytes, str] = {}

    def words(part: Part) -> str:
        match part:
            case Heading(text) | Prose(text):
                return text
            case Picture(png):
                return found[png]
            case Table(rows):
                return "\n".join(" · ".join(row) for row in rows)

    def bars(title: str, subtitle: str, rows: Sequence[charts.Bar]) -> bytes:
        made = charts.bars(title, subtitle, rows)
        found[made] = "\n".join((title, subtitle, *(f"{row.label} · {row.note}" for row in rows)))
        return made

    def pdf(title: str, parts: Sequence[Part], language: str) -> bytes:
        made = documents.pdf(title, parts, language)
        assert f"/Lang ({language})".encode() in made
        found[made] = "\n".join((title, *map(words, parts)))
        return made

    monkeypatch.setattr(reports, "bars", bars)
    monkeypatch.setattr(reports, "pdf", pdf)
    return found


async def test_charts_and_documents_are_labelled_in_the_language_of_their_room(
    play: Scene, prefecture: Place, written: dict[bytes, str]
) -> None:
    """Two rooms of one region, one in each language, ask for the same."""
    names = {"fr": ("bilan-", "rapport-"), "en": ("figures-", "report-")}
    rooms = {language: play.link("region-grand-est", language, language=language) for language in names}
    await prefecture.say(SAARBRUCKEN)
    await prefecture.invoke("rediriger", "Q-2026-00001 region-grand-est")
    play.clock.pass_(days=4)
    await rooms["en"].invoke("repondre", "Q-2026-00001 Zorglonde.")
    for language, room in rooms.items():
        for asked in ("bilan 2026 sujet", "rapport 2026"):
            await room.invoke(*asked.split(" ", 1))
        drawn = [(it.text, written[play.stage.files[it.id]]) for it in room.posts if it.id in play.stage.files]
        assert len(drawn) == 2
        assert all(text.removeprefix("📎 ").startswith(names[language]) for text, _ in drawn)
        said = "\n".join(words for _, words in drawn)
        assert foreign(said, language, *names_of(play)) == []
        assert foreign(said, OTHER[language], *names_of(play)) != []
        assert ("état civil" in said.lower()) == (language == "fr")


async def test_who_chose_no_language_is_told_in_the_one_of_their_organisation(shipped: Database) -> None:
    """A person's choice goes before a room's, that before the organisation's, that before the installation's."""
    own = {
        "UCHOSEFRENCH": ("ambassade-us", "fr"),
        "UCHOSENOTHING": ("ambassade-us", ""),
        "UELSEWHERE": ("ambassade-at", ""),
    }

    def people(session: Session) -> None:
        session.get_one(Organisation, "ambassade-us").language = "en"
        day = Clock().at.date() - timedelta(days=9)
        for account, (organisation, language) in own.items():
            session.add(Person(id=account.lower(), given_name="Agent", slack_id=account, language=language))
            session.flush()
            session.add(Posting(person=account.lower(), organisation=organisation, role="desk", start=day))

    shipped.run_now(people)
    async with scene(shipped, platform="slack") as play:

        def tell(session: Session) -> None:
            outbox = play.app.exit_(session, play.clock())
            ctx = Scope(session=session, now=play.clock(), outbox=outbox, world=play.app.world, key="told")
            card = Card(None, (Paragraph(Text.of("visit.brief.at", at=play.clock())),))
            for account in own:
                tell_person(ctx, session.get(Person, account.lower()), card, account)

        play.app.database.run_now(tell)
        await play.settle()
        assert re.search(r"\b0?8:00", Place(play, "UCHOSENOTHING").sees("Received").text)
        assert "8 h" in Place(play, "UCHOSEFRENCH").sees("Reçu").text
        assert "13 h" in Place(play, "UELSEWHERE").sees("Reçu").text
        rooms = {"en": play.link("ambassade-us", "CNOCHOICE"), "fr": play.link("ambassade-us", "CCHOSE", language="fr")}
        for language, room in rooms.items():
            await room.invoke("aide")
            assert foreign(room.posts[-1].text, language) == []
            assert foreign(room.posts[-1].text, OTHER[language]) != []
            user = User("slack", "UCHOSENOTHING", insider=True)
            actor = play.app.database.run_now(
                lambda s, r=room, u=user: identify(s, u, ("slack", r.room), False, play.clock())
            )
            assert actor is not None
            assert actor.language == language
