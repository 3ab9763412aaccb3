"""What people do in rooms, whatever the rooms are: the stage's verbs, as a protocol that the platforms fulfil too.

A story told with these runs on the stage (`tests.stories.scene`), on Slack and on Matrix (`tests.stories.platforms`).
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol, Self

from bot.app import App
from tests.stories.scene import Clock


class Room(Protocol):
    """A room of an organisation, as one of its people sees it. Whatever is done is over when a verb returns."""

    room: str
    account: str

    def as_(self, account: str, *, insider: bool = True) -> Self:
        """Return the same room as somebody else sees it; one who is no insider is of another organisation's server."""
        ...

    def employ(self, organisation: str) -> None:
        """Let the directory know this person in an organisation, whichever room they sit in."""
        ...

    async def say(
        self,
        text: str,
        *,
        mention: bool = True,
        reply_to: Any = None,
        thread: Any = None,
        files: Mapping[str, bytes] | None = None,
    ) -> str:
        """Say something, to the bot or, without a mention, to the room; return the id of the message."""
        ...

    async def edit(self, message_id: str, text: str) -> None: ...
    async def delete(self, message_id: str) -> None: ...
    async def react(self, shown: Any, emoji: str) -> None: ...
    async def react_too_late(self, message_id: str, emoji: str) -> None:
        """React to an own message and take it back before anybody could look."""
        ...

    async def slash(self, command: str, line: str = "") -> Any: ...
    async def fill(self, command: str, line: str = "", *, text: str) -> None:
        """Open the form of a command and write this into it; where there are no forms, answer the bot's prompt."""
        ...

    async def shortcut(self, command: str, on: str) -> None:
        """Use a command on a message, without a word of one's own."""
        ...

    async def click(self, shown: Any, label: str, *, forms: bool = False) -> Any:
        """Press a button, one behind « Plus… » if need be; with `forms`, return the form that opens."""
        ...

    async def submit(self, form: Any, *, text: str) -> Any:
        """Write into the first field of a form, and send it."""
        ...

    @property
    def posts(self) -> Sequence[Any]:
        """What the bot shows here, in order."""
        ...

    async def home_page(self) -> str:
        """Return what the bot shows this person of their own, outside of all rooms."""
        ...

    def sees(self, words: str) -> Any:
        """Return the newest message here that holds these words."""
        ...

    def sees_not(self, words: str) -> None: ...
    def transcript(self) -> str: ...


class Play(Protocol):
    """A running bot with rooms."""

    app: App
    clock: Clock

    def link(self, organisation: str, **columns: Any) -> Any:
        """Return the room of an organisation, linked."""
        ...

    async def at(self, instant: str) -> None:
        """Let it be an instant, and the clockwork do what is due then."""
        ...

    async def tick(self) -> None:
        """Have the clockwork do what is due."""
        ...

    async def shown_beside(self, homes: Collection[str]) -> str:
        """Return all that was shown outside of the rooms of these organisations: messages, files, their jobs."""
        ...
