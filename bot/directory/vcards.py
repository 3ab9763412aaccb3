"""Organisations, people and their postings as vCards: what each property stands for.

An export holds every column of `organisations.csv`, `people.csv` and `postings.csv`, those that vCard does not know as
`X-PASSERELLE-…`. Of cards made elsewhere an import takes the name, telephone, e-mail, language, and for an
organisation the address, zone and site too; what a card does not mention stays as it is.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import IO, Any, TypeAlias

from bot.directory.cells import IDENTIFIER, country_names
from bot.directory.files import ORGANISATIONS, PEOPLE, POSTINGS, File
from bot.directory.gathering import Entry
from bot.directory.ids import slug
from bot.directory.records import Told
from bot.directory.tables import ID
from bot.directory.vcard import Property, VCard, cards, escaped, written

_OWN = "X-PASSERELLE-"
_POSTING = f"{_OWN}POSTING"
_TEXTS = {"phone": "TEL", "email": "EMAIL", "website": "URL", "timezone": "TZ", "short_name": "NICKNAME"}
_PLACE = ("address", "city", "subdivision", "country")  # kept in ADR
_NAMES = ("given_name", "family_name")  # kept in N
_SPELLED = {*_TEXTS, *_PLACE, *_NAMES, "id", "name"}  # the others are ours
_LANG = {ORGANISATIONS: "languages", PEOPLE: "language"}
_KINDS = {"org": ORGANISATIONS, "individual": PEOPLE}

_OFFSET = re.compile(r"[+-]?\d")

Row: TypeAlias = Mapping[str, Any]


def _own(file: File) -> dict[str, str]:
    """Return the properties of ours that hold columns of a file, by column."""
    names = (column.name for column in file.columns if column.name not in {*_SPELLED, _LANG[file]})
    return {name: _OWN + name.upper().replace("_", "-") for name in names}


_OWN_BY_FILE = {file: _own(file) for file in _KINDS.values()}
WANTED = frozenset(
    {"UID", "KIND", "FN", "N", "ORG", "ADR", "LANG", "X-ABSHOWAS", _POSTING, *_TEXTS.values()}.union(
        *(own.values() for own in _OWN_BY_FILE.values())
    )
)


def entries(stream: IO[bytes], told: Told = lambda _: None) -> Iterator[Entry]:
    """Return the rows that the cards of a file stand for.

    Raises Unreadable, from the iterator.
    """
    for card in cards(stream, WANTED, told):
        file = _kind(card)
        if file is None:  # a group, a place: nobody's card
            continue
        cells = _organisation(card) if file is ORGANISATIONS else _person(card)
        for column, name in _OWN_BY_FILE[file].items():
            own = card.first(name)
            if own is not None:
                cells[column] = own.text
        yield Entry(file, card.line, cells)
        if file is PEOPLE:
            yield from _postings(card, cells["id"])


def person(row: Row, postings: Sequence[Row] = (), organisations: Mapping[str, str] | None = None) -> str:
    """Return somebody's card. `postings` are theirs, `organisations` the names of organisations by id."""
    full = f"{row['given_name']} {row['family_name']}".strip() or row["id"]
    name = ";".join(escaped(row[column]) for column in ("family_name", "given_name"))
    made = [_text("UID", row["id"]), _text("KIND", "individual"), _text("FN", full), _plain("N", f"{name};;;")]
    made += _common(PEOPLE, row)
    if row["language"]:
        made.append(_text("LANG", row["language"]))
    for posting in postings:
        if posting["end"] is None and organisations and posting["organisation"] in organisations:
            made.append(_text("ORG", organisations[posting["organisation"]]))
        parts = (posting["organisation"], posting["role"], _day(posting["start"]), _day(posting["end"]))
        made.append(_plain(_POSTING, ";".join(parts)))
    return written(made)


def organisation(row: Row) -> str:
    """Return an organisation's card."""
    made = [_text("UID", row["id"]), _text("KIND", "org"), _text("FN", row["name"])]
    made += _common(ORGANISATIONS, row)
    if any(row[column] for column in _PLACE):
        street, city, region, code = (escaped(row[column]) for column in _PLACE)
        country = escaped(country_names().get(row["country"], row["country"]))
        parameters = {"CC": code} if code else {}  # RFC 8605
        made.append(Property(0, "ADR", f";;{street};{city};{region};;{country}", parameters))
    made += [_text("LANG", language) for language in row["languages"].split()]
    return written(made)


def _common(file: File, row: Row) -> Iterable[Property]:
    for column, name in {**_TEXTS, **_OWN_BY_FILE[file]}.items():
        if row.get(column):
            yield _text(name, row[column].isoformat() if isinstance(row[column], date) else row[column])


def _text(name: str, value: str) -> Property:
    return Property(0, name, escaped(value))


def _plain(name: str, value: str) -> Property:
    return Property(0, name, value)


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _kind(card: VCard) -> File | None:
    kind = card.first("KIND")
    if kind is not None:
        return _KINDS.get(kind.text.strip().lower())
    company = card.first("X-ABSHOWAS")  # what some address books write in place of KIND
    return ORGANISATIONS if company is not None and company.text.strip().upper() == "COMPANY" else PEOPLE


def _organisation(card: VCard) -> dict[str, str]:
    cells = {"id": _id(card), **_texts(card, ORGANISATIONS)}
    name = card.first("FN") or card.first("ORG")
    if name is not None:
        cells["name"] = name.text
    place = card.first("ADR")
    if place is not None:
        _, _, street, city, region, _, country = [*place.parts, *[""] * 7][:7]
        code = place.parameters.get("CC", "") or (country if len(country.strip()) == 2 else "")
        cells |= {"address": street, "city": city, "subdivision": region}
        if code or not country.strip():
            cells["country"] = code
    languages = [each.text.strip() for each in card.all("LANG")]
    if languages:
        cells["languages"] = " ".join(languages)
    return cells


def _person(card: VCard) -> dict[str, str]:
    cells = {"id": _id(card), **_texts(card, PEOPLE)}
    name, full = card.first("N"), card.first("FN")
    if name is not None:
        family, given = [*name.parts, "", ""][:2]
        cells |= {"given_name": given, "family_name": family}
    elif full is not None:
        cells["family_name"] = full.text
    spoken = [each.text.strip().lower().partition("-")[0] for each in card.all("LANG")]
    known = [language for language in spoken if language in ("fr", "en")]
    if known:
        cells["language"] = known[0]
    return cells


def _texts(card: VCard, file: File) -> dict[str, str]:
    found = {column: card.all(name) for column, name in _TEXTS.items() if column in file.by_name}
    spoken = {column: [each for each in all_ if "fax" not in each.types] for column, all_ in found.items()}
    cells = {column: _plain_text(all_[0]) for column, all_ in spoken.items() if all_}
    if _OFFSET.match(cells.get("timezone", "")):  # an offset is no zone: it is right for half a year
        del cells["timezone"]
    return cells


def _plain_text(each: Property) -> str:
    """Return a value; of one that is said to be a URI (`tel:…`), what it addresses."""
    text = each.text.strip()
    if each.name == "TEL" and each.parameters.get("VALUE", "").lower() == "uri":
        return text.removeprefix("tel:").partition(";")[0]
    return text


def _postings(card: VCard, person: str) -> Iterator[Entry]:
    for each in card.all(_POSTING):
        organisation, role, start, end = [*each.parts, *[""] * 4][:4]
        cells = {"person": person, "organisation": organisation, "role": role, "start": start, "end": end}
        yield Entry(POSTINGS, each.line, cells)


def _id(card: VCard) -> str:
    """Return a card's own id, else one made of its name: the same card gives the same id each time."""
    own, name = card.first("UID"), card.first("FN") or card.first("ORG")
    if own is not None and own.text.strip():
        given = own.text.strip().removeprefix("urn:uuid:")
        return given if len(given) <= ID and IDENTIFIER.fullmatch(given) else slug(given)
    return slug(name.text) if name is not None else ""
