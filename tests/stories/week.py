"""A week of a consulate, played on the stage and written down as each side sees it.

`python -m tests.stories.week` writes `docs/week.md` and its pictures anew.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.db import Database
from bot.directory import identity
from bot.directory.tables import Person, Posting
from bot.due import Due
from bot.platforms.console import Shown as Drawn
from bot.platforms.console import as_text
from scripts.drawing import Said, picture
from tests.conftest import build
from tests.stories.scene import Scene, Shown, named_by_account, scene
from tests.stories.verbs import Play, Room
from tests.typed import typed

PARIS = ZoneInfo("Europe/Paris")
MINUTE = timedelta(minutes=1)
FOLDER = Path("docs/week")
ROOMS = {
    "prefecture-57": "préfecture de la Moselle",
    "consulat-francfort": "consulat général à Francfort",
    "consulat-munich": "consulat général à Munich",
    "region-grand-est": "région Grand Est, conseillère diplomatique",
}
PEOPLE = {  # made up: id → given name, organisation, office
    "damien": ("Damien", "consulat-francfort", "desk"),
    "dominique": ("Dominique", "consulat-francfort", "deputy"),
    "agathe": ("Agathe", "prefecture-57", "desk"),
}
INTRO = """# A week of a consulate

The consulate general in Frankfurt and a prefecture, from a Monday to the Friday, and how the week's questions end. What
stands here was played on a stage in memory with a clock of its own: `tests/stories/week.py` plays it,
`python -m tests.stories.week` writes this page, and a test sees that the page is what the bot says today. The people are
made up. « ↻ » is a card that was rewritten in place: only what changed is shown. The same week, played on the platforms
themselves: [on Slack](week/slack.md), in pictures, and [in an encrypted room on Matrix](week/matrix.md).
"""


class Told(Protocol):
    """What is told of the week while it is played."""

    @property
    def play(self) -> Play: ...
    def day(self, title: str) -> None: ...
    def note(self, text: str) -> None: ...
    def did(self, place: Room, what: str) -> None:
        """Somebody said or pressed something; write it, and all that is shown since."""
        ...

    async def until(self, instant: str) -> None:
        """Let time pass until an instant; write what the clock does on the way, whenever something is due."""
        ...

    def pictured(self, name: str, alt: str, asked: str, left: Room, right: Room) -> None: ...
    def charted(self, place: Room) -> None: ...


async def passing(play: Play, instant: str) -> AsyncIterator[None]:
    """Let time pass until an instant, stopping whenever something was due."""
    end = datetime.fromisoformat(instant).replace(tzinfo=PARIS)
    while play.clock() < end:
        due_at = play.app.database.run_now(lambda s: s.scalar(select(func.min(Due.due_at))))
        play.clock.at = min(end, max(due_at or end, play.clock() + MINUTE)).astimezone(UTC)
        await play.tick()
        yield


@dataclass
class Diary:
    """What happened on the stage, as a page."""

    play: Scene
    lines: list[str] = field(default_factory=lambda: [INTRO])
    seen: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)
    chart: bytes = b""

    def day(self, title: str) -> None:
        self.lines.append(f"## {title}\n")

    def note(self, text: str) -> None:
        self.lines.append(f"{text}\n")

    def did(self, place: Room, what: str) -> None:
        at = self.play.clock().astimezone(PARIS)
        name = PEOPLE[place.account][0] if place.account in PEOPLE else "un collègue"
        self.lines.append(f"**{at.hour} h {at.minute:02d}, {ROOMS[place.room]}** · {name} : {what}\n")
        self.shows()

    async def until(self, instant: str) -> None:
        async for _ in passing(self.play, instant):
            if any(self._is_new(shown) for shown in self.play.stage.posts.values()):
                at = self.play.clock().astimezone(PARIS)
                self.lines.append(f"**{at:%A} at {at.hour} h {at.minute:02d}** · time has passed:\n")
                self.shows()

    def shows(self) -> None:
        said: list[str] = []
        for shown in self.play.stage.posts.values():
            if self._is_new(shown):
                said.append(self._drawn(shown))
                self.seen[shown.id] = _text(shown)
        if said:
            self.lines.append("```text\n" + "\n\n".join(said) + "\n```\n")

    def _is_new(self, shown: Shown) -> bool:
        return self.seen.get(shown.id) != _text(shown)

    def _drawn(self, shown: Shown) -> str:
        alone = ", visible de cette seule personne" if shown.to.audience is not None else ""
        room = f"[{ROOMS[shown.to.room]}{alone}]"
        if shown.id not in self.seen:
            return f"{room}\n{_text(shown)}"
        before = self.seen[shown.id].splitlines()
        title, *rest = _text(shown).splitlines()
        return "\n".join((f"{room}\n↻ {title}", *(line for line in rest if line not in before)))

    def pictured(self, name: str, alt: str, asked: str, left: Room, right: Room) -> None:
        """Draw two rooms beside each other as they are now."""
        there: Said = [("Passerelle", shown.card) for shown in right.posts if shown.to.audience is None]
        here: Said = [("Passerelle", shown.card) for shown in left.posts if shown.to.audience is None]
        rooms = (
            ("Slack  ·  #prefecture-moselle", [("Agathe", asked), *here]),
            ("Matrix  ·  salon du consulat", there[:5]),
        )
        self.pictures[f"{name}.svg"] = picture(*rooms)
        self.lines.append(f"![{alt}](week/{name}.svg)\n")

    def charted(self, place: Room) -> None:
        """Keep the chart that was just shown."""
        self.chart = self.play.stage.files[place.sees("📎 bilan-").id]
        self.lines.append("![The chart that follows the figures](week/bilan.png)\n")

    @property
    def page(self) -> str:
        return "\n".join(self.lines)


def _text(shown: Shown) -> str:
    return typed(as_text(Drawn(shown.to.room, shown.id, shown.card, "new")))


async def week(database: Database) -> Diary:
    """Play the week on the stage; return its diary."""
    async with _stage(database) as play:
        diary = Diary(play)
        await play_week(diary, play)
    return diary


async def play_week(diary: Told, play: Play) -> None:
    """Play the week, wherever its rooms are."""
    prefecture: Room = play.link("prefecture-57").as_("agathe")
    consulate: Room = play.link("consulat-francfort", relay_unencrypted=True).as_("damien")
    munich, region = play.link("consulat-munich"), play.link("region-grand-est")
    await monday(diary, prefecture, consulate)
    await tuesday(diary, prefecture, consulate, munich)
    await wednesday(diary, prefecture, consulate, region)
    await end(diary, prefecture, consulate)


async def monday(diary: Told, prefecture: Room, consulate: Room) -> None:
    play = diary.play
    diary.day("Monday: asked, asked back, answered")
    await play.at("2026-03-16T09:12")
    text = "Nous doutons de cet acte de naissance établi à Sarrebruck. Pouvez-vous le vérifier ?"
    root = await prefecture.say(text, files={"acte.pdf": b"%PDF acte"})
    diary.did(prefecture, f"@Passerelle {text} 📎 acte.pdf")
    card = consulate.sees("Q-2026-00001")
    diary.note("The deadline is in each reader's own time; the file has crossed with the question.")
    play.clock.pass_(minutes=18)
    await consulate.click(card, "Prendre")
    diary.did(consulate, "presses « Prendre »")
    await consulate.as_("stagiaire").say("Le registre de 1987 est incomplet, attention.", mention=False, thread=card)
    diary.did(
        consulate.as_("stagiaire"), "Le registre de 1987 est incomplet, attention. *(in the thread: it stays there)*"
    )
    play.clock.pass_(minutes=7)
    form = await consulate.click(card, "Faire préciser", forms=True)
    await consulate.submit(form, text="De quelle année est l'acte ?")
    diary.did(consulate, "presses « Faire préciser », and writes: De quelle année est l'acte ?")
    play.clock.pass_(minutes=14)
    await prefecture.say("De 1987.", mention=False, thread=root)
    diary.did(prefecture, "De 1987. *(in the thread: what the asker says there crosses)*")
    await play.at("2026-03-16T14:20")
    words = "L'acte est authentique. Le père est titulaire du passeport 12AB34567. Copie certifiée jointe."
    await consulate.say(f"!repondre {words}", mention=False, thread=card, files={"copie.pdf": b"%PDF copie"})
    diary.did(consulate, f"!repondre {words} 📎 copie.pdf")
    diary.note(
        "The number of a passport is bound for a channel in clear: its author chooses first, and nobody else sees it."
    )
    await consulate.click(consulate.sees("Pas encore envoyé"), "Masquer")
    diary.did(consulate, "presses « Masquer »")
    play.clock.pass_(minutes=9)
    await prefecture.say("Merci beaucoup !", mention=False, thread=root)
    await prefecture.click(prefecture.sees("Répondue"), "Utile")
    diary.did(prefecture, "Merci beaucoup ! … and presses « Utile »")
    diary.pictured("monday", "Monday's question on both sides", f"@Passerelle {text}", prefecture, consulate)


async def tuesday(diary: Told, prefecture: Room, consulate: Room, munich: Room) -> None:
    play = diary.play
    diary.day("Tuesday: not ours; and one that is urgent to somebody")
    await play.at("2026-03-17T09:40")
    text = "Qui vérifie la transcription d'un acte de mariage établi à Mayence ?"
    await prefecture.say(text)
    diary.did(prefecture, f"@Passerelle {text}")
    play.clock.pass_(minutes=11)
    await consulate.slash("rediriger", "Q-2026-00002 consulat munich car les époux vivent à Munich")
    diary.did(consulate, "/rediriger Q-2026-00002 consulat munich car les époux vivent à Munich")
    play.clock.pass_(minutes=40)
    await munich.slash("repondre", "Q-2026-00002 Nous la vérifions : envoyez-nous l'acte.")
    diary.did(munich, "/repondre Q-2026-00002 Nous la vérifions : envoyez-nous l'acte.")
    await play.at("2026-03-17T11:00")
    text = "Une famille de Metz cherche un ressortissant français hospitalisé à Francfort. Qui peut la renseigner ?"
    await prefecture.say(text)
    diary.did(prefecture, f"@Passerelle {text}")
    play.clock.pass_(minutes=5)
    await consulate.click(consulate.sees("hospitalisé"), "Prendre")
    diary.did(consulate, "presses « Prendre », and is called away")
    await diary.until("2026-03-17T18:30")


async def wednesday(diary: Told, prefecture: Room, consulate: Room, region: Room) -> None:
    play = diary.play
    diary.day("Wednesday to Friday: somebody is away, and nothing is forgotten")
    await play.at("2026-03-18T09:05")
    await consulate.say("absence du 18/3 au 25/3 dominique")
    diary.did(consulate, "absence du 18/3 au 25/3 dominique")
    await diary.until("2026-03-18T09:06")
    diary.note("What Damien had taken is the consulate's again, and who stands in is called to it.")
    await diary.until("2026-03-20T17:00")
    await region.slash(
        "repondre", "Q-2026-00003 L'hôpital universitaire confirme ; la famille peut appeler le consulat."
    )
    diary.did(region, "/repondre Q-2026-00003 L'hôpital universitaire confirme ; la famille peut appeler le consulat.")
    await prefecture.say("bilan 2026-03")
    diary.did(prefecture, "bilan 2026-03")
    diary.charted(prefecture)


async def end(diary: Told, prefecture: Room, consulate: Room) -> None:
    diary.day("The weeks after: silence ends a question, and there is a way back")
    await diary.until("2026-03-30T18:00")
    closed = prefecture.sees("faute de suite")
    await prefecture.click(closed, "Rouvrir")
    diary.did(prefecture, "presses « Rouvrir »")
    await consulate.as_("dominique").slash("repondre", "Q-2026-00001 La copie certifiée est partie ce matin.")
    diary.did(consulate.as_("dominique"), "/repondre Q-2026-00001 La copie certifiée est partie ce matin.")
    await prefecture.click(next(p for p in prefecture.posts if "Q-2026-00001" in p.text), "Clore")
    diary.did(prefecture, "presses « Clore »")
    await prefecture.slash("historique", "Q-2026-00001")
    diary.did(prefecture, "presses « Historique »")


@contextlib.asynccontextmanager
async def _stage(database: Database) -> AsyncGenerator[Scene]:
    """A bot on a stage on which these people have accounts."""
    own = identity.person_of
    identity.person_of = named_by_account  # type: ignore[assignment]
    try:
        async with scene(database) as play:
            database.run_now(people)
            yield play
    finally:
        identity.person_of = own


def people(session: Session) -> None:
    """Enter the week's people."""
    for id_, (name, *_) in PEOPLE.items():
        session.add(Person(id=id_, given_name=name, family_name="Exemple", visibility="network"))
    session.flush()
    for id_, (_, organisation, role) in PEOPLE.items():
        session.add(Posting(person=id_, organisation=organisation, role=role, start=date(2026, 1, 1)))


async def main() -> None:
    """Write the page and its pictures."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/week.db"
        build(url)
        database = Database(url)
        diary = await week(database)
        database.close()
    FOLDER.mkdir(exist_ok=True)
    FOLDER.with_suffix(".md").write_text(diary.page, encoding="utf-8")
    for name, drawn in diary.pictures.items():
        (FOLDER / name).write_text(drawn, encoding="utf-8")
    (FOLDER / "bilan.png").write_bytes(diary.chart)


if __name__ == "__main__":
    asyncio.run(main())
