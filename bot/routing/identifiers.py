"""Personal identifiers in a text, and the text without them.

Promised: numbers of papers, telephones, accounts, addresses of mail, dates of birth and the name after a title are
found however they are spaced; masking keeps what a question is about. It is a net, not a proof: what is masked may
still tell a person to those who know them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["mail", "phone", "account", "birth", "number", "name"]

_TITLES = r"(?:M\.|MM\.|Mr\.?|Mme|Mlle|Mrs\.?|Ms\.?|Monsieur|Madame|Mademoiselle|Dr\.?|Maître|Me)"
_PART = r"(?:[A-ZÀ-Ý][\w'’-]*|d['’]|de|du|des|le|la|el|al|ben|bin|van|von)"
_MONTH = r"(?:\d{1,2}|[^\W\d]+)"
_PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("mail", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("account", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")),
    ("phone", re.compile(r"(?<![\w+])(?:\+|00)\d{1,3}(?:[ .\-()]*\d){6,12}(?!\w)")),
    ("phone", re.compile(r"(?<!\w)0\d(?:[ .\-]?\d{2}){4}(?!\w)")),
    (
        "birth",
        re.compile(
            rf"\b(?:n[ée]+e?s? le|born on|date de naissance)\W{{0,3}}(\d{{1,2}}[ ./-]{_MONTH}[ ./-]\d{{2,4}})",
            re.IGNORECASE,
        ),
    ),
    ("number", re.compile(r"\b(?=(?:[A-Z]*\d){5})[A-Z]{0,3}(?:[ -]?\d){6,}[A-Z]{0,2}\b")),
    ("number", re.compile(r"\b(?=[A-Z0-9]*\d{3})[A-Z0-9]*[A-Z][A-Z0-9]{7,}\b")),
    ("number", re.compile(r"\b\d{2}[A-Z]{2}\d{5}\b")),
    ("name", re.compile(rf"\b{_TITLES}\s+({_PART}(?:\s+{_PART})*)")),
)
_MASK = "…"


@dataclass(frozen=True, slots=True)
class Identifier:
    """What was found, and where."""

    kind: Kind
    start: int
    end: int


def identifiers(text: str) -> tuple[Identifier, ...]:
    """Return the personal identifiers of a text, in its order; none overlaps another."""
    found: list[Identifier] = []
    for it in sorted(_all(text), key=lambda it: (it.start, -it.end)):
        if not found or it.start >= found[-1].end:
            found.append(it)
    return tuple(found)


def _all(text: str) -> Iterator[Identifier]:
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            group = 1 if pattern.groups else 0
            yield Identifier(kind, *match.span(group))


def masked(text: str) -> str:
    """Return a text with its identifiers replaced by an ellipsis."""
    pieces: list[str] = []
    at = 0
    for it in identifiers(text):
        pieces += (text[at : it.start], _MASK)
        at = it.end
    return "".join((*pieces, text[at:]))
