"""What people see in a room, whichever platform shows it."""

from abc import ABC, abstractmethod
from typing import Generic, Protocol, TypeVar


class HasText(Protocol):
    """A message as it is shown."""

    @property
    def text(self) -> str: ...


S = TypeVar("S", bound=HasText)


class Seen(ABC, Generic[S]):
    """A room, by its messages."""

    room: str

    @property
    @abstractmethod
    def posts(self) -> list[S]:
        """The messages here, the oldest first."""

    def sees(self, words: str) -> S:
        """Return the newest message here that holds these words."""
        for shown in reversed(self.posts):
            if words in shown.text:
                return shown
        raise AssertionError(f"{words!r} is not in {self.room}:\n" + self.transcript())

    def sees_not(self, words: str) -> None:
        assert words not in self.transcript(), self.transcript()

    def transcript(self) -> str:
        return "\n---\n".join(shown.text for shown in self.posts)
