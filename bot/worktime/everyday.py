"""Opening hours as people type them: « lun-jeu 8h30-12h30, 14h-17h ; ven 8h30-12h ; jours fériés fermé »."""

import re
import unicodedata

from bot.worktime.hours import parse

_WORDS = {
    "Mo": "mo lun lundi lundis mon monday",
    "Tu": "tu mar mardi mardis tue tuesday",
    "We": "we mer mercredi mercredis wed wednesday",
    "Th": "th jeu jeudi jeudis thu thursday",
    "Fr": "fr ven vendredi vendredis fri friday",
    "Sa": "sa sam samedi samedis sat saturday",
    "Su": "su dim dimanche dimanches sun sunday",
    "PH": "ph feries holidays",
    "off": "off ferme fermee closed",
    "-": "a au to",
    ",": "et and",
    "": "du de le les from on jours public",
}
_CALLED = {word: sign for sign, words in _WORDS.items() for word in words.split()}
_TIME = re.compile(r"\b(\d{1,2})\s?(?:h(?:\s?(\d\d))?|:(\d\d))(?![\dh])")
_DAY = "(?:Mo|Tu|We|Th|Fr|Sa|Su|PH)"


def read(text: str) -> str | None:
    """Return hours in OpenStreetMap's syntax, None for what is not understood whole."""
    if parse(text.strip()) is not None:
        return text.strip()
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    plain = re.sub(r"[\u2013\u2014]", "-", plain)
    plain = _TIME.sub(lambda found: f"{int(found[1]):02d}:{found[2] or found[3] or '00'}", plain)
    plain = re.sub(r"[a-z]+\.?", lambda found: _CALLED.get(found[0].rstrip("."), found[0]), plain)
    plain = re.sub(r"\s*-\s*", "-", " ".join(plain.split()))
    plain = re.sub(r"\s*,[\s,]*", ",", plain)
    plain = re.sub(r"(\d) (?=\d)", r"\1,", plain)  # « 9h-12h 14h-17h »
    plain = re.sub(rf"({_DAY})[ ,]+(?=\d|off)", r"\1 ", plain)
    plain = re.sub(rf"(\d|off)[ ,]+(?={_DAY})", r"\1; ", plain)  # another day begins another rule
    plain = re.sub(r"\s*;[\s;]*", "; ", plain).strip("; ")
    return plain if parse(plain) is not None else None
