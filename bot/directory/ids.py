"""How ids of the directory are made of names."""

import re
import unicodedata

from bot.directory.tables import ID

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l"})
_BETWEEN = re.compile(r"[^a-z0-9]+")


def slug(name: str) -> str:
    """Return a name in plain letters and digits with hyphens between them, short enough for an id; may be empty."""
    plain = unicodedata.normalize("NFKD", name[: 2 * ID].casefold().translate(_LIGATURES))
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return _BETWEEN.sub("-", letters).strip("-")[:ID].strip("-")
