"""A name in a text, and what it may mean."""

from dataclasses import dataclass

from bot.routing.names import Sense


@dataclass(frozen=True, slots=True)
class Found:
    """A name in the text. `senses` are several while nothing tells which is meant; a default leaves `others`.

    `silent`: it tells who is in charge, but names no country.
    """

    start: int
    end: int
    written: str
    senses: tuple[Sense, ...]
    demonym: bool = False
    foreign_post: bool = False
    by_default: bool = False
    others: tuple[Sense, ...] = ()
    silent: bool = False

    @property
    def open(self) -> bool:
        """Whether it may still mean several things."""
        return len(self.senses) > 1
