"""Words without what spelling varies in: accents, ligatures, capitals, hyphens, and little words."""

import re
import unicodedata

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l"})
_WORD = re.compile(r"[^\W_]+")
_LITTLE = frozenset("a au aux d de des du en et l la le les of the in for pour qui".split())


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text in plain letters and digits, without little ones unless there are no others."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LIGATURES))
    found = _WORD.findall("".join(sign for sign in plain if not unicodedata.combining(sign)))
    return tuple(word for word in found if word not in _LITTLE) or tuple(found)
