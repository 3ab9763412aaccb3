"""Identifiers of persons in a text that is about to leave encryption: found precisely, since each stops its author.

Promised: French and foreign passports and identity cards, foreigners' numbers (AGDREF), social security numbers (NIR)
and accounts (IBAN) whose check digits are right, telephones and dates of birth are found however they are spaced,
marked up or disguised by invisible signs. A number of another length is found after a word that says what it is.
References of files, dates, amounts, laws and firms are not. What learning masks is wider: `bot.routing.identifiers`.

Sources: arrêté du 28 février 1996 (key of the NIR), ISO 13616 (IBAN), ICAO Doc 9303 (numbers of travel documents).
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

Kind: TypeAlias = Literal["nir", "iban", "passport", "identity", "foreigner", "phone", "birth"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

MASK: Final = "•••••"

_GAP = r"[ .\-/]{0,3}"
_MONTHS = (
    r"(?:janv|févr|fevr|mars|avr|mai|juin|juil|août|aout|sept|oct|nov|déc|dec"
    r"|jan|feb|mar|apr|may|jun|jul|aug|sep)[a-zéû]*"
)
_DATE = rf"(?:\d{{1,2}}(?:er)?\s?[ ./\-]\s?(?:\d{{1,2}}|{_MONTHS}\.?)\s?[ ./\-]\s?\d{{2,4}}|\d{{4}}-\d{{2}}-\d{{2}})"
_NUMBERED = r"(?:\W{0,3}(?:n|no|nr|num|numéro|numero|number|est|le|is|du|de)\b|\W?n?°){0,3}\W{0,4}"
_SHAPE = (
    r"((?=[A-Za-z0-9 .\-/]{5,})(?:[A-Z]{0,3}[ .\-/]?)?(?:\d[ .\-/]?){5,14}[A-Z0-9]{0,3}"
    r"|(?=[A-Z0-9]*\d[A-Z0-9]*\d)[A-Z0-9]{7,12})(?!\w)"
)

_PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("nir", re.compile(rf"(?<!\w)[1-478](?:{_GAP}\d){{4}}{_GAP}(?:\d{_GAP}\d|2{_GAP}[ABab])(?:{_GAP}\d){{8}}(?!\w)")),
    ("iban", re.compile(r"(?<!\w)[A-Za-z]{2}\d{2}(?:[ \-]?[A-Za-z0-9]){11,30}")),
    (
        "birth",
        re.compile(
            rf"\b(?:n[ée]+e?(?:\(e\)|·e)?s?|naissances?|born|birth(?:date|day)?|dob|ddn|geboren|nato|nata|nacid[oa])\b"
            rf"[^.;\n]{{0,40}}?({_DATE})",
            re.IGNORECASE,
        ),
    ),
    (
        "foreigner",
        re.compile(
            rf"\b(?:agdref|num[ée]ros?\s+(?:d['’]\s?)?[ée]tranger|(?:titres?|cartes?)\s+de\s+(?:s[ée]jour|r[ée]sident)"
            rf"|r[ée]c[ée]piss[ée]s?|visas?|residence\s+permits?|aufenthaltstitel)\b{_NUMBERED}{_SHAPE}",
            re.IGNORECASE,
        ),
    ),
    (
        "identity",
        re.compile(
            rf"\b(?:cni|cartes?\s+(?:nationales?\s+)?d['’]\s?identit[ée]|pi[èe]ces?\s+d['’]\s?identit[ée]"
            rf"|identity\s+cards?|id\s+cards?|personalausweis|carta\s+d['’]\s?identit[àa]|dni|nie|nir"
            rf"|s[ée]curit[ée]\s+sociale)\b{_NUMBERED}{_SHAPE}",
            re.IGNORECASE,
        ),
    ),
    ("passport", re.compile(rf"\b(?:passeports?|passports?|reisep[aä]ss\w*)\b{_NUMBERED}{_SHAPE}", re.IGNORECASE)),
    ("phone", re.compile(r"(?<![\w+])(?:\+|00)\s?[1-9](?:[ .\-()/]{0,2}\d){7,13}(?!\w)")),
    ("phone", re.compile(r"(?<![\w.,/\-])0\s?[1-9](?:[ .\-/]?\d{2}){4}(?![\w/]|-\d)")),
    ("passport", re.compile(r"(?<![\w\-])\d{2} ?[A-Z]{2} ?\d{5}(?![\w\-])")),
    ("passport", re.compile(r"(?<![\w\-])(?!Q-)[A-Z]{1,3}[ \-]?\d{6,9}(?![\w\-/])")),
    ("identity", re.compile(r"(?<![\w\-./])(?<!\w )\d{2}(?:0[1-9]|1[0-2])(?: ?\d){8}(?![\w\-/]| \d)")),
    (
        "identity",
        re.compile(r"(?<![\w\-])(?=(?:[A-Z]*\d){2})(?=(?:\d*[A-Z]){2})(?=\d*[A-Z]+\d+[A-Z]+|[A-Z]*\d+[A-Z]+\d)"
                   r"[A-Z0-9]{9,10}(?![\w\-])"),
    ),
    ("foreigner", re.compile(r"(?<![\w\-./,+])\d{10}(?![\w\-/]|[.,]\d)")),
    ("foreigner", re.compile(r"(?<![\w\-./,+])(?<!\d )\d{2} \d{2} \d{3} \d{3}(?![\w\-/]|[., ]\d)")),
)  # fmt: skip

_LENGTHS: Final = {
    country: int(length)
    for country, length in re.findall(
        r"([A-Z]{2})(\d{2})",
        "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BR29BY28CH21CR22CY28CZ24DE22DK18DO28EE20EG29ES24FI18FO18FR27GB22GE22GI23"
        "GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MR27MT31MU30"
        "NL18NO15PK24PL28PS29PT25QA29RO24RS22SA24SC31SE24SI19SK24SM27ST25SV28TL23TN24TR26UA29VA22VG24XK20",
    )
}


@dataclass(frozen=True, slots=True)
class Found:
    """An identifier, and where it stands in the text."""

    kind: Kind
    start: int
    end: int


def found(text: str) -> tuple[Found, ...]:
    """Return the identifiers of a text in its order; none overlaps another."""
    plain, places = _bare(text)
    kept: list[Found] = []
    for kind, start, end in sorted(_all(plain), key=lambda it: (it[1], -it[2])):
        if not kept or places[start] >= kept[-1].end:
            kept.append(Found(kind, places[start], places[end - 1] + 1))
    return tuple(kept)


def masked(text: str) -> str:
    """Return a text with dots in place of its identifiers."""
    pieces: list[str] = []
    at = 0
    for it in found(text):
        pieces += (text[at : it.start], MASK)
        at = it.end
    return "".join((*pieces, text[at:]))


def _bare(text: str) -> tuple[str, Sequence[int]]:
    """Return what a reader sees of Markdown, sign by sign, and where each sign stands.

    Digits of other widths become plain ones; invisible signs, marks of emphasis and escapes are left out.
    """
    plain = text.translate(_SEEN)
    if len(plain) == len(text):
        return plain, range(len(text))
    return plain, [place for place, sign in enumerate(text) if _SEEN[ord(sign)]]


class _Seen(dict[int, str]):
    """What is seen of a sign, by its code: one sign or none; of common ones it is remembered."""

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        left_out = sign in "*_~`\\" or unicodedata.category(sign) in ("Cf", "Mn")
        seen = "" if left_out else _plain(sign)
        if code < _COMMON:
            self[code] = seen
        return seen


_COMMON: Final = 0x3000
_SEEN: Final = _Seen()


def _plain(sign: str) -> str:
    if sign.isascii():
        return sign
    category = unicodedata.category(sign)
    if category == "Zs":
        return " "
    if category == "Pd":
        return "-"
    if category == "Nd":
        return str(unicodedata.digit(sign))
    wide = unicodedata.normalize("NFKC", sign)
    return wide if wide.isascii() and len(wide) == 1 else sign


def _all(text: str) -> Iterator[tuple[Kind, int, int]]:
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            start, end = match.span(1 if pattern.groups else 0)
            whole = text[start:end].rstrip(" .-/")
            length = _checked(kind, whole)
            if length:
                yield kind, start, start + length


def _checked(kind: Kind, text: str) -> int:
    """Return how many signs of a text are the identifier; 0 when its check digits are wrong."""
    if kind == "nir" and sum(c.isalnum() for c in text) == 15:
        return len(text) if is_nir(text) else 0
    return _iban(text) if kind == "iban" else len(text)


def is_nir(text: str) -> bool:
    """Tell whether fifteen digits are a number of social security with its key; Corsica counts as 19 and 18."""
    bare = "".join(c for c in text.upper() if c.isalnum())
    number = bare[:5] + {"2A": "19", "2B": "18"}.get(bare[5:7], bare[5:7]) + bare[7:13]
    return number.isdigit() and bare[13:].isdigit() and 97 - int(number) % 97 == int(bare[13:])


def _iban(text: str) -> int:
    """Return how many signs of a text are an account with the right check digits."""
    length = _LENGTHS.get(text[:2].upper(), 0)
    signs = [(c.upper(), place) for place, c in enumerate(text, 1) if c.isalnum()][:length]
    if not length or len(signs) < length:
        return 0
    digits = "".join(str(int(c, 36)) for c, _ in signs[4:] + signs[:4])
    return signs[-1][1] if int(digits) % 97 == 1 else 0
