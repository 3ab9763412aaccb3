"""Draw `docs/digests-*.svg`: March 2026 of a prefecture's digests, as its room shows them. Run it after a change.

`python -m scripts.digests_month`. The month is played: what people enter, move and cancel, a question that waits, on
the days they do; the digests are what the bot says of it. Events are made up.
"""

import asyncio
import tempfile
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.app import App, build
from bot.card import Card
from bot.cli.console import settle
from bot.connections import add
from bot.directory import rooms
from bot.directory.tables import Closure
from bot.life import running
from bot.message import Address, Invocation, Message, User
from bot.opening import open_database
from bot.platforms.console import Console, Shown
from config.settings import Settings
from scripts.drawing import PANE, Said, pane, write

PREFECTURE, CONSULATE = "prefecture-67", "consulat-francfort"
PARIS = ZoneInfo("Europe/Paris")
QUESTION = "Nous doutons d'un acte de naissance établi à Sarrebruck en 1987. Pouvez-vous le vérifier ?"
STORY = (  # when, whose room, what is typed there
    ("2026-02-25T10:00", PREFECTURE, "digest", "chaque lundi à 8 h, sur 14 jours"),
    (
        "2026-02-25T10:05",
        PREFECTURE,
        "agenda",
        "ajouter 5 mars 14h30 Strasbourg comité de coopération",
    ),
    ("2026-02-25T10:06", PREFECTURE, "agenda", "ajouter 11 mars 9h Strasbourg formation fraude documentaire"),
    (
        "2026-02-25T10:07",
        PREFECTURE,
        "agenda",
        "ajouter 6 mars échéance inscription formation fraude documentaire 67",
    ),
    ("2026-02-26T09:00", CONSULATE, "agenda", "ajouter 12 mars 10h Sarrebruck atelier état civil"),
    ("2026-03-02T08:00", "", "", ""),
    ("2026-03-03T11:00", PREFECTURE, "question", QUESTION),
    ("2026-03-04T15:00", PREFECTURE, "agenda", "déplacer E-1 10 mars 14h30"),
    ("2026-03-05T09:00", PREFECTURE, "agenda", "ajouter 19 mars 9h Kehl exercice de secours sur le Rhin"),
    ("2026-03-05T09:10", CONSULATE, "agenda", "ajouter du 16 au 17 mars Sarrebruck commission franco-sarroise"),
    ("2026-03-09T08:00", "", "", ""),
    ("2026-03-10T10:00", CONSULATE, "repondre", "Q-2026-1 L'acte est **authentique**."),
    (
        "2026-03-12T10:00",
        PREFECTURE,
        "agenda",
        "ajouter 24 mars 15h Strasbourg visite ministérielle à Kehl, à confirmer",
    ),
    ("2026-03-13T10:00", PREFECTURE, "agenda", "annuler E-5 oui"),
    ("2026-03-16T08:00", "", "", ""),
    ("2026-03-18T09:00", PREFECTURE, "agenda", "confirmer E-7"),
    (
        "2026-03-19T16:00",
        PREFECTURE,
        "agenda",
        "ajouter 1er avril Strasbourg prise de poste, consul général",
    ),
    ("2026-03-23T10:40", "", "", ""),  # nobody was there at eight
    ("2026-03-27T16:00", PREFECTURE, "agenda", "déplacer E-8 2 avril"),
    ("2026-03-30T08:00", "", "", ""),
)


@dataclass
class Scene:
    """A clock that the story moves, and the digests that the prefecture's room was shown."""

    at: datetime
    digests: list[tuple[datetime, Card]]

    def __call__(self) -> datetime:
        return self.at


def main() -> None:
    """Play the month, draw each digest."""
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(_play(folder))
    for number, (at, card) in enumerate(found, 1):
        said: Said = [(f"Passerelle · {at.astimezone(PARIS):%d/%m %H h %M}", card)]
        drawn = list(pane(0, "Slack  ·  #prefecture-bas-rhin", "#4a154b", said, buttons=True))
        write(Path(f"docs/digests-{number}.svg"), PANE, drawn)


async def _play(folder: str) -> list[tuple[datetime, Card]]:
    scene = Scene(datetime(2026, 2, 25, tzinfo=UTC), [])
    settings = Settings(database_url=f"sqlite:///{folder}/month.db")
    database = open_database(settings.database_url)
    database.run_now(lambda s: [rooms.link(s, o, "console", o, scene()) for o in (PREFECTURE, CONSULATE)])
    shut = Closure(organisation="consulat-munich", start=date(2026, 3, 26), end=date(2026, 3, 27))
    database.run_now(lambda s: s.add(shut))

    def show(what: Shown) -> None:
        if what.room == PREFECTURE and str(what.card.title or "").startswith("Ce qui passe"):
            scene.digests.append((scene.at, what.card))

    app = build(settings, database, scene)
    console = Console({PREFECTURE: "agent", CONSULATE: "consul"}, show, scene)
    add(app, console, {f"console:{PREFECTURE}", f"console:{CONSULATE}"})
    async with running(app):
        for number, (when, room, command, line) in enumerate(STORY):
            scene.at = datetime.fromisoformat(when).replace(tzinfo=PARIS).astimezone(UTC)
            if room:
                await app.dispatcher.receive(_event(number, scene.at, room, command, line))
            await _done(app)
    database.close()
    return scene.digests


async def _done(app: App) -> None:
    await app.clockwork.tick(app.clock())
    await settle(app)


def _event(number: int, at: datetime, room: str, command: str, line: str) -> Message | Invocation:
    author, to = User("console", room, insider=True), Address("console", room)
    if command == "question":
        return Message(
            id=f"e{number}", at=at, author=author, to=to, message_id=f"m{number}", text=line, mentions_bot=True
        )
    return Invocation(id=f"e{number}", at=at, author=author, to=to, command=command, line=line)


if __name__ == "__main__":
    main()
