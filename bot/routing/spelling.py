"""Spelling made plain, so that marks, names and words are found however they were typed."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

_FOREIGN = re.compile(r"[^\x00-\x7f]")
_WORD = re.compile(r"[^\W_]+")
_ENDING = re.compile(r"(?:aient|antes?|ees?|ere|ent|ait|ant|er|ez|e)$")
_ROOT = 5
"""Shorter roots say too little: endings of short words stay."""
_LATIN = re.compile(r"[a-z0-9]+")
_FRAMED = re.compile(
    r"(?:NEGATIVE )?(?:SQUARED|CIRCLED|REGIONAL INDICATOR SYMBOL)(?: LATIN)?(?: CAPITAL)?(?: LETTER)? ([A-Z])"
)
_LOOKALIKES = str.maketrans(
    "АВСЕНІЈКМОРЅТХУаеіјорсухѕԁɡΑΒΕΖΗΙΚΜΝΟΡΤΥΧαειονρτυχıɑɩʀꜱᴄᴅᴇꜰɪɴᴏᴘᴛᴜᴀʟ",
    "ABCEHIJKMOPSTXYaeijopcyxsdgABEZHIKMNOPTYXaeiovptuxiaiRSCDEFINOPTUAL",
)
_LIGATURES = {
    "œ": "oe",
    "Œ": "OE",
    "æ": "ae",
    "Æ": "AE",
    "ß": "ss",
    "ø": "o",
    "Ø": "O",
    "đ": "d",
    "Đ": "D",
    "ł": "l",
    "Ł": "L",
}
_APOSTROPHES = "\u2018\u2019\u02bc\u2032"
_UNSEEN = frozenset({"Mn", "Me", "Cf"})
_PUNCTUATION = {"Pd": "-", "Pi": '"', "Pf": '"', "Ps": "[", "Pe": "]", "Zl": "\n", "Zp": "\n"}


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text: as it was written, as it is compared, and which it is of the text's words."""

    written: str
    key: str
    stem: str
    at: int


def plain(text: str) -> str:
    """Return `text` in ASCII: accents and unseen characters gone, look-alike letters as the Latin ones they imitate.

    Letters keep their case, line breaks stay, anything without an equivalent becomes a space. Characters are folded
    one by one, so the time is linear whatever the text (canonical reordering of a whole string is not).
    """
    return text if text.isascii() else _FOREIGN.sub(lambda found: _ascii(found[0]), text)


def words(text: str) -> tuple[Word, ...]:
    """Return the words of a text; apostrophes, hyphens and all punctuation separate them."""
    visible = _FOREIGN.sub(lambda found: "" if unicodedata.category(found[0]) in _UNSEEN else found[0], text)
    return tuple(
        Word(written, key, stem(key), at)
        for at, written in enumerate(_WORD.findall(visible))
        for key in ((written.lower(),) if written.isascii() else _LATIN.findall(plain(written).lower()))
    )


def said(words: Iterable[Word]) -> str:
    """Return words as they were written, each once though it may stand for several."""
    first: dict[int, str] = {}
    for word in words:
        first.setdefault(word.at, word.written)
    return " ".join(first.values())


@lru_cache(maxsize=1024)
def keys(name: str) -> tuple[str, ...]:
    """Return how the words of a name or phrase are compared."""
    return tuple(_LATIN.findall(plain(name).lower()))


@lru_cache(maxsize=4096)
def stem(key: str) -> str:
    """Return a word without its regular plural, feminine and conjugation: « délivrées », « délivrent »."""
    singular = key[:-1] if len(key) > 3 and key[-1] in "sx" else key
    ended = _ENDING.search(singular) if len(singular) > _ROOT else None
    return singular[: ended.start()] if ended and ended.start() >= _ROOT else singular


@lru_cache(maxsize=4096)
def _ascii(character: str) -> str:
    if character in _LIGATURES:
        return _LIGATURES[character]
    if character in _APOSTROPHES:
        return "'"
    category = unicodedata.category(character)
    if category in _UNSEEN:
        return ""
    if category in _PUNCTUATION:
        return _PUNCTUATION[category]
    decomposed = unicodedata.normalize("NFKD", character).translate(_LOOKALIKES)
    kept = "".join(c for c in decomposed if c.isascii())
    return kept or (_framed(character) if category == "So" else " ")


def _framed(symbol: str) -> str:
    """Return the letter inside a squared or circled one, which has no decomposition; else a space."""
    framed = _FRAMED.fullmatch(unicodedata.name(symbol, ""))
    return framed[1] if framed else " "
