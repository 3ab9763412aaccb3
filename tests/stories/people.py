"""People whom the directory knows, for stories: entered by files, spoken for in a room or alone with the bot."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from bot.directory import importing, rights
from bot.directory.history import Author
from bot.directory.reading import read
from bot.message import User
from tests.stories.scene import Place, Scene


@dataclass
class Someone(Place):
    """A linked account of Slack's."""

    @property
    def user(self) -> User:
        return User("slack", self.account, insider=True)


def alone(play: Scene, account: str = "U0AGENTA") -> Someone:
    """Somebody in their direct room with the bot."""
    return Someone(play, account, account, surface="direct")


def enter(
    session: Session, folder: Path, files: Mapping[str, str], granted: Mapping[str, str], author: Author | None = None
) -> None:
    """Import files of the directory by name, and grant people a right each; the history has it if it has an author."""
    for name, content in files.items():
        (folder / f"{name}.csv").write_text(content)
    assert importing.apply(session, read([folder]), author=author).errors == ()
    for person, right in granted.items():
        rights.grant(session, person, right, author=author)
