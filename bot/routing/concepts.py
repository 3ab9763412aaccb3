"""Concepts: families of words that the hard rules combine, found in a text in whatever order they come.

Promised: a pure function of the words; articles between the words of a phrase are skipped, endings ignored; a phrase
that is denied (« pas de blessés », « victimes : aucune ») is known to be. The time is linear in the length of the text.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.routing.spelling import Word, keys, stem

_ARTICLES = frozenset("le la les l un une de du des d the of".split())
_NOT = frozenset("non pas aucun aucune sans ni jamais nul nulle zero not no without nobody fausse faux".split())
_PARTICIPLE = re.compile(r"(?:e|ee|i|ie|u|ue|is|ise|it|ite)s?$")
"""« Asile non enregistré » is no denial, « extradition ? non » is one."""
_NONE = frozenset("aucun aucune neant zero 0 none".split())
_NUMBER = "#"
_YEAR = "####"
_CENTURIES = ("19", "20")
_COUNTED = frozenset(
    "deux trois quatre cinq six sept huit neuf dix douze quinze vingt trente cent plusieurs "
    "two three four five ten several".split()
)
_GAP = ".."
_EXACT = "="
_STEM = "~"
"""Marks a stem among the words of a part."""
_REACH = 3
"""So many words may stand in a gap."""
_BEGUN = 3
"""Prefixes are indexed by so many letters, and are no shorter."""


@dataclass(frozen=True, slots=True)
class Said:
    """Words of a family: the first, the one after the last, and whether they are denied."""

    start: int
    end: int
    denied: bool = False


@dataclass(frozen=True, slots=True)
class _Part:
    """One word of a phrase, or a family; a gap may stand before it."""

    words: tuple[str, ...]
    prefixes: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    far: bool = False

    def fits(self, word: Word) -> bool:
        if word.key in self.words or _stem(word) in self.words or word.key.startswith(self.prefixes):
            return True
        return any(number in self.words for number in _numbers(word.key))


_Phrase = tuple[_Part, ...]


class Concepts:
    """What was found in one text."""

    def __init__(self, found: Mapping[str, Sequence[Said]]) -> None:
        self._found = found

    def all(self, *families: str) -> Iterator[Said]:
        """Yield what was said of some families, denied or not."""
        for family in families:
            yield from self._found.get(family, ())

    def said(self, *families: str) -> Said | None:
        """Return the first words of any of the families that are not denied."""
        return min((it for it in self.all(*families) if not it.denied), key=_span, default=None)

    def mentioned(self, *families: str) -> Said | None:
        """Return the first words of any of the families, denied or not: « pas de laissez-passer » asks for one."""
        return min(self.all(*families), key=_span, default=None)

    def apart(self, families: Iterable[str], others: Iterable[str], *, denied: bool = False) -> Said | None:
        """Return the first words of some families that are not part of words of others."""
        within = list(self.all(*others))
        for it in sorted(self.all(*families), key=_span):
            if (denied or not it.denied) and not any(other.start < it.end and it.start < other.end for other in within):
                return it
        return None

    def without(self, *families: str) -> "Concepts":
        """Return what was said but for what is part of words of some families."""
        within = list(self.all(*families))
        apart = {
            family: [it for it in said if not any(other.start < it.end and it.start < other.end for other in within)]
            for family, said in self._found.items()
        }
        return Concepts(apart) if within else self

    def near(self, ones: Iterable[str], others: Iterable[str], within: int = 6) -> Said | None:
        """Return the stretch from words of one family to words of another, either first, at most so many between."""
        both = [
            Said(min(one.start, other.start), max(one.end, other.end))
            for one in self.all(*ones)
            if not one.denied
            for other in self.all(*others)
            if not other.denied and max(one.start - other.end, other.start - one.end) <= within
        ]
        return min(both, key=_span, default=None)


def _span(it: Said) -> tuple[int, int]:
    return it.start, it.end


class Vocabulary:
    """The families of `guards.toml`, compiled once; a family may use those above it, and names that were read."""

    def __init__(self, families: Mapping[str, Sequence[str]], given: Iterable[str] = ()) -> None:
        self._order = tuple(families)
        self._by_word: dict[str, list[tuple[str, _Phrase]]] = {}
        self._by_prefix: dict[str, list[tuple[str, _Phrase]]] = {}
        self._by_family: dict[str, list[tuple[str, _Phrase]]] = {}
        known = set(given)
        for family, phrases in families.items():
            for phrase in phrases:
                self._add(family, _compiled(phrase, known))
            known.add(family)

    @property
    def words(self) -> frozenset[str]:
        """The words that a mistyped one may be meant to be."""
        indexes = (self._by_word, self._by_prefix, self._by_family)
        parts = (part for index in indexes for rows in index.values() for _, phrase in rows for part in phrase)
        return frozenset(word for part in parts for word in part.words if word.isalpha())

    def find(self, words: Sequence[Word], given: Mapping[str, Sequence[Said]]) -> Concepts:
        """Find the families in a text; `given` are the names that were read in it, by kind."""
        found: dict[str, list[Said]] = {family: list(said) for family, said in given.items()}
        waiting: dict[str, list[tuple[int, _Phrase]]] = {}
        for at, word in enumerate(words):
            for family, phrase in self._begun(word):
                waiting.setdefault(family, []).append((at, phrase))
        for family in (*given, *self._order):
            said = dict.fromkeys(found.get(family, ()))
            for at, phrase in waiting.get(family, ()):
                said.update(
                    (Said(at, end, _denied(words, at, end)), None) for end in _ends(phrase, 0, at, words, found)
                )
            if said:
                found[family] = list(said)
            for it in said:
                for other, phrase in self._by_family.get(family, ()):
                    waiting.setdefault(other, []).append((it.start, phrase))
        return Concepts(found)

    def _add(self, family: str, phrase: _Phrase) -> None:
        first = phrase[0]
        for word in first.words:
            self._by_word.setdefault(word, []).append((family, phrase))
        for prefix in first.prefixes:
            self._by_prefix.setdefault(prefix[:_BEGUN], []).append((family, phrase))
        for other in first.families:
            self._by_family.setdefault(other, []).append((family, phrase))

    def _begun(self, word: Word) -> Iterator[tuple[str, _Phrase]]:
        for key in {word.key, _stem(word), *_numbers(word.key)}:
            yield from self._by_word.get(key, ())
        yield from self._by_prefix.get(word.key[:_BEGUN], ())


def _ends(
    phrase: _Phrase, part: int, at: int, words: Sequence[Word], found: Mapping[str, Sequence[Said]]
) -> Iterator[int]:
    """Yield where a phrase may end that goes on, or begins, at a word."""
    if part == len(phrase):
        yield at
        return
    wanted = phrase[part]
    reach = _REACH if wanted.far else 0
    while at < len(words):
        if wanted.fits(words[at]):
            yield from _ends(phrase, part + 1, at + 1, words, found)
            return
        after = max((it.end for name in wanted.families for it in found.get(name, ()) if it.start == at), default=None)
        if after is not None:
            yield from _ends(phrase, part + 1, after, words, found)
            return
        if part == 0:
            return
        if words[at].key not in _ARTICLES:
            if reach == 0:
                return
            reach -= 1
        at += 1


def _stem(word: Word) -> str:
    return f"{_STEM}{word.stem}"


def _numbers(key: str) -> tuple[str, ...]:
    if not key.isdigit():
        return (_NUMBER,) if key in _COUNTED else ()
    return (_NUMBER, _YEAR) if len(key) == len(_YEAR) and key.startswith(_CENTURIES) else (_NUMBER,)


def _denied(words: Sequence[Word], start: int, end: int) -> bool:
    before = [word.key for word in words[max(0, start - 4) : start] if word.key not in _ARTICLES][-2:]
    if before and (before[-1] in _NOT or (before[-1] == "plus" and before[0] in {"n", "ne", "est", "a"})):
        return True
    after = [word.key for word in words[end : end + 2]]
    return bool(after) and (after[0] in _NONE or (after[0] == "non" and not _PARTICIPLE.search(" ".join(after[1:]))))


def _compiled(phrase: str, known: set[str]) -> _Phrase:
    parts: list[_Part] = []
    far = False
    for token in phrase.split():
        if token == _GAP:
            far = True
            continue
        for part in _parts(token, far=far):
            if unknown := set(part.families) - known:
                message = f"guards.toml: {phrase!r}: {', '.join(sorted(unknown))} must stand above"
                raise ValueError(message)
            parts.append(part)
            far = False
    if not parts:
        message = f"guards.toml: {phrase!r} says nothing"
        raise ValueError(message)
    return tuple(parts)


@lru_cache(maxsize=8192)
def _parts(token: str, *, far: bool) -> tuple[_Part, ...]:
    if "/" in token or token.startswith(("<", _NUMBER, _EXACT)):
        choices = token.split("/")
        if torn := [it for it in choices if not it.startswith("<") and len(keys(it)) > 1]:
            message = (
                f"guards.toml: {token!r}: {', '.join(torn)} is several words, which stand in a phrase of their own"
            )
            raise ValueError(message)
        return (_part(choices, far=far),)
    if not keys(token):
        message = f"guards.toml: {token!r} is no word"
        raise ValueError(message)
    written = [key for key in keys(token) if key not in _ARTICLES]
    if token.endswith("*") and written:
        written[-1] += "*"
    return tuple(_part([key], far=far and at == 0) for at, key in enumerate(written))


def _part(choices: Iterable[str], *, far: bool) -> _Part:
    words: set[str] = set()
    prefixes: list[str] = []
    families: list[str] = []
    for choice in choices:
        if choice.startswith("<"):
            families.append(choice.strip("<>"))
        elif choice in {_NUMBER, _YEAR}:
            words.add(choice)
        elif choice.endswith("*"):
            prefixes.extend(keys(choice))
        else:
            words.update(keys(choice))
            if not choice.startswith(_EXACT):
                words.update(f"{_STEM}{stem(key)}" for key in keys(choice))
    return _Part(tuple(sorted(words)), tuple(prefixes), tuple(families), far)
