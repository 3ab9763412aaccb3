"""What can be found, read from the directory: organisations with their words, offices with their places, people.

The least that a word takes to be known is the right that sees its field (`bot.directory.visibility`).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import Any

from sqlalchemy import Executable, Row, or_, select
from sqlalchemy.orm import Session

from bot.directory.days import ZONE
from bot.directory.files import LAND
from bot.directory.tables import Competence, Organisation
from bot.directory.visibility import field_needed, needed
from bot.routing.spelling import keys, plain
from bot.search.columns import begins, each, ends, numbers
from bot.search.index import Bags, Builder, Entries, Words
from bot.search.people import add_people
from bot.search.words import Lexicon

KINDS = (  # the worthier first, of those that are found as well
    "prefecture region police_prefecture representation_etat embassy consulate_general consulate representation "
    "ministry body ccpd sous_prefecture honorary_consulate other"
).split()

_WORTH_OF_KIND = {kind: 1 - 0.004 * rank for rank, kind in enumerate(KINDS)}
_CLOSED = 0.5  # what a closed organisation is worth
_OFFICE = 0.97  # an office comes after its organisation, unless it was asked for
_SHARED = 1.0  # what it says of an office that a word of its organisation was found
_ALSO = 0.85  # what another name of a territory says: « Alsace », « PACA »
_OUTER = 0.6  # what the name of a territory says of what lies within

_ORGANISATION = select(
    Organisation.id,
    Organisation.kind,
    Organisation.name,
    Organisation.short_name,
    Organisation.country,
    Organisation.city,
    Organisation.territory,
    Organisation.parent,
    Organisation.timezone,
    Organisation.phone,
    Organisation.email,
    Organisation.visibility,
    Organisation.status,
)
_COMPETENCE = select(
    Competence.organisation,
    Competence.role,
    Competence.valid_from,
    Competence.valid_to,
    Competence.country,
    Competence.territory,
    Competence.place,
).distinct()


@dataclass(frozen=True, slots=True)
class Only:
    """What to read when not everything: organisations with their offices, and people, by id."""

    organisations: Collection[str]
    people: Collection[str]


def read(session: Session, lexicon: Lexicon, on: date, only: Only | None = None) -> Builder:
    """Return the entries of the directory, or of some of it, to be looked up on a day (in UTC) and later."""
    builder = Builder()
    found, competences = _ORGANISATION, _COMPETENCE
    if only is not None:
        found = found.where(or_(Organisation.kind.in_(LAND), Organisation.id.in_(only.organisations)))
        competences = competences.where(Competence.organisation.in_(only.organisations))
    rows = {row.id: row for row in sorted(_rows(session, found), key=itemgetter(0))}
    chosen = rows if only is None else {id_: rows[id_] for id_ in sorted(only.organisations) if id_ in rows}
    territories = _territories(rows.values())
    _add_organisations(builder, list(chosen.values()), lexicon, territories)
    _add_offices(builder, chosen, _offices(_rows(session, competences), lexicon, territories, chosen.values()))
    zones = {id_: row.timezone for id_, row in rows.items()}
    add_people(builder, session, lexicon, zones, on, only.people if only is not None else None)
    return builder


def _rows(session: Session, statement: Executable) -> Sequence[Row[Any]]:
    return session.connection().execute(statement).all()


def _territories(rows: Iterable[Row[Any]]) -> Mapping[str, tuple[str, tuple[str, ...]]]:
    """Return, by code, the region of each territory and the words of its name and chief town, as all may know them."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for row in rows:
        if row.kind in LAND and row.territory and not needed(row.visibility):
            found.setdefault(row.territory, (row.parent or "", (*keys(row.short_name), *keys(row.city))))
    return found


def _add_organisations(
    builder: Builder,
    rows: Sequence[Row[Any]],
    lexicon: Lexicon,
    territories: Mapping[str, tuple[str, tuple[str, ...]]],
) -> None:
    builder.add(
        Entries(
            kind="organisation",
            ids=[row.id for row in rows],
            levels=[needed(row.visibility) for row in rows],
            owners=[(at, row.id) for at, row in enumerate(rows)],
            bags=[
                [builder.bag(_of_organisation(row, lexicon, territories)) for row in rows],
                *_shared(builder, rows, lexicon, territories),
            ],
            worth=[_worth(row) for row in rows],
            numbers=numbers("organisation", [row.phone for row in rows], [row.email for row in rows]),
        )
    )


def _worth(row: Row[Any]) -> float:
    return _WORTH_OF_KIND.get(row.kind, 0.9) * (_CLOSED if row.status == "closed" else 1)


def _of_organisation(row: Row[Any], lexicon: Lexicon, territories: Mapping[str, tuple[str, tuple[str, ...]]]) -> Words:
    """Yield the words that are an organisation's own."""
    within = row.kind not in LAND
    yield from _named("name", keys(row.short_name), 1.0)
    yield from _named("name", keys(row.name), 0.95)
    yield from _named("id", keys(row.id), _OUTER)
    yield from each("territory", keys(row.territory), _OUTER if within else 1.0)
    yield from each("territory", () if within else lexicon.territories.get(row.territory, ()), _ALSO)
    yield from _named("territory", territories.get(row.territory, ("", ()))[1] if within else (), _OUTER)
    yield from each("email", keys(row.email.partition("@")[0]), 0.6)


def _shared(
    builder: Builder,
    rows: Sequence[Row[Any]],
    lexicon: Lexicon,
    territories: Mapping[str, tuple[str, tuple[str, ...]]],
) -> Iterator[list[int]]:
    """Yield columns of bags of the words that several organisations have."""

    def of_city(city: str) -> Words:
        yield from _named("city", keys(city), 0.98)
        yield from each("city", lexicon.cities.get(plain(city).casefold(), ()), 0.95)

    yield Bags(builder, of_city).column(row.city for row in rows)
    kinds = Bags(builder, lambda kind: each("kind", lexicon.kinds.get(kind, ()), 0.9))
    yield kinds.column(row.kind for row in rows)
    countries = Bags(builder, lambda country: each("country", lexicon.countries.get(country, ()), 0.85))
    yield countries.column(row.country for row in rows)
    regions = Bags(builder, lambda region: each("parent", territories.get(region, ("", ()))[1], 0.5))
    yield regions.column(territories.get(row.territory, ("", ()))[0] for row in rows)


def _named(field: str, names: Sequence[str], worth: float) -> Words:
    """Yield the words of a name: « Moselle » is rather Moselle than Meurthe-et-Moselle."""
    return each(field, names, worth * (0.9 + 0.1 / len(names)) if names else 0.0)


_Office = tuple[str, str, date | None, date | None]


def _offices(
    competences: Iterable[Row[Any]],
    lexicon: Lexicon,
    territories: Mapping[str, tuple[str, tuple[str, ...]]],
    rows: Iterable[Row[Any]],
) -> Mapping[_Office, set[tuple[str, float]]]:
    """Return the offices that there are, held or not, and the words of the places that each answers for."""
    inside: dict[str, list[str]] = {}
    for code, (region, _) in territories.items():
        inside.setdefault(region, []).append(code)
    found: dict[_Office, set[tuple[str, float]]] = {}
    for row in rows:
        if row.kind in lexicon.heads:
            found[row.id, lexicon.heads[row.kind], None, None] = set()
    for row in competences:
        words = found.setdefault((row.organisation, row.role, row.valid_from, row.valid_to), set())
        words.update((word, 0.85) for word in lexicon.countries.get(row.country, ()))
        words.update((word, 0.9) for word in keys(row.place))
        for code in (row.territory, *inside.get(row.territory, ())) if row.territory else ():
            words.update((word, 0.85) for word in (*keys(code), *territories.get(code, ("", ()))[1]))
    for (_, role, _, _), words in found.items():
        words.update((word, 1.0) for word in lexicon.roles.get(role, ()))
    return {office: found[office] for office in sorted(found, key=_order)}


def _order(office: _Office) -> tuple[str, str, date, date]:
    return office[0], office[1], office[2] or date.min, office[3] or date.max


def _add_offices(
    builder: Builder, rows: Mapping[str, Row[Any]], offices: Mapping[_Office, set[tuple[str, float]]]
) -> None:
    chosen = [(rows[office[0]], office, words) for office, words in offices.items() if office[0] in rows]
    level = field_needed("organisation", "competences")
    builder.add(
        Entries(
            kind="office",
            ids=[row.id for row, _, _ in chosen],
            levels=[needed(row.visibility) for row, _, _ in chosen],
            owners=[(at, row.id) for at, (row, _, _) in enumerate(chosen)],
            bags=[[builder.bag((word, worth, level) for word, worth in sorted(words)) for _, _, words in chosen]],
            worth=[_OFFICE * _worth(row) for row, _, _ in chosen],
            roles=[office[1] for _, office, _ in chosen],
            organisations=[row.id for row, _, _ in chosen],
            shares=_SHARED,
            first=[begins(office[2], row.timezone or ZONE) for row, office, _ in chosen],
            last=[ends(office[3], row.timezone or ZONE) for row, office, _ in chosen],
        )
    )
