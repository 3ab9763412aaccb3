"""A digest in one line: « chaque lundi à 8 h, 67 formations, sur 14 jours, en anglais, rien si vide ». Pure."""

import re
from collections.abc import Callable, Collection
from zoneinfo import available_timezones

from bot.agenda import ahead
from bot.agenda.dates import folded
from bot.digests.phrases import rhythm_in
from bot.digests.rhythm import Rhythm
from bot.digests.tables import WORDS, Wish
from bot.errors import UserError

LONGEST = ahead.DAYS  # that a digest looks ahead
_COUNTS = {"un": 1, "une": 1, "one": 1, "a": 1, "deux": 2, "two": 2, "trois": 3, "three": 3, "quatre": 4, "four": 4}
_DAYS = {"j": 1, "d": 1, "s": 7, "w": 7, "m": 31}
_UNIT = r"(?P<u>jours?|days?|semaines?|weeks?|mois|months?)"

_HORIZON = re.compile(
    r"\b(?:sur|horizon|pour|over|for|next)\s+(?:(?:de|les|the)\s+)?"
    rf"(?P<n>\d{{1,3}}|{'|'.join(_COUNTS)})?\s*(?:prochaine?s?\s+|coming\s+|next\s+)?{_UNIT}\b",
    re.IGNORECASE,
)
_FRENCH = re.compile(r"\b(?:en francais|in french)\b", re.IGNORECASE)
_ENGLISH = re.compile(r"\b(?:en anglais|in english)\b", re.IGNORECASE)
_SILENT = re.compile(
    r"\b(?:rien|silence|silencieux|aucun message)\s+si\s+vide\b|\b(?:nothing|silent|quiet)\s+(?:if|when)\s+empty\b",
    re.IGNORECASE,
)
_SAYS = re.compile(r"\bmeme\s+(?:si\s+)?vide\b|\beven\s+(?:if|when)\s+empty\b", re.IGNORECASE)
_ZONE = re.compile(r"\b[A-Z][A-Za-z]+/[A-Za-z_]+(?:/[A-Za-z_]+)?\b")
_HOUR_OF = re.compile(
    r"(?:\ba l')?\bheure\s+(?:de\s+la\s+|de\s+|du\s+|des\s+|d')"
    r"(?P<fr>[A-Z][\w'-]*(?:[ -](?:de |la |des )?[A-Z][\w'-]*)*)"
    r"|\b(?P<en>[A-Z][\w'-]*(?: [A-Z][\w'-]*)*)\s+time\b"
)
_TOPICS = re.compile(r"\b(?:sujets?|topics?)\s*:?\s*(?P<t>[\w-]+(?:\s*(?:,|\bet\b|\band\b)\s*[\w-]+)*)", re.IGNORECASE)

ZoneNamed = Callable[[str], str | None]
"""Return the zone of a place by its name, None where there is no such place."""


def wished(line: str, topics: Collection[str], zone_named: ZoneNamed) -> Wish:
    """Read what a digest is asked to be. What is none of its words is the filter.

    Raises UserError for what has no rhythm, and for zones, topics and horizons that do not exist.
    """
    line, horizon = _horizon(line)
    line, zone = _zone(line, zone_named)
    line, french = _taken(line, _FRENCH)
    line, english = _taken(line, _ENGLISH)
    line, silent = _taken(line, _SILENT)
    line, _ = _taken(line, _SAYS)
    line, chosen = _topics(line, topics)
    rhythm, words = rhythm_in(line)
    return Wish(
        rhythm=rhythm,
        words=words[:WORDS],
        topics=chosen,
        horizon=horizon or natural(rhythm),
        language="fr" if french else "en" if english else "",
        zone=zone,
        when_empty=silent is None,
    )


def natural(rhythm: Rhythm) -> int:
    """Return how many days lie between two digests, more or less: so far it looks where nothing else is said."""
    if rhythm.dates or rhythm.which:
        return 31
    return 14 if rhythm.unit == "week" and rhythm.every > 1 else 7


def chosen_topics(text: str, topics: Collection[str]) -> tuple[str, ...]:
    """Return topics by their names. Raises UserError for one that there is not."""
    words = [word for word in re.split(r"[\s,]+", folded(text).lower()) if word not in {"", "et", "and"}]
    named = [word.replace("-", "_") for word in words]
    unknown = next((word for word in named if word not in topics), None)
    if unknown is not None:
        raise UserError("digest.no_topic", word=unknown[:40], topics=tuple(sorted(topics)))
    return tuple(dict.fromkeys(named))


def known_zone(text: str, zone_named: ZoneNamed) -> str:
    """Return a zone by its name, or by a place in it. Raises UserError for one that there is not."""
    text = text.strip()
    found = text if text in available_timezones() else zone_named(text) if text else ""
    if found is None:
        raise UserError("digest.no_zone", zone=text[:60])
    return found


def _taken(line: str, pattern: re.Pattern[str]) -> tuple[str, re.Match[str] | None]:
    """Return a line without what a pattern finds in it, spelt plainly, and what it found."""
    found = pattern.search(folded(line))
    if found is None:
        return line, None
    first, end = found.span()
    return f"{line[:first]} , {line[end:]}", found


def _horizon(line: str) -> tuple[str, int]:
    line, found = _taken(line, _HORIZON)
    if found is None:
        return line, 0
    said = (found["n"] or "1").lower()
    count = (int(said) if said.isdecimal() else _COUNTS[said]) * _DAYS[found["u"][0].lower()]
    if not 1 <= count <= LONGEST + 1:
        raise UserError("digest.no_horizon", longest=LONGEST)
    return line, min(count, LONGEST)


def _zone(line: str, zone_named: ZoneNamed) -> tuple[str, str]:
    line, found = _taken(line, _ZONE)
    if found is not None:
        return line, known_zone(found[0], lambda _: None)
    line, found = _taken(line, _HOUR_OF)
    return (line, "") if found is None else (line, known_zone(found["fr"] or found["en"], zone_named))


def _topics(line: str, topics: Collection[str]) -> tuple[str, tuple[str, ...]]:
    line, found = _taken(line, _TOPICS)
    return (line, ()) if found is None else (line, chosen_topics(found["t"], topics))
