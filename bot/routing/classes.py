"""Classes of words: what different words say of one thing, so that a word of no example is still understood.

« Lithium » and « hydrogène » are goods, « urne » and « cercueil » tell of a death. `classes.toml` lists them.
"""

from collections.abc import Iterator, Mapping

from bot.routing.spelling import Word, keys, stem

_BEGUN = 3
"""Beginnings of words are indexed by so many letters, and are no shorter."""


class Classes:
    """The classes of a word: by its stem, or by how it begins (`mot*`)."""

    def __init__(self, classes: Mapping[str, str]) -> None:
        self._by_stem: dict[str, tuple[str, ...]] = {}
        self._begun: dict[str, tuple[tuple[str, str], ...]] = {}
        for name, listed in classes.items():
            for written in listed.split():
                self._add(f"<{name}>", written)

    def of(self, word: Word) -> tuple[str, ...]:
        """Return the classes of a word, in the order of their names."""
        begun = (name for start, name in self._begun.get(word.key[:_BEGUN], ()) if word.key.startswith(start))
        return tuple(sorted({*self._by_stem.get(word.stem, ()), *begun}))

    def _add(self, name: str, written: str) -> None:
        (key,) = self._checked(written)
        if written.endswith("*"):
            self._begun[key[:_BEGUN]] = (*self._begun.get(key[:_BEGUN], ()), (key, name))
        else:
            self._by_stem[stem(key)] = (*self._by_stem.get(stem(key), ()), name)

    @staticmethod
    def _checked(written: str) -> Iterator[str]:
        """Yield the one word of an entry. Raises ValueError where it is none, or too short a beginning."""
        found = keys(written)
        if len(found) != 1 or (written.endswith("*") and len(found[0]) < _BEGUN):
            message = f"classes.toml: {written!r} is not one word, or too short a beginning"
            raise ValueError(message)
        yield found[0]
