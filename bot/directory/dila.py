"""The State's open directory, « annuaire de l'administration » (DILA): its records as rows of `organisations.csv`.

All its shapes are read: the API's exports and answers, where each list is a JSON string, and the dump, where lists are
lists; one document or one record a line; what is empty is "", null or []. Of the services that are ours (prefectures,
sous-préfectures, embassies, consulates) an import takes the address, telephone, functional mailbox, site and hours.
It never takes a person's name, nor their mailbox. What the directory knows already keeps its own name.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import IO, Any, TypeAlias, cast

from bot.directory.cells import EMAIL, country_names
from bot.directory.documents import Record, records
from bot.directory.files import ORGANISATIONS
from bot.directory.gathering import Entry
from bot.directory.ids import slug
from bot.directory.records import Told
from bot.directory.snapshot import Org

_TOLD_EVERY = 500  # records

Own: TypeAlias = Callable[["Record", str, "Known"], Iterator[dict[str, str]]]
Known: TypeAlias = Mapping[str, Org]


def entries(stream: IO[bytes], known: Known, told: Told = lambda _: None) -> Iterator[Entry | None]:
    """Return the rows that records stand for, None for each that is none of ours; `line` is the record's number.

    `known` holds the organisations of the directory. Raises Unreadable, from the iterator.
    """
    met: set[str] = set()
    for number, record in records(stream):
        if number % _TOLD_EVERY == 0:
            told(number)
        found = [cells for cells in _rows(record, known) if cells["id"] not in met]  # a second site of the same
        met.update(cells["id"] for cells in found)
        yield from (Entry(ORGANISATIONS, number, cells) for cells in found)
        if not found:
            yield None


def _rows(record: Record, known: Known) -> Iterator[dict[str, str]]:
    """Return what a record says of each organisation of ours that it stands for."""
    shared: dict[str, str] | None = None
    for own in _identities(record, known):
        if shared is None:
            shared = _details(record)
        yield {**({"id": own["id"]} if own["id"] in known else own), **shared}


def _identities(record: Record, known: Known) -> Iterator[dict[str, str]]:
    for pivot in _objects(record.get("pivot")):
        codes = _list(pivot.get("code_insee_commune")) or [record.get("code_insee_commune")]
        department = _department(str(codes[0] or "")) if codes else ""
        own = _PREFECTURES.get(str(pivot.get("type_service_local") or ""))
        if own is not None and department:
            yield from own(record, department, known)
    if "ambassade" in _word(record.get("type_organisme")):
        yield from _post(record)


def _prefecture(record: Record, department: str, _known: Known) -> Iterator[dict[str, str]]:
    yield _new(record, f"prefecture-{department.lower()}", "prefecture", "FR", department)


def _region(_record: Record, department: str, known: Known) -> Iterator[dict[str, str]]:
    own = known.get(f"prefecture-{department.lower()}")
    if own is not None and own.parent is not None and own.parent in known:
        yield {"id": own.parent}


def _sous_prefecture(record: Record, department: str, known: Known) -> Iterator[dict[str, str]]:
    town = slug(str(_address(record).get("nom_commune") or ""))
    id_ = f"sous-prefecture-{department.lower()}-{town}"
    shorter = [other for other in known if other != id_ and id_.startswith(f"{other}-")]  # Vire, in Vire Normandie
    if town:
        made = _new(record, id_, "sous_prefecture", "FR", department)
        yield {"id": shorter[0]} if len(shorter) == 1 else {**made, "parent": f"prefecture-{department.lower()}"}


def _police(id_: str) -> Own:
    def own(_record: Record, _department: str, known: Known) -> Iterator[dict[str, str]]:
        if id_ in known:
            yield {"id": id_}

    return own


_PREFECTURES: Mapping[str, Own] = {
    "prefecture": _prefecture,
    "prefecture_region": _region,
    "sous_pref": _sous_prefecture,
    "paris_ppp": _police("prefecture-de-police-paris"),
    "pp_marseille": _police("prefecture-de-police-marseille"),
}


def _post(record: Record) -> Iterator[dict[str, str]]:
    """Return the embassy or consulate that a record describes; embassies in France are other States'."""
    name, place = slug(str(record.get("nom") or "")), _address(record)
    country = _country(name, str(place.get("pays") or ""))
    if country == "FR" or not (country or place.get("pays")):
        return
    town = slug(str(place.get("nom_commune") or ""))
    said = country or str(place.get("pays"))  # an unknown State is named as the country that cannot be read
    if name.startswith("ambassade"):
        yield _new(record, f"ambassade-{slug(said)}", "embassy", said, "")
    elif name.startswith("consulat-general") and town:
        yield _new(record, f"consulat-{town}", "consulate_general", said, "")


def _new(record: Record, id_: str, kind: str, country: str, territory: str) -> dict[str, str]:
    city = str(_address(record).get("nom_commune") or "")
    name = str(record.get("nom") or "")
    return {"id": id_, "kind": kind, "name": name, "country": country, "city": city, "territory": territory}


def _details(record: Record) -> dict[str, str]:
    """Return how to reach a service; what the record leaves empty is left out."""
    place = _address(record)
    french = _country("", str(place.get("pays") or "France")) == "FR"
    found = {
        "address": _lines(place, french=french),
        "phone": _phone(_first(record.get("telephone")), french=french),
        "email": _mailbox(record),
        "website": _first(record.get("site_internet")),
        "opening_hours": _hours(record),
        "checked_on": _day(str(record.get("date_modification") or "")),
        "source": f"DILA, annuaire de l’administration, {record.get('id') or record.get('nom') or ''}",
    }
    return {column: cell for column, cell in found.items() if cell.strip()}


def _list(value: object) -> list[Any]:
    """Return a list, whichever way a record writes it; a value alone is a list of it."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    if value is None or value in ("", [], {}):
        return []
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def _objects(value: object) -> list[Record]:
    """Return the objects of a list, whichever way a record writes it."""
    return [cast("Record", each) for each in _list(value) if isinstance(each, dict)]


def _first(value: object) -> str:
    """Return the first `valeur` of a list that is not empty."""
    for each in _list(value):
        text = cast("Record", each).get("valeur") if isinstance(each, dict) else each
        if text:
            return str(text).strip()
    return ""


def _address(record: Record) -> Record:
    found = _objects(record.get("adresse"))
    visited = [each for each in found if _word(each.get("type_adresse")) == "adresse"]
    return next(iter([*visited, *found]), cast("Record", {}))


def _lines(place: Record, *, french: bool) -> str:
    lines = [place.get(name) for name in ("complement1", "complement2", "numero_voie", "service_distribution")]
    town = " ".join(str(place.get(name) or "").strip() for name in ("code_postal", "nom_commune"))
    lines += [town, None if french else place.get("pays")]
    return "\n".join(str(line).strip() for line in lines if line and str(line).strip())


_NATIONAL = re.compile(r"0([1-9]\d{8})")
_OVERSEAS = {  # the first digits of national numbers that have a country code of their own
    **dict.fromkeys(("590", "690", "691"), "590"),
    **dict.fromkeys(("594", "694"), "594"),
    **dict.fromkeys(("596", "696", "697"), "596"),
    **dict.fromkeys(("262", "263", "269", "639", "692", "693"), "262"),
}


def _phone(number: str, *, french: bool) -> str:
    """Return a French national number as it is dialled from abroad; any other as it stands."""
    national = _NATIONAL.fullmatch(re.sub(r"[\s.\-()]", "", number)) if french else None
    if national is None:
        return number
    digits = national[1]
    pairs = " ".join(digits[at : at + 2] for at in range(1, 9, 2))
    return f"+{_OVERSEAS.get(digits[:3], '33')} {digits[0]} {pairs}"


def _mailbox(record: Record) -> str:
    """Return the first mailbox that is nobody's own."""
    holders = _objects(record.get("affectation_personne"))
    people = [cast("Record", each.get("personne") or {}) for each in holders if isinstance(each.get("personne"), dict)]
    theirs = {str(own).strip().casefold() for person in people for own in _list(person.get("adresse_courriel"))}
    given = _list(record.get("adresse_courriel"))
    texts = [str(cast("Record", each).get("valeur") or "") if isinstance(each, dict) else str(each) for each in given]
    mailboxes = [text.strip() for text in texts if text.strip() and text.strip().casefold() not in theirs]
    return next(iter([*filter(EMAIL.fullmatch, mailboxes), *mailboxes]), "")


_DAYS = {
    "lundi": "Mo",
    "mardi": "Tu",
    "mercredi": "We",
    "jeudi": "Th",
    "vendredi": "Fr",
    "samedi": "Sa",
    "dimanche": "Su",
}
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::\d{2})?")


def _hours(record: Record) -> str:
    """Return opening hours in OpenStreetMap's syntax."""
    by_days: dict[str, list[str]] = {}
    for each in _objects(record.get("plage_ouverture")):
        first, last = (_DAYS.get(_word(each.get(f"nom_jour_{end}"))) for end in ("debut", "fin"))
        if first is not None:
            days = f"{first}-{last}" if last not in (None, first) else first
            by_days.setdefault(days, []).extend(_spans(each))
    return "; ".join(f"{days} {','.join(dict.fromkeys(spans))}" for days, spans in by_days.items() if spans)


def _spans(each: Record) -> Iterator[str]:
    for number in ("1", "2"):
        ends = [_CLOCK.fullmatch(str(each.get(f"valeur_heure_{end}_{number}") or "")) for end in ("debut", "fin")]
        if ends[0] is not None and ends[1] is not None:
            yield "-".join(f"{int(end[1]):02d}:{end[2]}" for end in ends if end is not None)


_FRENCH_DAY = re.compile(r"(\d{2})/(\d{2})/(\d{4})(?: .*)?")


def _day(written: str) -> str:
    """Return a day in ISO form: records have `dd/mm/yyyy hh:mm:ss`, the API may have ISO itself."""
    french = _FRENCH_DAY.fullmatch(written.strip())
    return f"{french[3]}-{french[2]}-{french[1]}" if french else written.strip()[:10]


def _department(commune: str) -> str:
    """Return the code of a commune's département: the first two signs of its INSEE code, overseas the first three."""
    if not re.fullmatch(r"(\d{2}|2[AB])\d{3}", commune):
        return ""
    return commune[:3] if commune.startswith(("97", "98")) else commune[:2]


def _word(value: object) -> str:
    return str(value or "").strip().casefold()


_OTHERWISE = {  # how the State's directory names States that the CLDR names otherwise
    "republique-democratique-du-congo": "CD", "congo-republique-democratique": "CD", "republique-du-congo": "CG",
    "congo": "CG", "republique-tcheque": "CZ", "saint-siege": "VA", "saint-siege-vatican": "VA", "vatican": "VA",
    "etats-unis-d-amerique": "US", "grande-bretagne": "GB", "emirats-arabes": "AE", "birmanie": "MM",
    "coree": "KR", "republique-de-coree": "KR", "macedoine": "MK", "surinam": "SR", "swaziland": "SZ",
    "timor": "TL", "bielorussie": "BY", "cap-vert": "CV", "sultanat-d-oman": "OM", "palestine": "PS",
    "federation-de-russie": "RU", "republique-dominicaine": "DO", "republique-centrafricaine": "CF",
}  # fmt: skip


@cache
def _countries() -> tuple[tuple[str, str], ...]:
    """Return names of States with their codes, the longest first."""
    names = {slug(name): code for code, name in country_names().items() if len(code) == 2}
    return tuple(sorted({**names, **_OTHERWISE}.items(), key=lambda pair: -len(pair[0])))


def _country(name: str, place: str) -> str:
    """Return the code of the State that a post's name (as a slug) names, else its address; empty when neither does.

    An embassy to the Holy See stands in Italy: the name comes first.
    """
    said = f"-{name.removeprefix('ambassade-de-france').removeprefix('consulat-general-de-france')}-"
    for country, code in _countries():
        if f"-{country}-" in said and code != "FR":
            return code
    return dict(_countries()).get(slug(place), "")
