"""Spelling made plain, so that marks, names and words are found however they were typed."""

import re
import unicodedata
from functools import lru_cache

_FOREIGN = re.compile(r"[^\x00-\x7f]")
_LOOKALIKES = str.maketrans(
    "АВСЕНІЈКМОРЅТХУаеіјорсухѕԁɡΑΒΕΖΗΙΚΜΝΟΡΤΥΧαειονρτυχıɑɩʀꜱᴄᴅᴇꜰɪɴᴏᴘᴛᴜᴀʟ",
    "ABCEHIJKMOPSTXYaeijopcyxsdgABEZHIKMNOPTYXaeiovptuxiaiRSCDEFINOPTUAL",
)
_LIGATURES = {"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ł": "l", "Ł": "L"}
_APOSTROPHES = "'\u2018\u2019\u02bc\u2032"
_BY_CATEGORY = {"Mn": "", "Me": "", "Cf": "", "Pd": "-", "Pi": '"', "Pf": '"', "Ps": "[", "Pe": "]", "Zl": "\n", "Zp": "\n"}


def plain(text: str) -> str:
    """Return `text` in ASCII: accents and unseen characters gone, look-alike letters as the Latin ones they imitate.

    Letters keep their case, line breaks stay, anything without an equivalent becomes a space. Characters are folded
    one by one, so the time is linear whatever the text (canonical reordering of a whole string is not).
    """
    return _FOREIGN.sub(lambda found: _ascii(found[0]), text)


@lru_cache(maxsize=4096)
def _ascii(character: str) -> str:
    if character in _LIGATURES:
        return _LIGATURES[character]
    if character in _APOSTROPHES:
        return "'"
    if (known := _BY_CATEGORY.get(unicodedata.category(character))) is not None:
        return known
    decomposed = unicodedata.normalize("NFKD", character).translate(_LOOKALIKES)
    kept = "".join(c for c in decomposed if c.isascii())
    return kept or _framed(decomposed)


def _framed(character: str) -> str:
    """Return the letter inside a squared or circled one, which has no decomposition; else a space."""
    name = unicodedata.name(character, "") if len(character) == 1 else ""
    framed = re.fullmatch(r"(?:NEGATIVE )?(?:SQUARED|CIRCLED|REGIONAL INDICATOR SYMBOL)(?: LATIN)?(?: CAPITAL)?(?: LETTER)? ([A-Z])", name)
    return framed[1] if framed else " "
