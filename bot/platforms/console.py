"""The console: rooms of organisations on standard input and output, for trying, demonstrating and scripting.

A line is a message that the bot is meant to read; a bare number presses that button of the card shown last. A word
`@PATH` attaches a file of this machine.
"""

import asyncio
import itertools
import json
import os
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from bot.card import Button, Buttons, Card, Fields, Paragraph, buttons_of
from bot.clock import Clock
from bot.errors import Refused
from bot.files import Upload, media_type
from bot.message import Address, Attachment, Invocation, Message, RoomChange, User
from bot.platforms import Receive
from bot.texts import unescaped

_PIECE: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Shown:
    """A card as the console showed it: new, or in place of an earlier one."""

    room: str
    id: str
    card: Card
    change: Literal["new", "edited", "deleted"]


class Console:
    """Rooms on this process's console; `rooms` maps each to who types there."""

    name = "console"

    def __init__(
        self, rooms: Mapping[str, str], show: Callable[[Shown], None], clock: Clock, folder: Path | None = None
    ) -> None:
        """`folder` is where files are put that the bot says; without one they are only named."""
        self._folder = folder
        self._attached: dict[str, Path] = {}  # here, by whoever types
        self._rooms = dict(rooms)
        self._show = show
        self._clock = clock
        self._buttons: dict[str, tuple[str, tuple[Button, ...]]] = {}

    async def run(self, receive: Receive) -> None:
        """Wait: what is typed comes through `typed`."""
        del receive
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Do nothing: the terminal belongs to who opened it."""

    async def send(self, to: Address, card: Card, *, key: str, again: bool) -> str:
        """Show a card."""
        del again
        self._put(Shown(to.room, key, card, "new"))
        return key

    async def send_file(self, to: Address, file: Upload, *, key: str, again: bool) -> str:
        """Put a file into the folder for it, and name it."""
        del again
        name = file.name
        if self._folder is not None:
            content = b"".join([piece async for piece in file.pieces()])
            name = str(await asyncio.to_thread(_put, self._folder, file.name, content))
        self._show(Shown(to.room, key, Card(None, (Paragraph(f"📎 {name}"),)), "new"))
        return key

    async def delete_file(self, to: Address, message_id: str, *, key: str) -> None:
        """Show that a file was taken back."""
        await self.delete(to, message_id, key=key)

    async def fetch(self, source: str) -> AsyncIterator[bytes]:
        """Yield the bytes of a file that was attached here."""
        path = self._attached.get(source)
        try:
            stream = await asyncio.to_thread(path.open, "rb") if path is not None else None
        except OSError:
            stream = None
        if stream is None:
            raise Refused(f"the console has no file {source}")
        with stream:
            while piece := await asyncio.to_thread(stream.read, _PIECE):
                yield piece

    async def edit(self, to: Address, message_id: str, card: Card, *, key: str) -> None:
        """Show a card in place of an earlier one."""
        del key
        self._put(Shown(to.room, message_id, card, "edited"))

    async def delete(self, to: Address, message_id: str, *, key: str) -> None:
        """Show that a card was taken back."""
        del key
        self._show(Shown(to.room, message_id, Card(), "deleted"))

    def _put(self, shown: Shown) -> None:
        if buttons_of(shown.card):
            self._buttons[shown.room] = (shown.id, buttons_of(shown.card))
        self._show(shown)

    async def opened(self, receive: Receive, room: str) -> None:
        """Say that a room is here: what waited for one comes."""
        author = User(self.name, self._rooms[room], insider=True)
        to = Address(self.name, room)
        event = f"console-{uuid.uuid4()}"
        await receive(RoomChange(id=event, at=self._clock(), author=author, to=to, change="joined"))

    async def typed(self, receive: Receive, room: str, line: str) -> None:
        """Hand on a line that was typed in a room. Raises what `receive` raises."""
        when = self._clock()
        author = User(self.name, self._rooms[room], insider=True)
        to = Address(self.name, room)
        event = f"console-{uuid.uuid4()}"
        shown, buttons = self._buttons.get(room, ("", ()))
        bare = line.strip()
        number = int(bare) if bare.isdecimal() and len(bare) <= 3 else 0
        if 1 <= number <= len(buttons):
            button = buttons[number - 1]
            pressed = Invocation(
                id=event, at=when, author=author, to=to, command=button.command, line=button.line, pressed=shown
            )
            await receive(pressed)
            return
        text, files = self._with_files(line, event)
        said = Message(
            id=event, at=when, author=author, to=to, message_id=event, text=text, mentions_bot=True, files=files
        )
        await receive(said)

    def _with_files(self, line: str, event: str) -> tuple[str, tuple[Attachment, ...]]:
        """Return a line without the words that attach files, and these files."""
        words, files = list[str](), list[Attachment]()
        for word in line.split(" "):
            path = Path(word[1:]) if word.startswith("@") and len(word) > 1 else None
            if path is None or not path.is_file():
                words.append(word)
                continue
            id_ = f"{event}/{len(files)}"
            self._attached[id_] = path
            size = path.stat().st_size
            files.append(Attachment(id=id_, name=path.name, size=size, media_type=media_type(path.name), source=id_))
        return " ".join(words).strip() if files else line, tuple(files)


def _put(folder: Path, name: str, content: bytes) -> Path:
    """Write a file under a name that none there has; only this account may read it."""
    folder.mkdir(parents=True, exist_ok=True)
    stem, _, suffix = name.rpartition(".")
    for number in itertools.count(1):
        path = folder / (name if number == 1 else f"{stem}-{number}.{suffix}")
        try:
            made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        with os.fdopen(made, "wb") as stream:
            stream.write(content)
        return path
    raise AssertionError  # there is always another number


def as_json(shown: Shown) -> str:
    """Return what was shown as one line of JSON: `room`, `id`, `change`, `title`, `text`, `fields`, `buttons`."""
    paragraphs = [str(b.text) for b in shown.card.blocks if isinstance(b, Paragraph)]
    fields = {str(k): str(v) for b in shown.card.blocks if isinstance(b, Fields) for k, v in b.pairs}
    return json.dumps(
        {
            "room": shown.room,
            "id": shown.id,
            "change": shown.change,
            "title": shown.card.title,
            "text": "\n\n".join(paragraphs),
            "fields": fields,
            "buttons": [str(b.label) for b in buttons_of(shown.card)],
        },
        ensure_ascii=False,
    )


def as_text(shown: Shown) -> str:
    """Return what was shown as people read it, its buttons numbered."""
    lines: list[str] = []
    if shown.card.title:
        lines.append(f"── {shown.card.title} " + "─" * max(2, 56 - len(str(shown.card.title))))
    number = 0
    for block in shown.card.blocks:
        match block:
            case Paragraph(text, quote=True):
                lines += [f"  │ {line}" for line in str(text).splitlines()]
            case Paragraph(text):
                lines += [f"  {line}" for line in str(text).splitlines()]
            case Fields(pairs):
                lines += [f"  {label} : {value}" for label, value in pairs]
            case Buttons(buttons):
                drawn: list[str] = []
                for button in buttons:
                    number += 1
                    drawn.append(f"[{number} {button.label}]")
                lines.append("  " + " ".join(drawn))
    mark = {"new": "", "edited": "↻ ", "deleted": "✗ "}[shown.change]
    return mark + unescaped("\n".join(lines or ["—"]))
