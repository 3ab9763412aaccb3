"""The same week on the platforms: as Slack draws it, in pictures, and as a Matrix client shows it, in words.

`python -m tests.stories.week_seen` writes `docs/week/slack.md` with its pictures, and `docs/week/matrix.md`.
"""

import asyncio
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from bot.card import Block, Button, Buttons, Paragraph
from bot.db import Database
from bot.directory.tables import Person
from scripts.drawing import Heard, channels
from tests.conftest import build
from tests.fakes.slack import Post
from tests.fakes.slack.render import block_lines, readable
from tests.servers.story import RoomEvent
from tests.servers.strict_client import StrictClients
from tests.servers.synapse import Synapse
from tests.stories.on_matrix import Home
from tests.stories.platforms import Platforms, Servers, accounts, on_platforms
from tests.stories.scene import Clock
from tests.stories.verbs import Room
from tests.stories.week import FOLDER, PARIS, PEOPLE, passing, people, play_week
from tests.typed import typed

ASKING, ASKED = "prefecture-57", "consulat-francfort"
NAMES = {"agathe": "Agathe", "damien": "Damien", "dominique": "Dominique", "stagiaire": "un collègue"}
ROOMS = {ASKING: "Slack  ·  #prefecture-moselle", ASKED: "Slack  ·  #consulat-francfort"}
DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
ON_SLACK = """# The week on Slack

[The week of a consulate](../week.md), played on a Slack that is as strict as Slack's documentation
(`tests/fakes/slack`): the two channels at the end of each part, drawn from the very blocks that the bot sent. Each shows
what is new or was rewritten since the part before; what stands in a thread is indented beneath its root, and what one
person alone was shown says so. `python -m tests.stories.week_seen` draws them.
"""
ON_MATRIX = """# The week on Matrix

[The week of a consulate](../week.md), with the consulate in an end-to-end encrypted room of a real Synapse and the
prefecture on Slack: what the consulate's room shows at the end of each part, to a client as strict as Element
(cross-signed, refusing unsigned devices). A message is shown when it is new or was rewritten since the part before.
Numbers press buttons: `1` in answer to a card is its first. `python -m tests.stories.week_seen` writes this page.
"""


@dataclass
class Album:
    """What the rooms show at the end of each part of the week."""

    play: Platforms
    pages: list[str]
    pictures: dict[str, str] = field(default_factory=dict[str, str])
    first: dict[str, datetime] = field(default_factory=dict[str, datetime])  # when a message was first seen
    before: dict[str, str] = field(default_factory=dict[str, str])  # how it was when it was last drawn
    title: str = ""

    def day(self, title: str) -> None:
        self.close()
        self.title = title

    def note(self, text: str) -> None:
        pass

    def did(self, place: Room, what: str) -> None:
        """Note when what is new came; `what` was said shows by itself."""
        for id_ in self._ids():
            self.first.setdefault(id_, self.play.clock().astimezone(PARIS))

    async def until(self, instant: str) -> None:
        async for _ in passing(self.play, instant):
            self.did(self.play.link(ASKING), "")

    def pictured(self, name: str, alt: str, asked: str, left: Room, right: Room) -> None:
        pass

    def charted(self, place: Room) -> None:
        place.sees("bilan-")

    def _ids(self) -> Iterator[str]:
        yield from (post.ts for posts in self.play.slack.stands.values() for post in posts)
        if self.play.matrix is not None:
            yield from (said.id for said in (*self.play.matrix.stands, *(s.event for s in self.play.matrix.shown)))

    def close(self) -> None:
        """Show what is new or rewritten since the last part."""
        if not self.title:
            return
        self.pages.append(f"## {self.title}\n")
        if self.play.matrix is not None:
            self.pages.append("```text\n" + "\n\n".join(self._read(self.play.matrix)) + "\n```\n")
            return
        name = f"slack-{len(self.pictures) + 1}.svg"
        left, right = ((ROOMS[room], list(self._heard(room))) for room in (ASKING, ASKED))
        self.pictures[name] = channels(left, right)
        self.pages.append(f"![The two channels: {self.title}]({name})\n")

    def _is_new(self, id_: str, now: str) -> bool:
        was, self.before[id_] = self.before.get(id_), now
        return was != now

    def _at(self, id_: str) -> str:
        at = self.first[id_]
        return f"{DAYS[at.weekday()]} {at.hour} h {at.minute:02d}"

    # --- on Slack

    def _heard(self, room: str) -> Iterator[Heard]:
        """Threads of a channel in which anything is new: the root, then each reply that is."""
        posts = self.play.slack.stands[room]
        fresh = {post.ts for post in posts if self._is_new(post.ts, repr(post.body))}
        roots = {post.ts for post in posts if not post.is_reply}
        for root in posts:
            if root.ts not in roots:
                continue
            replies = [post for post in posts if post.is_reply and post.thread_ts == root.ts and post.ts in fresh]
            if root.ts in fresh or replies:
                yield self._drawn(root, reply=False, whole=root.ts in fresh)
                yield from (self._drawn(post, reply=True) for post in replies)

    def _drawn(self, post: Post, *, reply: bool, whole: bool = True) -> Heard:
        beside = [self._at(post.ts)]
        beside += ["modifié"] if post.edited else []
        beside += ["visible de cette seule personne"] if post.ephemeral_to else []
        blocks = list(drawn_blocks(post.body, self._names()))
        return Heard(
            self._author(post), blocks if whole else [*blocks[:1], Paragraph("…")], "  ·  ".join(beside), reply
        )

    def _author(self, post: Post) -> str:
        name = next((user.name for user in self.play.slack.people.values() if user.id == post.user), "")
        return "Passerelle" if post.by_bot else NAMES.get(name, "un collègue")

    def _names(self) -> Mapping[str, str]:
        people = {user.id: NAMES.get(user.name, user.name) for user in self.play.slack.people.values()}
        return people | {self.play.slack.fake.bot_user: "Passerelle"}

    # --- on Matrix

    def _read(self, home: Home) -> Iterator[str]:
        alone = {said.id for said in home.shown if said.alone}
        known = {said.id: said for said in home.stands} | {said.id: said.event for said in home.shown}
        for event in sorted(known.values(), key=lambda event: event.at):
            if self._is_new(event.id, event.body):
                yield self._line(event, known, home, alone=event.id in alone)

    def _line(self, event: RoomEvent, known: Mapping[str, RoomEvent], home: Home, *, alone: bool) -> str:
        names = {client.user_id: NAMES[person] for person, client in home.people.items()}
        names[home.bot.user_id] = "Passerelle"
        beside = [self._at(event.id)] + (["modifié"] if event.edited else [])
        beside += ["dans le salon direct"] if alone else []
        above = known.get(event.thread or event.reply_to or "")
        lines = [f"{names[event.sender]} · {' · '.join(beside)}"]
        if above is not None:
            quoted = _named(above.body, names).splitlines()[0]
            lines.append(
                f"  {'⤷ fil' if event.thread else '↩ en réponse à'} : {names[above.sender]}, « {quoted[:60]} »"
            )
        file = event.content.get("msgtype") == "m.file"
        words = [f"📎 {event.content['filename']}"] if file else []
        words += [] if file and event.body == event.content["filename"] else _named(event.body, names).splitlines()
        return "\n".join(lines + [f"  {line}".rstrip() for line in words])


def _named(text: str, names: Mapping[str, str]) -> str:
    for id_, name in names.items():
        text = text.replace(id_, f"@{name}")
    return typed(text)


def drawn_blocks(body: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[Block]:
    """What a message of Slack's shows, from its very blocks."""
    for block in body.get("blocks") or ():
        match block["type"]:
            case "actions":
                yield Buttons(tuple(_button(each) for each in block["elements"]))
            case "header":
                yield Paragraph(f"**{typed(block['text']['text'])}**")
            case "rich_text":
                for part in block["elements"]:
                    text = "\n".join(block_lines({"type": "rich_text", "elements": [part]}, names))
                    quote = part["type"] == "rich_text_quote"
                    yield Paragraph(typed(text.removeprefix("> ") if quote else text).strip(), quote=quote)
            case _:
                yield Paragraph(typed("\n".join(block_lines(block, names))))
    if not body.get("blocks") and body.get("text"):
        yield Paragraph(typed(readable(body["text"], names)))
    for file in body.get("files") or ():
        yield Paragraph(f"📎 {file['name']}")


def _button(element: Mapping[str, Any]) -> Button:
    return Button(typed(element["text"]["text"]), "", "", element.get("style", "plain"))


async def album(database: Database, folder: Path, servers: Servers | None = None) -> Album:
    """Play the week on Slack, or with the consulate on the homeserver; return what its rooms showed."""
    clock = Clock(datetime(2026, 3, 16, 8, tzinfo=UTC))
    matrix = None if servers is None else (ASKED, ("damien", "dominique", "stagiaire"), servers)
    async with on_platforms(database, folder, clock=clock, matrix=matrix) as play:
        database.run_now(lambda session: _enter(session, play))
        shown = Album(play, [ON_SLACK if matrix is None else ON_MATRIX])
        await play_week(shown, play)
        shown.close()
    return shown


def _enter(session: Session, play: Platforms) -> None:
    """Enter the week's people with their accounts."""
    people(session)
    for id_, (column, account) in accounts(play, {id_: of for id_, (_, of, _) in PEOPLE.items()}).items():
        setattr(session.get_one(Person, id_), column, account)


async def main() -> None:
    """Write both pages and the pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with Synapse(folder / "synapse") as homeserver, StrictClients(folder / "strict.log") as strict:
            for page, servers in (("slack", None), ("matrix", (homeserver, strict))):
                url = f"sqlite:///{folder}/{page}.db"
                build(url)
                database = Database(url)
                shown = await album(database, folder / page, servers)
                database.close()
                (FOLDER / f"{page}.md").write_text("\n".join(shown.pages), encoding="utf-8")
                for picture, drawn in shown.pictures.items():
                    (FOLDER / picture).write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
