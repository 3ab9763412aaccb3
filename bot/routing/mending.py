"""Words mended before they are compared: abbreviations spelled out, run-together words parted, typing errors undone.

Promised: a word that the vocabulary has, or that is an everyday word, is left alone; so no country's name ever becomes
another's. Only a word within one error of a single known word is taken for it, after doubled and mute letters have
been set aside; short words and people's names (after « M. », « Mme ») never are.
"""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import groupby, pairwise

from bot.routing.spelling import Word, keys, stem

_TITLES = frozenset({"m", "mr", "mme", "mlle", "monsieur", "madame", "mademoiselle", "dr", "me", "maitre", "mrs", "ms"})
_PARTICLES = ("de", "la", "le", "les", "du", "des", "en", "au", "aux", "un", "une", "pour", "par", "sur", "avec", "et")
_ELIDED = ("d", "l")
_ALIKE = (
    ("ph", "f"), ("qu", "c"), ("geo", "jo"), ("gea", "ja"),
    ("y", "i"), ("k", "c"), ("q", "c"), ("z", "s"), ("w", "v"),
)  # fmt: skip
_OF_TOWNS = re.compile(r"(?:een|ien|ais|ois|ain)(?:n?es?|s)?$")
"""How words end that name the people of a place: « nancéen » is no Nankin."""
_MUTE = re.compile(r"(?<=[^cs])h")
SHORTEST = 5
"""Shorter words are never mended."""
_SHORTEST_WITH_ERROR = 6
_SHORTEST_JOINED = 7
_CUT = 8
"""Longer words may be two words run together."""


class Mender:
    """What is needed to mend words: the vocabulary, other words that are known, the abbreviations.

    `groups` gives each word that may be meant what it stands for: words of one group may be taken for one another.
    """

    def __init__(
        self,
        groups: Mapping[str, str],
        known: Iterable[Container[str]],
        abbreviations: Mapping[str, Sequence[str]],
    ) -> None:
        self._groups = groups
        self._known = (groups, *known)
        self._abbreviations = abbreviations
        self._near: dict[str, tuple[str, ...]] = {}
        for word in sorted(word for word in groups if len(word) >= SHORTEST):
            bones = skeleton(word)
            half = len(bones) // 2
            for part in (f"{bones[:half]}-", f"-{bones[half:]}"):
                self._near[part] = (*self._near.get(part, ()), word)

    def mend(self, said: Sequence[Word]) -> tuple[Word, ...]:
        """Return the words as they are meant; each keeps what was written and where."""
        return tuple(self._mended(tuple(self._joined(said))))

    def _joined(self, said: Sequence[Word]) -> Iterable[Word]:
        """Join a word typed in two pieces."""
        skip = False
        for word, after in pairwise((*said, Word("", "", "", -1))):
            if skip:
                skip = False
                continue
            whole = word.key + after.key
            if self._torn(word.key, after.key) and whole in self._groups:
                yield Word(f"{word.written} {after.written}", whole, stem(whole), word.at)
                skip = True
                continue
            yield word

    def _torn(self, one: str, other: str) -> bool:
        """Whether two words may be one that was torn: « luxem bourg »; at least one of them is no word."""
        pieces = (one, other)
        if len(one + other) < _SHORTEST_JOINED or any(len(it) < 2 or it in _PARTICLES for it in pieces):
            return False
        unknown = [it for it in pieces if not self._knows(it)]
        return any(len(it) > 2 for it in unknown) or (bool(unknown) and self._groups.keys().isdisjoint(pieces))

    def _mended(self, said: Sequence[Word]) -> Iterable[Word]:
        """Undo the errors of each word; initials in capitals have none, unless the whole text is in capitals."""
        before = ""
        shouted = all(word.written == word.written.upper() for word in said)
        for word in said:
            initials = not shouted and word.written == word.written.upper()
            for key in (
                (word.key,) if initials and word.key not in self._abbreviations else self._keys(word.key, before)
            ):
                yield word if key == word.key else Word(word.written, key, stem(key), word.at)
            before = word.key

    def _keys(self, key: str, before: str) -> Sequence[str]:
        if key in self._abbreviations:
            return self._abbreviations[key]
        if self._knows(key) or len(key) < SHORTEST or before in _TITLES or not key.isalpha():
            return (key,)
        meant = self.meant(key)
        return (meant,) if meant else self._parted(key)

    def _knows(self, key: str) -> bool:
        return any(key in words for words in self._known)

    def changes(self, key: str) -> bool:
        """Whether a word alone would be changed."""
        return tuple(self._keys(key, "")) != (key,)

    def meant(self, key: str) -> str | None:
        """Return the one known word that an unknown one is taken for."""
        found = _candidates(key, self._near)
        if not found:
            return None
        nearest = min(errors for errors, _ in found)
        words = sorted(word for errors, word in found if errors == nearest)
        other = nearest and _OF_TOWNS.search(key) and not _OF_TOWNS.search(words[0])
        return words[0] if not other and len({self._groups[word] for word in words}) == 1 else None

    def _parted(self, key: str) -> Sequence[str]:
        """Part « actede », « lallemagne », « paysdorigine »."""
        if len(key) < _CUT:
            return (key,)
        for particle in (*_PARTICLES, *_ELIDED):
            least = SHORTEST if len(particle) > 1 else _SHORTEST_WITH_ERROR
            begun, ended = key.removeprefix(particle), key.removesuffix(particle)
            if begun != key and len(begun) >= least:
                meant = begun if begun in self._groups else len(begun) > _SHORTEST_WITH_ERROR and self.meant(begun)
                if meant and (begun in self._groups or not self._knows(begun)):
                    return (particle, meant)
            if len(particle) > 1 and ended != key and len(ended) >= 4 and ended in self._groups:
                return (ended, particle)
        for at in range(4, len(key) - 3):
            if key[:at] in self._groups and key[at:] in self._groups:
                return (key[:at], key[at:])
        return (key,)


def _candidates(key: str, near: Mapping[str, Sequence[str]]) -> list[tuple[int, str]]:
    """Return the words within one error: that leaves one half of a word as it is, or exchanges where they meet."""
    bones = skeleton(key)
    middle = len(bones) // 2
    met = bones[: middle - 1] + bones[middle : middle + 1] + bones[middle - 1 : middle] + bones[middle + 1 :]
    halves = {f"{met[:middle]}-"}
    for length in (len(bones) - 1, len(bones), len(bones) + 1):
        halves |= {f"{bones[: length // 2]}-", f"-{bones[len(bones) - (length - length // 2) :]}"}
    found = {word for half in halves for word in near.get(half, ())}
    return [
        (errors, word)
        for word in found
        if (errors := _errors(bones, skeleton(word), word)) is not None and (word[0] == key[0] or len(word) > _CUT)
    ]


def _errors(bones: str, others: str, word: str) -> int | None:
    """Return how many errors tell two skeletons apart, None when they are too many for the word's length."""
    if bones == others:
        return 0
    return 1 if len(word) >= _SHORTEST_WITH_ERROR and _one_error(bones, others) else None


def _one_error(one: str, other: str) -> bool:
    """Whether a letter too many, too few, another or two exchanged make one of the other."""
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    if len(one) < len(other):
        return one[at:] == other[at + 1 :]
    exchanged = one[at : at + 2] == other[at : at + 2][::-1] and one[at + 2 :] == other[at + 2 :]
    return exchanged or one[at + 1 :] == other[at + 1 :]


@lru_cache(maxsize=2048)
def skeleton(key: str) -> str:
    """Return a word without what people most often mistake: doubled and mute letters, `y` for `i`, `j` for `ge`."""
    for written, meant in _ALIKE:
        key = key.replace(written, meant)
    plain = _MUTE.sub("", key) if "h" in key else key
    return "".join(letter for letter, _ in groupby(plain))


def spelled_out(rows: Iterable[Mapping[str, str]]) -> dict[str, tuple[str, ...]]:
    """Return the abbreviations of one word with the words they stand for."""
    return {keys(row["short"])[0]: keys(row["long"]) for row in rows if len(keys(row["short"])) == 1}
